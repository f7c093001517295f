//! Goal: `forebay capture` gives the live flows of an interface as lines, ends cleanly at its time and at Ctrl-C, and its books balance.
//!
//! Method: the built program on the loopback while this test sends datagrams through it. Needs root; says so where it does not run.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// None, loudly, where the program may not meter here.
fn capture(arguments: &[&str]) -> Option<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    command.args(["capture", "--interface", "lo"]).args(arguments).env("FOREBAY_LOG_LEVEL", "error");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    if !first.contains("metering lo by") {
        assert!(first.contains("missing CAP_") || first.contains("the kernel"), "{first}");
        eprintln!("SKIPPED: nothing can be metered here: {first}");
        child.wait().unwrap();
        return None;
    }
    // What is said later must not find the pipe full.
    std::thread::spawn(move || lines.count());
    Some(child)
}

/// Five datagrams to a port that nobody listens on.
fn send(port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..5 {
        // Where nobody listens, a send may be told of the one before; it is sent all the same the next time.
        let _ = socket.send_to(b"0123456789", ("127.0.0.1", port));
    }
}

fn flows_of(lines: &str, port: u16) -> Vec<Value> {
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["flow"]["dst_port"] == port).collect()
}

fn ended(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output
}

#[test]
fn a_capture_ends_at_its_time_with_balanced_books() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("flows.jsonl");
    let name = out.to_str().unwrap();
    let Some(child) = capture(&["--seconds", "2", "--output", name, "--json"]) else { return };
    send(30_113);
    let summary: Value = serde_json::from_slice(&ended(child).stdout).unwrap();
    assert_eq!(summary["balanced"], true, "{summary}");
    let lines = fs_err::read_to_string(Path::new(name)).unwrap();
    assert_eq!(summary["counters"]["events_written"], lines.lines().count());
    let flows = flows_of(&lines, 30_113);
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0]["interface"], "lo");
    assert!(flows[0]["features"]["spkts"].as_f64().unwrap() >= 3.0, "{}", flows[0]);
}

#[test]
fn ctrl_c_gives_the_open_flows() {
    let Some(child) = capture(&[]) else { return };
    send(30_114);
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let lines = String::from_utf8(ended(child).stdout).unwrap();
    assert_eq!(flows_of(&lines, 30_114).len(), 1);
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    let run = command.args(["capture", "--interface", "no-such-if"]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1));
    assert!(said.contains("interface no-such-if: ") || said.contains("missing CAP_"), "{said}");
}
