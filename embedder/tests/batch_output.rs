//! Goal: the batch job turns inputs with good and bad lines into files that are true to them and that others can read.
//! Method: generated JSON lines through the built-in model; everything written is read back.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use arrow::array::{Array, FixedSizeListArray, Float32Array};
use arrow::record_batch::RecordBatch;
use forebay_embedder::batch::{BatchError, Job, Manifest, NoObserver, OpenSink, Options, Summary, run};
use forebay_embedder::{Embedder as _, EventEmbedder, Model, Precision};
use forebay_event::Event;
use forebay_event::export::from_record_batch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use support::{jsonl_input, write_jsonl};

const OPTIONS: Options = Options {
    precision: Precision::Auto,
    workers: 3,
    batch_events: 64,
    part_events: 256,
    npy: true,
    keep_going: false,
    source_settings: String::new(),
};

fn embed(inputs: &[&Path], out: &Path, options: Options) -> Result<Summary, BatchError> {
    let model = Model::builtin_event().unwrap();
    let inputs = inputs.iter().map(|path| jsonl_input(path)).collect();
    let job = Job { inputs, out: out.to_owned(), model: &model, options, sink: None };
    run(job, &AtomicBool::new(false), &mut NoObserver)
}

fn rows(out: &Path, manifest: &Manifest) -> Vec<RecordBatch> {
    let parts = manifest.parts.iter().map(|part| fs_err::File::open(out.join(&part.file)).unwrap().into_parts().0);
    parts
        .flat_map(|file| ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap())
        .map(Result::unwrap)
        .collect()
}

fn column<'b, A: Array + 'static>(batch: &'b RecordBatch, name: &str) -> &'b A {
    batch.column_by_name(name).unwrap().as_any().downcast_ref().unwrap()
}

/// Checks that the parts hold `events` and their vectors, in order.
fn assert_holds(out: &Path, manifest: &Manifest, events: &[Event]) {
    let mut embedder = EventEmbedder::load(&Model::builtin_event().unwrap(), Precision::Auto).unwrap();
    let mut place = 0;
    for batch in rows(out, manifest) {
        let vectors: &FixedSizeListArray = column(&batch, "vector");
        for (row, found) in from_record_batch(&batch).unwrap().into_iter().enumerate() {
            let event = &events[place];
            assert!(found.features.same(&event.features));
            assert_eq!((found.event_id, &found.flow, &found.app), (event.event_id, &event.flow, &event.app));
            if place.is_multiple_of(37) {
                let list = vectors.value(row);
                let found = list.as_any().downcast_ref::<Float32Array>().unwrap().values();
                let mut wanted = Vec::new();
                embedder.embed(&[event], &mut wanted).unwrap();
                assert!(support::cosine(found, &wanted) > 0.999_99);
            }
            place += 1;
        }
    }
    assert_eq!(place, events.len());
}

#[test]
fn every_good_line_becomes_a_row_and_every_bad_one_a_dead_letter() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second, out) = (dir.path().join("a.jsonl"), dir.path().join("b.jsonl"), dir.path().join("out"));
    let mut events = write_jsonl(&first, 700, 50, 11);
    events.extend(write_jsonl(&second, 301, 100, 12));
    let summary = embed(&[&first, &second], &out, OPTIONS).unwrap();

    assert!(summary.complete);
    assert_eq!((summary.events, summary.rejected_sum), (1001, 14 + 3));
    assert_eq!(summary.source_counters["lines_read"], 1001 + 17);
    assert_eq!(summary.bytes_read, fs_err::metadata(&first).unwrap().len() + fs_err::metadata(&second).unwrap().len());
    assert!(!dir.path().join("out.incomplete").exists());

    let manifest = Manifest::read(&out).unwrap().unwrap();
    assert!(manifest.complete && manifest.parts.len() == 4);
    assert_eq!(manifest.parts.iter().map(|part| part.rows).sum::<u64>(), 1001);
    assert_holds(&out, &manifest, &events);
    assert_dead_letters(&out, &first);
    assert_npy(&out, &manifest);
}

fn assert_dead_letters(out: &Path, first: &Path) {
    let text = fs_err::read_to_string(out.join("dead-letters.jsonl")).unwrap();
    let letters: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(letters.len(), 17);
    assert_eq!(letters[0]["source"], first.display().to_string());
    assert_eq!(letters[0]["line"], 51);
    assert_eq!(letters[0]["text"], "{\"broken\": 49");
    assert_eq!(letters[0]["bytes"], "eyJicm9rZW4iOiA0OQ==");
    assert!(!letters[0]["reason"].as_str().unwrap().is_empty());
}

/// The `.npy` holds exactly the vectors of the parts.
fn assert_npy(out: &Path, manifest: &Manifest) {
    let bytes = fs_err::read(out.join("vectors.npy")).unwrap();
    let header = String::from_utf8_lossy(&bytes[10..128]).into_owned();
    assert!(header.contains("'<f4'") && header.contains("(1001, 256)"), "{header}");
    let npy: Vec<f32> = bytes[128..].chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let mut parquet: Vec<f32> = Vec::new();
    for batch in rows(out, manifest) {
        let list: &FixedSizeListArray = column(&batch, "vector");
        parquet.extend(list.values().as_any().downcast_ref::<Float32Array>().unwrap().values());
    }
    assert_eq!(npy, parquet);
}

#[test]
fn the_order_does_not_depend_on_the_workers() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("a.jsonl");
    write_jsonl(&input, 500, 40, 13);
    let (one, many) = (dir.path().join("one"), dir.path().join("many"));
    embed(&[&input], &one, Options { workers: 1, ..OPTIONS }).unwrap();
    embed(&[&input], &many, Options { workers: 5, ..OPTIONS }).unwrap();
    for file in ["vectors.npy", "dead-letters.jsonl", "part-00000.parquet"] {
        assert_eq!(fs_err::read(one.join(file)).unwrap(), fs_err::read(many.join(file)).unwrap(), "{file}");
    }
}

#[test]
fn no_events_give_a_part_with_a_schema() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("a.jsonl"), dir.path().join("out"));
    fs_err::write(&input, "nonsense\n".repeat(3000)).unwrap();
    let summary = embed(&[&input], &out, OPTIONS).unwrap();
    assert_eq!((summary.events, summary.rejected_sum, summary.parts), (0, 3000, 1));
    let file = fs_err::File::open(out.join("part-00000.parquet")).unwrap().into_parts().0;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert!(builder.schema().column_with_name("vector").is_some());
}

#[test]
fn a_damaged_input_ends_the_job_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second, out) = (dir.path().join("a.jsonl"), dir.path().join("b.jsonl"), dir.path().join("out"));
    let mut events = write_jsonl(&first, 100, 1000, 14);
    let mut text = fs_err::read_to_string(&first).unwrap();
    text.push_str("DAMAGED\n");
    fs_err::write(&first, text).unwrap();
    events.extend(write_jsonl(&second, 50, 1000, 15));

    let error = embed(&[&first, &second], &out, OPTIONS).unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    assert!(!out.exists() && dir.path().join("out.incomplete").exists());

    let summary = embed(&[&first, &second], &out, Options { keep_going: true, ..OPTIONS }).unwrap();
    assert_eq!(summary.events, 150);
    assert_eq!(summary.source_counters["lines_read"], 101 + 50, "counters of the damaged input too");
    let (name, reason) = &summary.damaged_inputs[0];
    assert!(reason.contains("cut off") && !reason.contains(name.as_str()), "{reason}");
    assert_holds(&out, &Manifest::read(&out).unwrap().unwrap(), &events);
}

#[test]
fn a_job_that_committed_nothing_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("a.jsonl"), dir.path().join("out"));
    fs_err::write(&input, "DAMAGED\n").unwrap();
    let error = embed(&[&input], &out, OPTIONS).unwrap_err();
    assert!(std::error::Error::source(&error).is_none(), "the message would be printed twice");
    assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 1, "only the input is there");

    let model = Model::builtin_event().unwrap();
    let open: Box<OpenSink<'_>> = Box::new(|_| Err("locked".into()));
    let sink = Some(("index".to_owned(), open));
    let job = Job { inputs: vec![jsonl_input(&input)], out, model: &model, options: OPTIONS, sink };
    let error = run(job, &AtomicBool::new(false), &mut NoObserver).unwrap_err();
    assert!(error.to_string().contains("locked"), "{error}");
    assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 1, "only the input is there");
}
