//! Goal: the metrics are well formed and count what happens.
//! Method: read the text as Prometheus does; use `promtool` too where it is installed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use common::{Running, lines};
use serde_json::json;

fn used() -> String {
    let server = Running::new();
    server.ingest(format!("{}broken\n", lines(5)));
    server.search(&json!({"query": "ssh"}));
    server.search(&json!({}));
    server.get("/nowhere");
    server.get("/metrics").text().unwrap()
}

#[test]
fn every_series_has_help_type_and_a_number_and_counts() {
    let text = used();
    let mut families: BTreeMap<&str, [bool; 2]> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.split(' ');
            let (kind, name) = (words.next().unwrap(), words.next().unwrap());
            families.entry(name).or_default()[usize::from(kind == "TYPE")] = true;
            assert!(words.next().is_some(), "{line}");
            continue;
        }
        let name = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .filter(|f| families.contains_key(f));
        assert_eq!(families.get(family.unwrap_or(name)), Some(&[true, true]), "{line} has no help or no type");
        assert!(name.starts_with("forebay_"), "{line}");
        assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
    }
    for expected in [
        "forebay_ingest_events_total{status=\"stored\"} 5",
        "forebay_ingest_lines_rejected_total{reason=\"not_an_event\"} 1",
        "forebay_ingest_streams_total{reason=\"complete\"} 1",
        "forebay_search_fallbacks_total{reason=\"no_words\"}",
        "forebay_http_requests_rejected_total{reason=\"route-not-found\"} 1",
        "forebay_http_requests_total{route=\"/v1/search\",method=\"POST\",status=\"200\"} 2",
        "forebay_http_request_duration_seconds_bucket{route=\"/v1/search\",le=\"+Inf\"} 2",
        "forebay_index_events 5",
        "forebay_ready 1",
    ] {
        assert!(text.contains(expected), "{expected} is missing from\n{text}");
    }
}

#[test]
fn promtool_finds_no_fault() {
    let started =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut promtool) = started else {
        eprintln!(
            "SKIPPED: promtool is not installed (apt-get install prometheus); the metrics are checked without it"
        );
        return;
    };
    promtool.stdin.take().unwrap().write_all(used().as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
