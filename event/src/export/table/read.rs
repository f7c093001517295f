//! From a table back to events.

use arrow::array::{
    Array, BooleanArray, Float32Array, Float64Array, Int64Array, PrimitiveArray, RecordBatch, StringArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::ArrowPrimitiveType;

use crate::check::check;
use crate::{App, Class, Event, FEATURE_NAMES, Features, Flow, Integrity, Label, Scores, Verdict};

use super::super::ExportError;

/// The events of a table that has at least the columns of [`super::arrow_schema`]; further columns are passed over.
pub fn from_record_batch(batch: &RecordBatch) -> Result<Vec<Event>, ExportError> {
    let table = Table { batch };
    let features = feature_columns(batch)?;
    let mut events = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let mut event = envelope(&table, row)?;
        for (value, column) in event.features.0.iter_mut().zip(&features) {
            *value = if column.is_null(row) { f64::NAN } else { column.value(row) };
        }
        check(&event).map_err(|error| fault("event", &format!("row {row}: {error}")))?;
        events.push(event);
    }
    Ok(events)
}

fn feature_columns(batch: &RecordBatch) -> Result<Vec<&Float64Array>, ExportError> {
    let table = Table { batch };
    FEATURE_NAMES.iter().map(|name| table.column(name)).collect()
}

fn envelope(table: &Table<'_>, row: usize) -> Result<Event, ExportError> {
    Ok(Event {
        schema_version: table.text("schema_version", row)?,
        event_id: table.parsed("event_id", row)?,
        start_us: table.number::<Int64Array, _>("start_us", row)?,
        end_us: table.number::<Int64Array, _>("end_us", row)?,
        node_id: table.text("node_id", row)?,
        sensor: table.text("sensor", row)?,
        interface: table.text("interface", row)?,
        flow: Flow {
            src_ip: table.parsed("src_ip", row)?,
            dst_ip: table.parsed("dst_ip", row)?,
            src_port: table.number::<UInt16Array, _>("src_port", row)?,
            dst_port: table.number::<UInt16Array, _>("dst_port", row)?,
            protocol: table.number::<UInt8Array, _>("protocol", row)?,
            vlan: table.optional::<UInt16Array, _>("vlan", row)?,
            segment: table.number::<UInt32Array, _>("segment", row)?,
            community_id: table.text("community_id", row)?,
        },
        app: App { protocol: table.maybe("app_protocol", row)?, host: table.maybe("app_host", row)? },
        scores: Scores {
            fast: table.optional::<Float32Array, _>("score_fast", row)?,
            ml: table.optional::<Float32Array, _>("score_ml", row)?,
            r#final: table.optional::<Float32Array, _>("score_final", row)?,
            divergence: table.optional::<Float32Array, _>("score_divergence", row)?,
        },
        class: Class {
            verdict: verdict(table, row)?,
            family: table.maybe("family", row)?,
            technique: table.maybe("technique", row)?,
        },
        label: Label {
            truth: table.maybe("label_truth", row)?,
            validated: table.column::<BooleanArray>("label_validated")?.value(row),
        },
        features: Features::UNKNOWN,
        integrity: integrity(table, row)?,
    })
}

fn verdict(table: &Table<'_>, row: usize) -> Result<Option<Verdict>, ExportError> {
    let Some(word) = table.maybe("verdict", row)? else { return Ok(None) };
    Verdict::named(&word).map(Some).ok_or_else(|| fault("verdict", &format!("row {row}: {word:?} is none")))
}

fn integrity(table: &Table<'_>, row: usize) -> Result<Option<Integrity>, ExportError> {
    let Some(seq) = table.optional::<UInt64Array, _>("integrity_seq", row)? else { return Ok(None) };
    let prev = table.maybe("integrity_prev", row)?.unwrap_or_default();
    let mac = table.maybe("integrity_mac", row)?.unwrap_or_default();
    Ok(Some(Integrity { seq, prev, mac }))
}

/// Typed looks into a table.
struct Table<'b> {
    batch: &'b RecordBatch,
}

/// A column of numbers.
trait Numbers<N>: Array {
    fn at(&self, row: usize) -> N;
}

impl<T: ArrowPrimitiveType> Numbers<T::Native> for PrimitiveArray<T> {
    fn at(&self, row: usize) -> T::Native {
        self.value(row)
    }
}

impl<'b> Table<'b> {
    fn column<A: Array + 'static>(&self, name: &str) -> Result<&'b A, ExportError> {
        let column = self.batch.column_by_name(name).ok_or_else(|| fault(name, "it is missing"))?;
        let typed = column.as_any().downcast_ref::<A>();
        typed.ok_or_else(|| fault(name, &format!("its type is {}, which is not that of events", column.data_type())))
    }

    fn optional<A: Numbers<N> + 'static, N>(&self, name: &str, row: usize) -> Result<Option<N>, ExportError> {
        let column = self.column::<A>(name)?;
        Ok((!column.is_null(row)).then(|| column.at(row)))
    }

    fn number<A: Numbers<N> + 'static, N>(&self, name: &str, row: usize) -> Result<N, ExportError> {
        self.optional::<A, N>(name, row)?.ok_or_else(|| fault(name, &format!("row {row} is null")))
    }

    fn maybe(&self, name: &str, row: usize) -> Result<Option<String>, ExportError> {
        let column = self.column::<StringArray>(name)?;
        Ok((!column.is_null(row)).then(|| column.value(row).to_owned()))
    }

    fn text(&self, name: &str, row: usize) -> Result<String, ExportError> {
        self.maybe(name, row)?.ok_or_else(|| fault(name, &format!("row {row} is null")))
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str, row: usize) -> Result<T, ExportError> {
        let text = self.text(name, row)?;
        text.parse().map_err(|_| fault(name, &format!("row {row}: {text:?} cannot be read")))
    }
}

fn fault(column: &str, reason: &str) -> ExportError {
    ExportError::Column { column: column.to_owned(), reason: reason.to_owned() }
}
