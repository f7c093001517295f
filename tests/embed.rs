//! Goal: `forebay embed` never mixes two rules, leaves nothing where nothing was done, and says what it left out.
//!
//! Method: the built program on the bundled capture, whole and cut. Skipped, loudly, where there is no ONNX Runtime.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

fn error_of(run: &Output) -> String {
    String::from_utf8_lossy(&run.stderr).into_owned()
}

/// Runs `embed`; none where there is no runtime to run it with.
fn embed(arguments: &[&str]) -> Option<Output> {
    let run = forebay(&[&["embed"], arguments].concat());
    if error_of(&run).contains("ONNX Runtime was not found") {
        eprintln!("SKIPPED: no ONNX Runtime; run `make setup`");
        return None;
    }
    Some(run)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn other_settings_of_the_meter_are_another_job() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (text(&sample()), text(&folder.path().join("out")));
    let Some(run) = embed(&[&input, "--out", &out, "--no-index"]) else { return };
    assert!(run.status.success(), "{}", error_of(&run));
    let run = embed(&[&input, "--out", &out, "--no-index", "--meter-idle-timeout-s", "7"]).unwrap();
    let error = error_of(&run);
    assert!(!run.status.success(), "{error}");
    assert!(error.contains("there meter.idle_timeout_s = 120, now meter.idle_timeout_s = 7"), "{error}");
    let run = embed(&[&input, "--out", &out, "--no-index"]).unwrap();
    assert!(run.status.success() && error_of(&run).contains("there already"), "{}", error_of(&run));
}

#[test]
fn a_damaged_input_is_counted_named_and_told_by_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut capture = fs_err::read(sample()).unwrap();
    capture.truncate(capture.len() / 2);
    let (cut, out) = (folder.path().join("cut.pcap.gz"), folder.path().join("out"));
    fs_err::write(&cut, capture).unwrap();
    let arguments = [&text(&cut), "--out", &text(&out), "--no-index", "--json", "--keep-going"];
    for already in [false, true] {
        let Some(run) = embed(&arguments) else { return };
        assert_eq!(run.status.code(), Some(2), "{}", error_of(&run));
        let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!((&summary["complete"], &summary["already"]), (&Value::from(true), &Value::from(already)));
        assert!(summary["events"].as_u64().unwrap() > 0);
        assert!(summary["source_counters"]["packets_read"].as_u64().unwrap() > 0, "{summary}");
        assert!(error_of(&run).contains("1 input was damaged (of 1)"), "{}", error_of(&run));
    }
}

#[test]
fn an_input_of_no_known_format_leaves_nothing_and_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let (notes, out) = (folder.path().join("notes.txt"), folder.path().join("out"));
    fs_err::write(&notes, "buy milk\n").unwrap();
    let Some(run) = embed(&[&text(&notes), "--out", &text(&out)]) else { return };
    let error = error_of(&run);
    assert_eq!(run.status.code(), Some(1), "{error}");
    assert_eq!(error.matches("notes.txt").count(), 1, "{error}");
    assert!(!error.contains("incomplete"), "{error}");
    assert_eq!(names(folder.path()), ["notes.txt"]);
}

#[test]
fn an_index_that_cannot_be_opened_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (index, out) = (folder.path().join("index"), folder.path().join("out"));
    fs_err::write(&index, "a file, not a folder").unwrap();
    let Some(run) = embed(&[&text(&sample()), "--out", &text(&out), "--index", &text(&index)]) else { return };
    assert_eq!(run.status.code(), Some(1), "{}", error_of(&run));
    assert!(!error_of(&run).contains("incomplete"), "{}", error_of(&run));
    assert_eq!(names(folder.path()), ["index"]);
}
