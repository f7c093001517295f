//! The event's own columns: one for each leaf of the envelope, one for each feature, named as in JSON with dots between.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, StringArray, StringBuilder, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use forebay_event::{Event, FEATURE_NAMES, Verdict};

type Column = (&'static str, DataType, bool, fn(&[Event]) -> ArrayRef);

/// Name, type, whether it may be null, and how to fill it.
const ENVELOPE: &[Column] = &[
    ("schema_version", DataType::Utf8, false, |e| text(e, |e| &e.schema_version)),
    ("event_id", DataType::Utf8, false, |e| shown(e, |e| e.event_id.to_string())),
    ("start_us", TIME, false, |e| time(e, |e| e.start_us)),
    ("end_us", TIME, false, |e| time(e, |e| e.end_us)),
    ("node_id", DataType::Utf8, false, |e| text(e, |e| &e.node_id)),
    ("sensor", DataType::Utf8, false, |e| text(e, |e| &e.sensor)),
    ("interface", DataType::Utf8, false, |e| text(e, |e| &e.interface)),
    ("flow.src_ip", DataType::Utf8, false, |e| shown(e, |e| e.flow.src_ip.to_string())),
    ("flow.dst_ip", DataType::Utf8, false, |e| shown(e, |e| e.flow.dst_ip.to_string())),
    ("flow.src_port", DataType::UInt16, false, |e| ready(e.iter().map(|e| e.flow.src_port).collect::<UInt16Array>())),
    ("flow.dst_port", DataType::UInt16, false, |e| ready(e.iter().map(|e| e.flow.dst_port).collect::<UInt16Array>())),
    ("flow.protocol", DataType::UInt8, false, |e| ready(e.iter().map(|e| e.flow.protocol).collect::<UInt8Array>())),
    ("flow.vlan", DataType::UInt16, true, |e| ready(e.iter().map(|e| e.flow.vlan).collect::<UInt16Array>())),
    ("flow.segment", DataType::UInt32, false, |e| ready(e.iter().map(|e| e.flow.segment).collect::<UInt32Array>())),
    ("flow.community_id", DataType::Utf8, false, |e| text(e, |e| &e.flow.community_id)),
    ("app.protocol", DataType::Utf8, true, |e| maybe(e, |e| e.app.protocol.as_deref())),
    ("app.host", DataType::Utf8, true, |e| maybe(e, |e| e.app.host.as_deref())),
    ("scores.fast", DataType::Float32, true, |e| score(e, |e| e.scores.fast)),
    ("scores.ml", DataType::Float32, true, |e| score(e, |e| e.scores.ml)),
    ("scores.final", DataType::Float32, true, |e| score(e, |e| e.scores.r#final)),
    ("scores.divergence", DataType::Float32, true, |e| score(e, |e| e.scores.divergence)),
    ("class.verdict", DataType::Utf8, true, |e| maybe(e, |e| e.class.verdict.map(Verdict::as_str))),
    ("class.family", DataType::Utf8, true, |e| maybe(e, |e| e.class.family.as_deref())),
    ("class.technique", DataType::Utf8, true, |e| maybe(e, |e| e.class.technique.as_deref())),
    ("label.truth", DataType::Utf8, true, |e| maybe(e, |e| e.label.truth.as_deref())),
    ("label.validated", DataType::Boolean, false, |e| {
        ready(e.iter().map(|e| Some(e.label.validated)).collect::<BooleanArray>())
    }),
    ("integrity.seq", DataType::UInt64, true, |e| {
        ready(e.iter().map(|e| e.integrity.as_ref().map(|i| i.seq)).collect::<UInt64Array>())
    }),
    ("integrity.prev", DataType::Utf8, true, |e| maybe(e, |e| e.integrity.as_ref().map(|i| i.prev.as_str()))),
    ("integrity.mac", DataType::Utf8, true, |e| maybe(e, |e| e.integrity.as_ref().map(|i| i.mac.as_str()))),
];

const TIME: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// The fields, in order: the envelope, then `features.*`.
pub(super) fn fields() -> Vec<Field> {
    let envelope = ENVELOPE.iter().map(|(name, kind, nullable, _)| Field::new(*name, kind.clone(), *nullable));
    let features = FEATURE_NAMES.iter().map(|name| Field::new(format!("features.{name}"), DataType::Float64, true));
    envelope.chain(features).collect()
}

/// The columns of `events`, in the order of [`fields`].
pub(super) fn arrays(events: &[Event]) -> Vec<ArrayRef> {
    let envelope = ENVELOPE.iter().map(|(_, _, _, fill)| fill(events));
    let features = (0..FEATURE_NAMES.len())
        .map(|place| ready(events.iter().map(|event| event.features.known(place)).collect::<Float64Array>()));
    envelope.chain(features).collect()
}

fn ready(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn text(events: &[Event], of: fn(&Event) -> &String) -> ArrayRef {
    ready(events.iter().map(|event| Some(of(event))).collect::<StringArray>())
}

fn maybe(events: &[Event], of: fn(&Event) -> Option<&str>) -> ArrayRef {
    ready(events.iter().map(of).collect::<StringArray>())
}

fn shown(events: &[Event], of: fn(&Event) -> String) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for event in events {
        builder.append_value(of(event));
    }
    ready(builder.finish())
}

fn score(events: &[Event], of: fn(&Event) -> Option<f32>) -> ArrayRef {
    ready(events.iter().map(of).collect::<Float32Array>())
}

fn time(events: &[Event], of: fn(&Event) -> i64) -> ArrayRef {
    ready(
        events.iter().map(of).collect::<Int64Array>().reinterpret_cast::<arrow::datatypes::TimestampMicrosecondType>(),
    )
}
