//! Goal: `forebay meter` and `forebay import` write every event and lose nothing that is none.
//!
//! Method: the built program on real files: the bundled capture, and its own lines with damage among them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn forebay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forebay")).args(arguments).env("FOREBAY_LOG_LEVEL", "error").output().unwrap()
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/sample/traffic.pcap.gz")
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The events of the bundled capture, as lines.
fn metered(folder: &Path) -> PathBuf {
    let out = folder.join("events.jsonl");
    let run = forebay(&["meter", &text(&sample()), "--out", &text(&out), "--json"]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let summary: Value = serde_json::from_slice(&run.stderr).unwrap();
    let lines = fs_err::read_to_string(&out).unwrap().lines().count();
    assert_eq!(summary["events"], lines);
    assert_eq!(summary["counters"]["packets_accepted"], summary["counters"]["packets_read"]);
    out
}

#[test]
fn what_is_no_event_is_counted_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let events = fs_err::read_to_string(metered(folder.path())).unwrap();
    let whole = events.lines().count();
    let damaged = folder.path().join("damaged.jsonl");
    let mut lines: Vec<&str> = events.lines().collect();
    lines.insert(3, "{\"schema_version\":\"1\"");
    lines.insert(9, "not JSON at all");
    fs_err::write(&damaged, lines.join("\n")).unwrap();

    let out = folder.path().join("out.jsonl");
    let letters = folder.path().join("letters.jsonl");
    let run = forebay(&["import", &text(&damaged), "--out", &text(&out), "--dead-letter", &text(&letters), "--json"]);
    assert!(run.status.success());
    let summary: Value = serde_json::from_slice(&run.stderr).unwrap();
    assert_eq!((&summary["events"], &summary["rejected"]), (&Value::from(whole), &Value::from(2)));
    assert_eq!(fs_err::read_to_string(&out).unwrap(), events, "what was read is written again byte for byte");
    let letters: Vec<Value> =
        fs_err::read_to_string(&letters).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(letters.iter().map(|letter| letter["line"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 10]);
    assert_eq!(letters[1]["text"], "not JSON at all");
}

#[test]
fn an_input_that_is_damaged_leaves_no_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut capture = fs_err::read(sample()).unwrap();
    capture.truncate(capture.len() / 2);
    let cut = folder.path().join("cut.pcap.gz");
    fs_err::write(&cut, capture).unwrap();
    let out = folder.path().join("events.jsonl");
    let run = forebay(&["meter", &text(&cut), "--out", &text(&out)]);
    assert!(!run.status.success());
    let error = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(error.contains("cut.pcap.gz") && error.contains("damaged at byte"), "{error}");
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1, "neither the file nor a part of it is left");
}

#[test]
fn unknown_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs_err::write(&path, "buy milk\n").unwrap();
    let run = forebay(&["import", &text(&path)]);
    let error = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!run.status.success() && error.contains("notes.txt"), "{error}");
    assert!(run.stdout.is_empty());
}

#[test]
fn parquet_is_written_where_the_name_says_so_and_a_closed_pipe_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let events = metered(folder.path());
    let out = folder.path().join("events.parquet");
    assert!(forebay(&["import", &text(&events), "--out", &text(&out)]).status.success());
    assert_eq!(&fs_err::read(&out).unwrap()[..4], b"PAR1");

    let mut child = Command::new(env!("CARGO_BIN_EXE_forebay"))
        .args(["import", &text(&events)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
