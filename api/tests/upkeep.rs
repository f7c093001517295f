//! Goal: old events are dropped and copies made while the service runs, and neither can be used to reach anything else.
//! Method: events are stored, dropped and copied over HTTP; the copy is served by a second server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Running, START_US, lines};
use forebay_api::Settings;
use serde_json::{Value, json};

#[test]
fn old_events_go_by_whole_segments() {
    let server = Running::new();
    server.ingest(lines(5_000));
    // Closing writes so many events as a segment.
    let (_, dir) = server.stop();
    let index = dir.as_ref().unwrap().path().join("index");
    let server = Running::on(Settings::default(), &index);
    server.ingest(common::event(100_000, 80, 1.0).to_string());
    let delete = |query: &str| server.client.delete(server.url(&format!("/v1/events?{query}"))).send().unwrap();
    for wrong in ["", "before_us=soon", "before_us=1&also=2"] {
        assert_eq!(delete(wrong).status(), 400, "{wrong}");
    }
    let dropped: Value = delete(&format!("before_us={}", START_US + 4_999_000_000)).json().unwrap();
    assert_eq!(dropped["events"], 0, "the last event of the segment is not older");
    let dropped: Value = delete(&format!("before_us={}", START_US + 5_000_000_000)).json().unwrap();
    assert_eq!((&dropped["segments"], &dropped["events"]), (&json!(1), &json!(5_000)));
    let stats: Value = server.get("/v1/stats").json().unwrap();
    assert_eq!((&stats["events"], &stats["hot_events"], &stats["segments"]), (&json!(1), &json!(1), &json!(0)));
    let counted = server.get("/metrics").text().unwrap();
    assert!(counted.contains("forebay_index_counts_total{name=\"events_dropped\"} 5000"), "{counted}");
}

#[test]
fn a_copy_is_made_under_a_plain_name_and_can_be_served() {
    let copies = tempfile::tempdir().unwrap();
    let server = Running::with(Settings { copies: Some(copies.path().to_owned()), ..Settings::default() });
    server.ingest(lines(200));
    let copy = |server: &Running, body: &Value| server.post("/v1/copies", "application/json", body.to_string());
    let made: Value = copy(&server, &json!({"name": "index"})).json().unwrap();
    assert_eq!(made["path"], copies.path().join("index").display().to_string());
    for wrong in [json!({"name": "index"}), json!({"name": "../index2"}), json!({"name": ""}), json!({})] {
        assert_eq!(copy(&server, &wrong).status(), 400, "{wrong}");
    }
    assert_eq!(server.post("/v1/copies", "text/plain", "{}").status(), 415);
    server.ingest(common::event(900, 80, 1.0).to_string());
    let second = Running::on(Settings::default(), &copies.path().join("index"));
    assert_eq!(second.search(&json!({}))["matching"], 200);
    assert_eq!(server.search(&json!({}))["matching"], 201);
    // A server that was given no folder makes none.
    let refused = copy(&second, &json!({"name": "other"}));
    assert_eq!(refused.status(), 400);
    assert!(refused.text().unwrap().contains("serve.copies_dir"));
}
