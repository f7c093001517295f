//! Goal: load and slowness of some clients do not become the trouble of the others.
//! Method: no room for a search, a time limit that cannot be kept, a body that never comes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use common::{Running, lines};
use forebay_api::Settings;
use serde_json::{Value, json};

#[test]
fn a_search_too_many_is_told_when_to_come_back() {
    let server = Running::with(Settings { concurrent_max: 1, ..Settings::default() });
    server.ingest(lines(3000));
    // Many at once, until one finds the only place taken.
    let turned_away = (0..50).find_map(|_| {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let ask = || server.try_search(&json!({"query": "who was guessing passwords", "k": 200}));
            let running: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status().as_u16())));
        assert!(answers.iter().any(|answer| answer.status() == 200), "one is always served");
        answers.into_iter().find(|answer| answer.status() == 429)
    });
    assert_eq!(turned_away.expect("one was turned away").headers()["retry-after"], "1");
    assert_eq!(server.try_search(&json!({})).status(), 200, "and may come back");
    let counted = server.get("/metrics").text().unwrap();
    let none = "forebay_http_requests_rejected_total{reason=\"too-many-requests\"} 0";
    assert!(counted.contains("{reason=\"too-many-requests\"}") && !counted.contains(none), "it is counted");
}

#[test]
fn what_takes_too_long_is_given_up() {
    let server = Running::with(Settings { timeout: Duration::from_millis(300), ..Settings::default() });
    let mut slow = TcpStream::connect(server.address).unwrap();
    let head = "POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
                Connection: close\r\n\r\n{";
    slow.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut slow, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("/problems/body-too-slow"), "{answer}");
}

#[test]
fn a_search_over_its_time_is_a_problem_and_not_a_hang() {
    let server = Running::with(Settings { timeout: Duration::ZERO, ..Settings::default() });
    server.ingest(lines(3000));
    // A body that is there at once is read even in no time; a thousand hits are not found and written in it.
    let response = server.try_search(&json!({"query": "anything", "k": 1000}));
    assert!([408, 503].contains(&response.status().as_u16()));
    let kind = response.json::<Value>().unwrap()["type"].clone();
    assert!(kind == "/problems/timed-out" || kind == "/problems/body-too-slow", "{kind}");
}
