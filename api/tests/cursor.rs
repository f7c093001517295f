//! Goal: pages of one question give every hit once, whatever is added meanwhile and however the clock moves.
//! Method: page through with small pages while storing more events; compare with one large page taken first.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Running, START_US, event, ids, lines};
use serde_json::{Value, json};

fn pages(server: &Running, mut request: Value, between: impl Fn(usize)) -> Vec<String> {
    let mut all = Vec::new();
    for page in 0..100 {
        let answer = server.search(&request);
        all.extend(ids(&answer));
        let Some(cursor) = answer["cursor"].as_str() else { return all };
        request["cursor"] = json!(cursor);
        between(page);
    }
    panic!("the pages do not end");
}

#[test]
fn pages_have_no_repeats_and_no_gaps_while_events_are_added() {
    let server = Running::new();
    server.ingest(lines(100));
    for query in ["something unusual", ""] {
        let whole = ids(&server.search(&json!({"query": query, "k": 1000})));
        let paged = pages(&server, json!({"query": query, "k": 7}), |page| {
            server.ingest(event(10_000 + page as i64 + query.len() as i64 * 100, 443, 5e6).to_string());
        });
        assert_eq!(paged, whole, "{query:?}");
        assert!(whole.len() >= 100);
    }
}

#[test]
fn the_last_hour_stays_the_same_hour_from_page_to_page() {
    let server = Running::new();
    let now_us = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
    let back = (now_us - START_US) / 1_000_000 - 60;
    let lines: String = (0..20).map(|i| event(back + i, 22, 1000.0).to_string() + "\n").collect();
    server.ingest(lines);
    let paged = pages(&server, json!({"query": "in the last hour", "k": 6}), |_| {});
    assert_eq!(paged.len(), 20);
}

#[test]
fn a_cursor_of_another_question_is_refused() {
    let server = Running::new();
    server.ingest(lines(30));
    let answer = server.search(&json!({"query": "port 22", "k": 2}));
    let response = server.try_search(&json!({"query": "port 443", "k": 2, "cursor": answer["cursor"]}));
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().unwrap()["type"], "/problems/invalid-cursor");
}
