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

/// A line of the sample as an event of its own.
fn renamed(line: &str, digit: &str) -> String {
    let mut event: Value = serde_json::from_str(line).unwrap();
    let id = event["event_id"].as_str().unwrap().to_owned();
    event["event_id"] = format!("{digit}{}", &id[1..]).into();
    format!("{event}\n")
}

/// The engines of the segments in the index below `data`.
fn engines(data: &Path) -> Vec<String> {
    let run = forebay(&["index", "stats", "--json", "--data-dir", &text(data)]);
    assert!(run.status.success(), "{}", error_of(&run));
    let stats: Value = serde_json::from_slice(&run.stdout).unwrap();
    let segments = stats["segments"].as_array().unwrap();
    segments.iter().map(|segment| segment["engine"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_index_gets_the_engine_that_flag_environment_or_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| text(&folder.path().join(name));
    assert!(forebay(&["meter", &text(&sample()), "--out", &at("all.jsonl")]).status.success());
    let all = fs_err::read_to_string(at("all.jsonl")).unwrap();
    // Twice the sample is enough to become a segment at once, and too little for an engine unless it is said.
    for (name, digits) in [("a.jsonl", ["1", "2"]), ("b.jsonl", ["3", "4"])] {
        let lines: String = digits.iter().flat_map(|digit| all.lines().map(move |line| renamed(line, digit))).collect();
        assert!((4_096..8_192).contains(&lines.lines().count()));
        fs_err::write(at(name), lines).unwrap();
    }
    let index = at("index");
    let from_one = ["--index-engine-from", "1"];
    let Some(run) = embed(&[&[&at("a.jsonl"), "--out", &at("a"), "--index", &index], &from_one[..]].concat()) else {
        return;
    };
    assert!(run.status.success(), "{}", error_of(&run));
    assert_eq!(engines(folder.path()), ["cells"], "by a flag");

    let run = Command::new(env!("CARGO_BIN_EXE_forebay"))
        .args(["embed", &at("b.jsonl"), "--out", &at("b"), "--index", &index])
        .envs([("FOREBAY_INDEX_ENGINE", "flat"), ("FOREBAY_INDEX_ENGINE_FROM", "1")])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", error_of(&run));
    assert_eq!(engines(folder.path()), ["cells", "flat"], "by the environment");

    // Too few to become a segment by themselves: they wait in the log, and pruning makes them one first.
    let few: Vec<String> = all.lines().take(200).map(|line| renamed(line, "5")).collect();
    fs_err::write(at("few.jsonl"), few.concat()).unwrap();
    let run = embed(&[&at("few.jsonl"), "--out", &at("few"), "--index", &index]).unwrap();
    assert!(run.status.success(), "{}", error_of(&run));
    assert_eq!(engines(folder.path()), ["cells", "flat"]);
    fs_err::write(at("forebay.toml"), "[index]\nengine_from = 100\n").unwrap();
    let before = ["index", "prune", "--before", "1970-01-01T00:00:00Z", "--data-dir", &text(folder.path())];
    let run = forebay(&[&before[..], &["--config", &at("forebay.toml")]].concat());
    assert!(run.status.success(), "{}", error_of(&run));
    assert_eq!(engines(folder.path()), ["cells", "flat", "cells"], "by the file");

    for arguments in
        [&["index", "stats", "--data-dir", &text(folder.path())][..], &["embed", &at("a.jsonl"), "--out", &at("c")]]
    {
        let run = forebay(&[arguments, &["--index-engine", "hnsw@m=1"]].concat());
        let error = error_of(&run);
        assert_eq!(run.status.code(), Some(1), "{error}");
        assert!(error.contains("index.engine: ") && error.contains("m (4 to 128)"), "{error}");
    }
    assert!(!folder.path().join("c").exists());
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
