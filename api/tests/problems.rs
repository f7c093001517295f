//! Goal: every error is problem details with its type, title, status, detail and instance, and no internal text.
//! Method: provoke each kind that a client can provoke.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use common::Running;
use flate2::{Compression, write::GzEncoder};
use forebay_api::{KINDS, Problem};
use reqwest::blocking::Response;
use serde_json::{Value, json};

/// The problem of a response, after checking its form.
fn problem(response: Response) -> Problem {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{status}");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Problem = response.json().unwrap();
    assert_eq!(problem.status, status);
    assert_eq!(problem.instance, format!("urn:uuid:{id}"));
    assert!(!problem.detail.is_empty() && !problem.title.is_empty());
    problem
}

/// A question that would be good, with gzip around it.
fn compressed(server: &Running) -> Response {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"{}").unwrap();
    let post = server.client.post(server.url("/v1/search")).header("content-type", "application/json");
    post.header("content-encoding", "gzip").body(gzip.finish().unwrap()).send().unwrap()
}

#[test]
fn every_fault_of_a_client_has_its_own_problem() {
    let server = Running::new();
    let json = "application/json";
    let search = |body: &str| server.post("/v1/search", json, body);
    let ask = |request: Value| server.try_search(&request);
    let mut deep = json!({"protocol": 6});
    for _ in 0..20 {
        deep = json!({"not": deep});
    }
    let wide = json!({"or": vec![json!({"protocol": 6}); 300]});
    let cases: Vec<(&str, Response)> = vec![
        ("invalid-request", search("{")),
        ("invalid-request", search("[]")),
        ("invalid-request", search("[\"any question\", null, 5]")),
        ("invalid-request", search(r#"{"query": 5}"#)),
        ("invalid-request", search(r#"{"questoin": "x"}"#)),
        ("invalid-request", search(r#"{"filter": {"port": {"end": "up", "from": 1, "to": 2}}}"#)),
        ("invalid-request", search(&format!("{{\"filter\": {}1{}}}", "{\"not\":".repeat(5000), "}".repeat(5000)))),
        ("invalid-request", ask(json!({"query": "x", "time_zone": "Atlantis/Capital"}))),
        ("invalid-request", ask(json!({"filter": {"service": "sssh"}}))),
        ("invalid-request", server.get("/v1/events/not-a-uuid")),
        ("invalid-request", server.get("/v1/events/%FF")),
        ("invalid-request", server.post("/v1/events?results=some", "application/x-ndjson", "{}")),
        ("limit-exceeded", ask(json!({"query": "x".repeat(2001)}))),
        ("limit-exceeded", ask(json!({"k": 0}))),
        ("limit-exceeded", ask(json!({"k": 1001}))),
        ("limit-exceeded", ask(json!({"drop": vec!["x"; 65]}))),
        ("limit-exceeded", ask(json!({"filter": deep}))),
        ("limit-exceeded", ask(json!({"filter": wide}))),
        ("invalid-cursor", ask(json!({"cursor": "nonsense"}))),
        ("invalid-cursor", ask(json!({"cursor": "0.nonsense"}))),
        ("invalid-cursor", ask(json!({"cursor": "x".repeat(5000)}))),
        ("event-not-found", server.get("/v1/events/0197a3c5-2f4c-7c70-a2c5-9a41f2a5be10")),
        ("route-not-found", server.get("/v2/search")),
        ("route-not-found", server.get("/problems/none")),
        ("method-not-allowed", server.get("/v1/search")),
        ("method-not-allowed", server.post("/healthz", json, "")),
        ("body-too-large", search(&format!("{{\"query\": \"{}\"}}", "x".repeat(300_000)))),
        ("unsupported-media-type", server.post("/v1/search", "text/plain", "{}")),
        ("unsupported-media-type", compressed(&server)),
        ("unsupported-media-type", server.post("/v1/events", json, "{}")),
        ("unsupported-media-type", server.post("/v1/events", "application/x-www-form-urlencoded", "{}")),
    ];
    let mut seen = BTreeSet::new();
    for (i, (slug, response)) in cases.into_iter().enumerate() {
        assert!(response.status().as_u16() >= 400, "case {i} ({slug}): {}", response.status());
        let problem = problem(response);
        assert_eq!(problem.r#type, format!("/problems/{slug}"), "case {i}: {}", problem.detail);
        seen.insert(slug);
    }
    // The others are provoked in guard.rs, limits.rs and shutdown.rs; an internal error has no way in from outside.
    let elsewhere = [
        "unauthorized",
        "origin-refused",
        "host-refused",
        "too-many-requests",
        "not-ready",
        "timed-out",
        "body-too-slow",
        "internal",
    ];
    seen.extend(elsewhere);
    assert_eq!(seen, KINDS.iter().map(|kind| kind.slug).collect(), "every kind is accounted for");
}

#[test]
fn the_longest_question_and_an_encoding_that_is_none_are_answered() {
    let server = Running::new();
    assert_eq!(server.try_search(&json!({"query": "ab ".repeat(666)})).status(), 200);
    let post = server.client.post(server.url("/v1/search")).header("content-type", "application/json");
    assert_eq!(post.header("content-encoding", "identity").body("{}").send().unwrap().status(), 200);
}

#[test]
fn every_type_leads_to_its_explanation() {
    let server = Running::new();
    for kind in &KINDS {
        let response = server.get(&kind.path());
        assert_eq!(response.status(), 200);
        assert!(response.text().unwrap().contains(kind.help));
    }
}

#[test]
fn what_is_no_http_is_refused_by_the_connection_alone() {
    let server = Running::new();
    for junk in ["\u{16}\u{3}\u{1}hello\r\n\r\n".to_owned(), format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000))] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let _ = stream.write_all(junk.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(server.get("/healthz").status(), 200);
}
