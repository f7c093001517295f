//! Promise: Parquet and JSON lines hold an event whole, and a `RAGLogger` line holds what that format can.
//!
//! Method: arbitrary valid events out and in again; a table with a missing or wrong column is refused by name; row groups
//! stay within their bound.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::io::{Cursor, Read, Write};
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use forebay_event::export::{
    self, ExportError, ParquetWriter, Target, arrow_schema, from_record_batch, to_record_batch,
};
use forebay_event::feature as f;
use forebay_event::source::Item;
use forebay_event::{Event, EventId, FEATURE_COUNT, Features, Scores, Verdict, import};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;

/// Bytes that can be looked at after the sink is gone.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(target: Target, events: &[Event]) -> Vec<u8> {
    let out = Shared::default();
    let mut sink = export::open(target, Box::new(out.clone())).unwrap();
    for event in events {
        sink.write(event).unwrap();
    }
    sink.finish().unwrap();
    std::mem::take(&mut *out.0.lock().unwrap())
}

fn read_lines(bytes: Vec<u8>) -> Vec<Event> {
    let mut source = import::open_reader("test", Box::new(Cursor::new(bytes)), None).unwrap();
    let (mut event, mut events) = (Event::default(), Vec::new());
    loop {
        match source.read(&mut event).unwrap() {
            Item::Event => events.push(event.clone()),
            Item::Rejected(rejection) => panic!("{rejection:?}"),
            Item::End => return events,
        }
    }
}

fn read_parquet(bytes: &[u8]) -> Vec<Event> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.flat_map(|batch| from_record_batch(&batch.unwrap()).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tables_and_files_hold_events_whole(events in prop::collection::vec(support::event(), 0..20)) {
        let back = from_record_batch(&to_record_batch(&events).unwrap()).unwrap();
        prop_assert_eq!(back.len(), events.len());
        prop_assert!(events.iter().zip(&back).all(|(a, b)| support::same(a, b)));
        let back = read_parquet(&written(Target::Parquet, &events));
        prop_assert_eq!(back.len(), events.len());
        prop_assert!(events.iter().zip(&back).all(|(a, b)| support::same(a, b)));
    }

    #[test]
    fn lines_hold_events_whole(events in prop::collection::vec(support::event(), 1..20)) {
        let back = read_lines(written(Target::Jsonl, &events));
        prop_assert_eq!(back.len(), events.len());
        prop_assert!(events.iter().zip(&back).all(|(a, b)| support::same(a, b)));
    }
}

/// An event of which the `RAGLogger` format can hold everything that is known.
fn representable() -> Event {
    let mut event = Event { start_us: 1_714_979_289_000_000, end_us: 1_714_979_289_250_000, ..Event::default() };
    event.event_id = EventId::derive(event.start_us, &[b"r"]);
    (event.node_id, event.sensor, event.interface) = ("node-1".into(), "lab \"a\"".into(), "eth0".into());
    event.flow.src_ip = "2001:db8::1".parse().unwrap();
    event.flow.dst_ip = "2001:db8::2".parse().unwrap();
    (event.flow.src_port, event.flow.dst_port, event.flow.protocol) = (40000, 443, 6);
    event.flow.community_id = forebay_event::community::community_id(&event.flow);
    event.scores = Scores { fast: Some(0.1), ml: Some(0.9), r#final: Some(0.9), divergence: Some(0.8) };
    event.class.verdict = Some(Verdict::Suspicious);
    event.class.family = Some("port_scan".to_owned());
    event.label.truth = Some("scan".to_owned());
    event.label.validated = true;
    let known = [
        (f::DURATION, 250_000.0),
        (f::SPKTS, 3.0),
        (f::DPKTS, 2.0),
        (f::SBYTES, 300.0),
        (f::DBYTES, 1500.0),
        (f::SYN_FLAG_COUNT, 2.0),
        (f::ACK_FLAG_COUNT, 4.0),
        (f::FIN_FLAG_COUNT, 0.0),
        (f::RST_FLAG_COUNT, 0.0),
        (f::PSH_FLAG_COUNT, 1.0),
        (f::FLOW_IAT_MEAN, 62_500.0),
        (f::FLOW_IAT_STD, 1.0 / 3.0),
        (f::FWD_IAT_MEAN, 125_000.0),
    ];
    for (place, value) in known {
        event.features.0[place] = value;
    }
    event
}

#[test]
fn a_raglogger_line_comes_back_with_what_the_format_holds() {
    let event = representable();
    let line = written(Target::RagLogger, std::slice::from_ref(&event));
    let tree: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(leaves(&tree), 56);
    let back = read_lines(line).remove(0);
    for (place, value) in event.features.0.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
        assert_eq!(back.features.0[place], *value, "{}", forebay_event::FEATURE_NAMES[place]);
    }
    assert!(back.features.known(f::BWD_IAT_MEAN).is_none(), "unknown stays unknown");
    let plain =
        |event: &Event| Event { features: Features([0.0; FEATURE_COUNT]), event_id: EventId::NIL, ..event.clone() };
    assert_eq!(plain(&back), plain(&event));
}

fn leaves(tree: &serde_json::Value) -> usize {
    match tree {
        serde_json::Value::Object(members) => members.values().map(leaves).sum(),
        _ => 1,
    }
}

#[test]
fn a_table_that_is_none_of_events_is_refused_by_column() {
    let table = to_record_batch(&[representable()]).unwrap();
    let place = table.schema().index_of("src_ip").unwrap();
    let kept: Vec<_> = (0..table.num_columns()).filter(|column| *column != place).collect();
    let refused = from_record_batch(&table.project(&kept).unwrap());
    assert!(matches!(refused, Err(ExportError::Column { column, .. }) if column == "src_ip"));

    let renamed = arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new(
        "duration",
        arrow::datatypes::DataType::Utf8,
        true,
    )]);
    let wrong = RecordBatch::new_empty(Arc::new(renamed));
    assert!(matches!(from_record_batch(&wrong), Err(ExportError::Column { column, .. }) if column == "duration"));
}

#[test]
fn row_groups_are_bounded_and_the_schema_is_fixed() {
    let events: Vec<Event> = (0..export::parquet::ROW_GROUP_EVENTS as u64 + 10)
        .map(|number| Event { event_id: EventId::derive(0, &[&number.to_le_bytes()]), ..Event::default() })
        .collect();
    let mut writer = ParquetWriter::new(Vec::new()).unwrap();
    writer.write_all(&events).unwrap();
    let bytes = writer.into_inner().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows: Vec<_> =
        reader.metadata().row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [export::parquet::ROW_GROUP_EVENTS as i64, 10]);
    assert_eq!(arrow_schema().fields().len(), 29 + FEATURE_COUNT);
    let mut magic = [0; 4];
    bytes.as_slice().read_exact(&mut magic).unwrap();
    assert_eq!(&magic, b"PAR1");
}
