//! Events as an Arrow table.
//!
//! One flat table, because `DuckDB`, pandas and Polars filter flat columns best: the envelope with the names of the JSON (the
//! names of inner objects before theirs where they would not tell), then each of the 83 features as a column of nullable
//! f64, in order. Addresses and the identifier are the texts of the JSON, so that they join with it. Times are i64
//! microseconds since 1970, as in JSON: every value there is can be held. Unknown is null; no NaN is written.

use std::fmt::{Display, Write as _};
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanBuilder, Float32Builder, Float64Array, Int64Builder, RecordBatch, StringBuilder, UInt8Builder,
    UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::{Event, FEATURE_NAMES, SCHEMA_VERSION, Verdict};

use super::ExportError;

mod read;

pub use read::from_record_batch;

/// Key of the table's metadata that holds [`SCHEMA_VERSION`].
pub const VERSION_KEY: &str = "forebay.schema_version";

/// Columns before the features: name, type, whether it may be null.
const ENVELOPE: &[(&str, DataType, bool)] = &[
    ("schema_version", DataType::Utf8, false),
    ("event_id", DataType::Utf8, false),
    ("start_us", DataType::Int64, false),
    ("end_us", DataType::Int64, false),
    ("node_id", DataType::Utf8, false),
    ("sensor", DataType::Utf8, false),
    ("interface", DataType::Utf8, false),
    ("src_ip", DataType::Utf8, false),
    ("dst_ip", DataType::Utf8, false),
    ("src_port", DataType::UInt16, false),
    ("dst_port", DataType::UInt16, false),
    ("protocol", DataType::UInt8, false),
    ("vlan", DataType::UInt16, true),
    ("segment", DataType::UInt32, false),
    ("community_id", DataType::Utf8, false),
    ("app_protocol", DataType::Utf8, true),
    ("app_host", DataType::Utf8, true),
    ("score_fast", DataType::Float32, true),
    ("score_ml", DataType::Float32, true),
    ("score_final", DataType::Float32, true),
    ("score_divergence", DataType::Float32, true),
    ("verdict", DataType::Utf8, true),
    ("family", DataType::Utf8, true),
    ("technique", DataType::Utf8, true),
    ("label_truth", DataType::Utf8, true),
    ("label_validated", DataType::Boolean, false),
    ("integrity_seq", DataType::UInt64, true),
    ("integrity_prev", DataType::Utf8, true),
    ("integrity_mac", DataType::Utf8, true),
];

/// The schema of a table of events; the same in every file of this version.
pub fn arrow_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let envelope = ENVELOPE.iter().map(|(name, kind, null)| Field::new(*name, kind.clone(), *null));
        let features = FEATURE_NAMES.iter().map(|name| Field::new(*name, DataType::Float64, true));
        let fields: Vec<_> = envelope.chain(features).collect();
        let metadata = [(VERSION_KEY.to_owned(), SCHEMA_VERSION.to_owned())];
        Arc::new(Schema::new(fields).with_metadata(metadata))
    });
    Arc::clone(&SCHEMA)
}

/// `events` as a table in [`arrow_schema`].
pub fn to_record_batch(events: &[Event]) -> Result<RecordBatch, ExportError> {
    let mut columns = envelope(events);
    columns.extend(judgement(events));
    for place in 0..FEATURE_NAMES.len() {
        columns.push(feature(events, place));
    }
    Ok(RecordBatch::try_new(arrow_schema(), columns)?)
}

/// The column of one feature. Most are known of all events, and then there is no mask to build.
fn feature(events: &[Event], place: usize) -> ArrayRef {
    let values: Vec<f64> = events.iter().map(|event| event.features.0[place]).collect();
    if values.iter().all(|value| value.is_finite()) {
        return Arc::new(Float64Array::from(values));
    }
    Arc::new(values.into_iter().map(|value| value.is_finite().then_some(value)).collect::<Float64Array>())
}

/// The columns up to the Community ID.
fn envelope(events: &[Event]) -> Vec<ArrayRef> {
    vec![
        texts(events, |event| Some(event.schema_version.as_str())),
        formatted(events, |event| event.event_id),
        build(events, Int64Builder::append_value, |event| event.start_us, Int64Builder::finish),
        build(events, Int64Builder::append_value, |event| event.end_us, Int64Builder::finish),
        texts(events, |event| Some(event.node_id.as_str())),
        texts(events, |event| Some(event.sensor.as_str())),
        texts(events, |event| Some(event.interface.as_str())),
        formatted(events, |event| event.flow.src_ip),
        formatted(events, |event| event.flow.dst_ip),
        build(events, UInt16Builder::append_value, |event| event.flow.src_port, UInt16Builder::finish),
        build(events, UInt16Builder::append_value, |event| event.flow.dst_port, UInt16Builder::finish),
        build(events, UInt8Builder::append_value, |event| event.flow.protocol, UInt8Builder::finish),
        build(events, UInt16Builder::append_option, |event| event.flow.vlan, UInt16Builder::finish),
        build(events, UInt32Builder::append_value, |event| event.flow.segment, UInt32Builder::finish),
        texts(events, |event| Some(event.flow.community_id.as_str())),
    ]
}

/// The columns from there to the features.
fn judgement(events: &[Event]) -> Vec<ArrayRef> {
    let seal = |event: &Event| event.integrity.clone();
    let score =
        |of: fn(&Event) -> Option<f32>| build(events, Float32Builder::append_option, of, Float32Builder::finish);
    vec![
        texts(events, |event| event.app.protocol.as_deref()),
        texts(events, |event| event.app.host.as_deref()),
        score(|event| event.scores.fast),
        score(|event| event.scores.ml),
        score(|event| event.scores.r#final),
        score(|event| event.scores.divergence),
        texts(events, |event| event.class.verdict.map(Verdict::as_str)),
        texts(events, |event| event.class.family.as_deref()),
        texts(events, |event| event.class.technique.as_deref()),
        texts(events, |event| event.label.truth.as_deref()),
        build(events, BooleanBuilder::append_value, |event| event.label.validated, BooleanBuilder::finish),
        build(events, UInt64Builder::append_option, |event| seal(event).map(|seal| seal.seq), UInt64Builder::finish),
        texts(events, |event| event.integrity.as_ref().map(|seal| seal.prev.as_str())),
        texts(events, |event| event.integrity.as_ref().map(|seal| seal.mac.as_str())),
    ]
}

/// A column built from one value of each event.
fn build<B: Default, V, A: arrow::array::Array + 'static>(
    events: &[Event],
    append: fn(&mut B, V),
    value: impl Fn(&Event) -> V,
    finish: fn(&mut B) -> A,
) -> ArrayRef {
    let mut builder = B::default();
    for event in events {
        append(&mut builder, value(event));
    }
    Arc::new(finish(&mut builder))
}

/// Bytes of text that most events have in one column; more is taken as it comes.
const TEXT_BYTES: usize = 36;

fn texts(events: &[Event], text: impl Fn(&Event) -> Option<&str>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(events.len(), 0);
    for event in events {
        builder.append_option(text(event));
    }
    Arc::new(builder.finish())
}

/// A column of texts that are written into the column itself.
fn formatted<D: Display>(events: &[Event], value: impl Fn(&Event) -> D) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(events.len(), events.len() * TEXT_BYTES);
    for event in events {
        // Memory takes whatever is written.
        let _ = write!(builder, "{}", value(event));
        builder.append_value("");
    }
    Arc::new(builder.finish())
}
