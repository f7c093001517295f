//! Goal: the shards of `forebay embed --shard I/N` together hold every event of the whole, and no two the same; one that gets no
//! input is a finished output all the same, and each shard resumes and refuses as its own job.
//!
//! Method: the built program over files of the bundled capture's events, each file with identifiers of its own; the identifiers in
//! the parts are compared. Skipped, loudly, where there is no ONNX Runtime.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use arrow::array::{Array as _, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

const FILES: usize = 9;
const EVENTS_PER_FILE: usize = 40;

fn forebay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forebay")).args(arguments).env("FOREBAY_LOG_LEVEL", "error").output().unwrap()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Runs `embed`; none where there is no runtime to run it with.
fn embed(arguments: &[&str]) -> Option<Output> {
    let run = forebay(&[&["embed", "--no-index", "--json"], arguments].concat());
    if String::from_utf8_lossy(&run.stderr).contains("ONNX Runtime was not found") {
        eprintln!("SKIPPED: no ONNX Runtime; run `make setup`");
        return None;
    }
    Some(run)
}

/// Files with different events in a folder `in`.
fn write_files(folder: &Path) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/sample/traffic.pcap.gz");
    let lines = folder.join("sample.jsonl");
    assert!(forebay(&["meter", &text(&sample), "--out", &text(&lines)]).status.success());
    let lines = fs_err::read_to_string(lines).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    fs_err::create_dir(folder.join("in")).unwrap();
    for (number, lines) in lines.chunks(EVENTS_PER_FILE).take(FILES).enumerate() {
        fs_err::write(folder.join(format!("in/{number}.jsonl")), lines.join("\n")).unwrap();
    }
}

/// Every identifier in the parts of `out`, in order.
fn ids(out: &Path) -> Vec<String> {
    let manifest: Value = serde_json::from_slice(&fs_err::read(out.join("manifest.json")).unwrap()).unwrap();
    let mut ids = Vec::new();
    for part in manifest["parts"].as_array().unwrap() {
        let file = fs_err::File::open(out.join(part["file"].as_str().unwrap())).unwrap().into_parts().0;
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let column: &StringArray = batch.column_by_name("event_id").unwrap().as_any().downcast_ref().unwrap();
            ids.extend((0..column.len()).map(|row| column.value(row).to_owned()));
        }
    }
    ids
}

#[test]
fn the_shards_are_the_whole_and_do_not_overlap() {
    let dir = tempfile::tempdir().unwrap();
    write_files(dir.path());
    let (pattern, whole) = (text(&dir.path().join("in/*.jsonl")), dir.path().join("whole"));
    let Some(run) = embed(&[&pattern, "--out", &text(&whole)]) else { return };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let wanted = ids(&whole);
    assert_eq!(wanted.len(), FILES * EVENTS_PER_FILE);

    // More shards than files, so that some get none.
    for of in [1, 2, 3, 24] {
        let (mut union, mut rows, mut empty) = (BTreeSet::new(), 0, 0);
        for place in 0..of {
            let (shard, out) = (format!("{place}/{of}"), dir.path().join(format!("out-{place}-of-{of}")));
            let run = embed(&[&pattern, "--shard", &shard, "--out", &text(&out)]).unwrap();
            assert!(run.status.success(), "{shard}: {}", String::from_utf8_lossy(&run.stderr));
            let ids = ids(&out);
            (rows, empty) = (rows + ids.len(), empty + usize::from(ids.is_empty()));
            union.extend(ids);
        }
        assert_eq!(rows, wanted.len(), "nothing twice among {of} shards");
        assert_eq!(union, wanted.iter().cloned().collect(), "nothing missing among {of} shards");
        assert!(of < 24 || empty >= 24 - FILES);
    }
    let other = embed(&[&pattern, "--shard", "1/2", "--out", &text(&dir.path().join("out-0-of-2"))]).unwrap();
    let error = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!other.status.success() && error.contains("belongs to another job"), "{error}");
}

#[test]
fn standard_input_has_no_shards() {
    let dir = tempfile::tempdir().unwrap();
    let out: PathBuf = dir.path().join("out");
    let Some(run) = embed(&["-", "--shard", "0/2", "--out", &text(&out)]) else { return };
    assert!(!run.status.success() && String::from_utf8_lossy(&run.stderr).contains("cannot be shared"));
    let run = embed(&["x", "--shard", "2/2", "--out", &text(&out)]).unwrap();
    assert!(!run.status.success() && String::from_utf8_lossy(&run.stderr).contains("1/2"));
}
