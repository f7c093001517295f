//! Goal: a question finds exactly what passes its conditions, and says how it was read and why each hit matched.
//! Method: a server with known events; conditions are recounted from the hits themselves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Running, START_US, ids, lines};
use serde_json::{Value, json};

fn ports(answer: &Value) -> Vec<u64> {
    let hits = answer["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["event"]["flow"]["dst_port"].as_u64().unwrap()).collect()
}

#[test]
fn conditions_in_words_are_exact_and_can_be_dropped() {
    let server = Running::new();
    server.ingest(lines(90));

    let answer = server.search(&json!({"query": "connections to port 22", "k": 100, "explain": true}));
    assert_eq!(answer["matching"], 30);
    assert_eq!(ports(&answer), vec![22; 30], "exactly the events that match, as many as match");
    let understood = &answer["understood"][0];
    assert!(understood["label"].as_str().unwrap().contains("22"), "{understood}");
    assert!(answer["plan"].is_object());
    let reasons = answer["hits"][0]["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason["kind"] == "condition"), "{reasons:?}");
    assert!(reasons.iter().all(|reason| !reason["text"].as_str().unwrap().is_empty()));

    let dropped = server.search(&json!({"query": "connections to port 22", "drop": [understood["text"]]}));
    assert_eq!(dropped["matching"], 90);
    assert_eq!(dropped["understood"][0]["dropped"], true);
    assert!(dropped.get("plan").is_none());
}

#[test]
fn a_filter_adds_to_the_words() {
    let server = Running::new();
    server.ingest(lines(90));
    let filter = json!({"and": [
        {"port": {"end": "dst", "from": 443, "to": 443}},
        {"not": {"time": {"from_us": START_US + 30_000_000, "to_us": null}}},
    ]});
    let answer = server.search(&json!({"query": "anything", "filter": filter, "k": 50}));
    assert_eq!(answer["matching"], 10);
    assert_eq!(ports(&answer), vec![443; 10]);
    let total: u64 = answer["timeline"].as_array().unwrap().iter().map(|bin| bin["events"].as_u64().unwrap()).sum();
    assert_eq!(total, 10, "the timeline counts what matches");
    assert_eq!(answer["facets"]["dst_ports"], json!([{"value": "443", "events": 10}]));
}

#[test]
fn no_words_give_the_newest_first() {
    let server = Running::new();
    server.ingest(lines(30));
    let answer = server.search(&json!({}));
    let hits = answer["hits"].as_array().unwrap();
    let starts: Vec<i64> = hits.iter().map(|hit| hit["event"]["start_us"].as_i64().unwrap()).collect();
    let newest: Vec<i64> = (20..30).rev().map(|i| START_US + i * 1_000_000).collect();
    assert_eq!(starts, newest);
    assert_eq!(answer["hits"][0]["similarity"], Value::Null);
}

#[test]
fn relative_times_are_seen_from_the_time_asked() {
    let server = Running::new();
    server.ingest(lines(60));
    let now_us = START_US + 3600 * 1_000_000;
    let answer = server.search(&json!({"query": "in the last 2 hours", "now_us": now_us}));
    assert_eq!(answer["matching"], 60, "{}", answer["understood"]);
    let answer = server.search(&json!({"query": "in the last 2 hours", "now_us": now_us + 86_400_000_000_i64}));
    assert_eq!(answer["matching"], 0, "{}", answer["understood"]);
}

#[test]
fn an_event_is_found_by_its_identifier_as_it_was_sent() {
    let server = Running::new();
    let (results, _) = server.ingest(lines(3));
    let id = results[1].event_id.as_deref().unwrap();
    let event: Value = server.get(&format!("/v1/events/{id}")).json().unwrap();
    assert_eq!(event["event_id"], id);
    assert_eq!(event["flow"]["dst_port"], 443);
    assert_eq!(event["features"]["sbytes"], 2000.0);
    assert_eq!(event["features"]["rate"], Value::Null);
    assert_eq!(event["features"].as_object().unwrap().len(), 83);
    assert!(ids(&server.search(&json!({}))).contains(&id.to_owned()));
}
