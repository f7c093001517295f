//! Goal: `forebay meter` and `forebay import` write every event and lose nothing that is none.
//!
//! Method: the built program on real files: the bundled capture, and its own lines with damage among them.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

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
    let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
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
    let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&summary["events"], &summary["rejected"]), (&Value::from(whole), &Value::from(2)));
    assert_eq!(fs_err::read_to_string(&out).unwrap(), events, "what was read is written again byte for byte");
    let letters: Vec<Value> =
        fs_err::read_to_string(&letters).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(letters.iter().map(|letter| letter["line"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 10]);
    assert_eq!(letters[1]["text"], "not JSON at all");
}

/// The bundled capture, cut in the middle.
fn cut(folder: &Path) -> PathBuf {
    let mut capture = fs_err::read(sample()).unwrap();
    capture.truncate(capture.len() / 2);
    let cut = folder.join("cut.pcap.gz");
    fs_err::write(&cut, capture).unwrap();
    cut
}

fn lines(bytes: &[u8]) -> usize {
    std::str::from_utf8(bytes).unwrap().lines().count()
}

fn error_of(run: &Output) -> String {
    String::from_utf8_lossy(&run.stderr).into_owned()
}

#[test]
fn an_input_that_is_damaged_leaves_no_output() {
    let folder = tempfile::tempdir().unwrap();
    let cut = cut(folder.path());
    let out = folder.path().join("events.jsonl");
    let run = forebay(&["meter", &text(&cut), "--out", &text(&out)]);
    assert!(!run.status.success());
    let error = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(error.contains("cut.pcap.gz") && error.contains("damaged at byte"), "{error}");
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1, "neither the file nor a part of it is left");
    assert_eq!(error.matches("cut.pcap.gz").count(), 1, "said once: {error}");
    assert!(error.contains("packets_read"), "what was read is counted: {error}");
}

#[test]
fn what_was_read_before_the_damage_reaches_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let cut = cut(folder.path());
    let run = forebay(&["meter", &text(&cut), "--json"]);
    assert_eq!(run.status.code(), Some(1));
    let error = error_of(&run);
    let summary: Value = serde_json::from_str(error.lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
    assert!(summary["events"].as_u64().unwrap() > 0);
    assert_eq!(summary["events"], lines(&run.stdout), "every event that is counted has arrived");
}

#[test]
fn keep_going_keeps_what_was_read_and_the_other_inputs_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let cut = cut(folder.path());
    let before = lines(&forebay(&["meter", &text(&cut)]).stdout);
    let whole = metered(folder.path());
    let out = folder.path().join("out.jsonl");
    let run = forebay(&["import", &text(&cut), &text(&whole), "--out", &text(&out), "--keep-going", "--json"]);
    assert_eq!(run.status.code(), Some(2), "{}", error_of(&run));
    let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert!(summary["damaged_inputs"][0][0].as_str().unwrap().ends_with("cut.pcap.gz"));
    assert!(summary["counters"]["packets_read"].as_u64().unwrap() > 0, "the damaged input's counters are there");
    let expected = before + lines(&fs_err::read(&whole).unwrap());
    assert_eq!(lines(&fs_err::read(&out).unwrap()), expected);
    assert_eq!(summary["events"], expected);
    assert!(error_of(&run).contains("1 input was damaged (of 2)"), "{}", error_of(&run));
}

#[test]
fn dead_letters_survive_a_damaged_input() {
    let folder = tempfile::tempdir().unwrap();
    let (bad, cut) = (folder.path().join("bad.jsonl"), cut(folder.path()));
    fs_err::write(&bad, "{\"schema_version\":\"1\"\n").unwrap();
    let (out, letters) = (folder.path().join("out.jsonl"), folder.path().join("letters.jsonl"));
    let run = forebay(&["import", &text(&bad), &text(&cut), "--out", &text(&out), "--dead-letter", &text(&letters)]);
    assert_eq!(run.status.code(), Some(1));
    assert!(!out.exists());
    assert_eq!(lines(&fs_err::read(&letters).unwrap()), 1);
    assert!(error_of(&run).contains("letters.jsonl"), "{}", error_of(&run));
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 3, "no part is left");
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let events = metered(folder.path());
    let before = fs_err::read(&events).unwrap();
    let link = folder.path().join("link.jsonl");
    fs_err::hard_link(&events, &link).unwrap();
    let new = folder.path().join("new.jsonl");
    for (out, letters) in [(&events, &new), (&link, &new), (&new, &events), (&new, &link), (&new, &new)] {
        let run = forebay(&["import", &text(&events), "--out", &text(out), "--dead-letter", &text(letters)]);
        assert!(!run.status.success() && error_of(&run).contains("the same file as"), "{}", error_of(&run));
        assert!(fs_err::read(&events).unwrap() == before && !new.exists());
    }
    let run = forebay(&["import", &text(&events), "--out", &text(folder.path())]);
    assert!(!run.status.success() && error_of(&run).contains("is a folder"), "{}", error_of(&run));
}

#[test]
fn that_nothing_was_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.jsonl");
    fs_err::write(&bad, "{\"schema_version\":\"1\"\n").unwrap();
    let run = forebay(&["import", &text(&bad), "--json"]);
    assert!(run.status.success() && run.stdout.is_empty(), "{}", error_of(&run));
    let error = error_of(&run);
    assert!(error.contains("no event was read (1 items were rejected)"), "{error}");
    let summary: Value = serde_json::from_str(error.lines().last().unwrap()).unwrap();
    assert_eq!(summary["rejected"], 1);
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

    let missing = forebay(&["import", &text(&folder.path().join("missing"))]);
    let error = error_of(&missing);
    assert!(!missing.status.success() && error.matches("missing").count() == 1, "named once: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
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
