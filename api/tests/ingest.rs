//! Goal: every line gets its result, a bad line stops nothing, and what is reported stored is there: at once, and after a
//! restart, however the client behaves.
//! Method: whole bodies over a client, broken and slow ones over a bare socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::{Running, event, lines, read_results};
use flate2::{Compression, write::GzEncoder};
use forebay_api::Settings;
use forebay_api::Status::{self, Duplicate, Rejected, Stored};
use forebay_event::limits::LINE_BYTES_MAX;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::json;

const HEAD: &str = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n\
                    Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn count(server: &Running) -> u64 {
    server.search(&json!({}))["matching"].as_u64().unwrap()
}

#[test]
fn bad_lines_are_rejected_with_their_number_and_stop_nothing() {
    let server = Running::new();
    let huge = "x".repeat(LINE_BYTES_MAX + 1);
    let good = |i| event(i, 22, 10.0).to_string();
    let body = [good(1), "not json".into(), String::new(), huge, good(2), "{}".into(), good(1)].join("\n");
    let (results, summary) = server.ingest(body);

    let got: Vec<(u64, Status)> = results.iter().map(|result| (result.line, result.status)).collect();
    let expected = [(1, Stored), (2, Rejected), (4, Rejected), (5, Stored), (6, Rejected), (7, Duplicate)];
    assert_eq!(got, expected, "a blank line has no result, a last line needs no end");
    assert!(results[1].reason.as_deref().unwrap().contains("JSON"));
    assert!(results[2].reason.as_deref().unwrap().contains("longer"));
    assert!(results[4].reason.as_deref().unwrap().contains("missing"));
    assert_eq!((summary.lines, summary.stored, summary.duplicate, summary.rejected), (6, 2, 1, 3));
    assert!(summary.complete && summary.reason.is_none());
    assert_eq!(count(&server), 2);
}

#[test]
fn names_the_schema_does_not_know_are_counted_and_impossible_values_are_rejected() {
    let server = Running::new();
    let mut misspelt = event(1, 22, 10.0);
    misspelt["aplication"] = serde_json::json!({"host": "a.example"});
    misspelt["features"]["sbyte"] = 5.0.into();
    let mut negative = event(2, 22, 10.0);
    negative["features"]["sbytes"] = (-1.0).into();
    let mut endless = event(3, 22, 10.0);
    (endless["start_us"], endless["end_us"]) = (i64::MIN.into(), i64::MAX.into());
    let (results, summary) = server.ingest(format!("{misspelt}\n{negative}\n{endless}\n"));
    assert_eq!((summary.stored, summary.rejected, summary.unknown_members), (1, 2, 2));
    let reason = |place: usize| results[place].reason.clone().unwrap_or_default();
    assert!(reason(1).contains("`sbytes`") && reason(2).contains("`start_us`"), "{results:?}");
    let counted = server.get("/metrics").text().unwrap();
    assert!(counted.contains("forebay_ingest_unknown_members_total 2"), "{counted}");
}

#[test]
fn what_was_stored_is_there_after_a_restart_and_a_duplicate_when_sent_again() {
    let server = Running::new();
    server.ingest(lines(50));
    let index = server.index().to_owned();
    let (ended, _dir) = server.stop();
    ended.unwrap();
    let again = Running::on(Settings::default(), &index);
    assert_eq!(count(&again), 50);
    let (_, summary) = again.ingest(lines(60));
    assert_eq!((summary.stored, summary.duplicate), (10, 50));
}

#[test]
fn compressed_bodies_are_read_and_the_terse_answer_names_only_what_was_rejected() {
    let server = Running::new();
    let body = format!("{}broken\n", lines(3000));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body.as_bytes()).unwrap();
    let send = |encoding: &str, body: Vec<u8>| {
        let post = server.client.post(server.url("/v1/events?results=rejected"));
        let response = post
            .header(CONTENT_TYPE, "application/jsonl")
            .header(CONTENT_ENCODING, encoding)
            .body(body)
            .send()
            .unwrap();
        read_results(&response.text().unwrap())
    };
    let (results, summary) = send("gzip", gzip.finish().unwrap());
    assert_eq!((summary.stored, summary.rejected), (3000, 1));
    assert_eq!(results.iter().map(|result| result.line).collect::<Vec<_>>(), [3001]);
    let (_, summary) = send("zstd", zstd::encode_all(body.as_bytes(), 3).unwrap());
    assert_eq!((summary.duplicate, summary.complete), (3000, true));
    let (_, summary) = send("gzip", b"this is no gzip".to_vec());
    assert!(!summary.complete && summary.reason.is_some());
}

#[test]
fn results_come_while_the_body_is_still_open_and_the_event_is_searchable_within_a_second() {
    let server = Running::new();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let start = Instant::now();
    write!(stream, "{HEAD}{}", chunk(&format!("{}\n", event(7, 22, 10.0)))).unwrap();
    let mut answer = BufReader::new(stream.try_clone().unwrap()).lines();
    let result = answer.find(|line| line.as_ref().unwrap().contains("\"stored\"")).unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}: {result}", start.elapsed());
    assert_eq!(count(&server), 1);
    write!(stream, "{}0\r\n\r\n", chunk(&event(8, 22, 10.0).to_string())).unwrap();
    assert!(answer.any(|line| line.unwrap().contains("\"complete\":true")));
    assert_eq!(count(&server), 2);
}

#[test]
fn an_interrupted_client_leaves_its_whole_lines_and_no_half_one() {
    let server = Running::new();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let half = &event(9, 22, 10.0).to_string()[..40];
    write!(stream, "{HEAD}{}", chunk(&format!("{}{half}", lines(5)))).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    drop(stream);
    let patience = Instant::now() + Duration::from_secs(10);
    let ended = "forebay_ingest_streams_total{reason=\"interrupted\"} 1";
    while !server.get("/metrics").text().unwrap().contains(ended) {
        assert!(Instant::now() < patience, "the end of the stream is counted");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(count(&server), 5);
}

#[test]
fn a_body_over_the_limit_stops_there_and_says_so() {
    let settings = Settings { body_bytes_max: 100_000, ..Settings::default() };
    let server = Running::with(settings);
    let refused = server.post("/v1/events", "application/x-ndjson", lines(3000));
    assert_eq!(refused.status(), 413, "a length that is told is refused before anything is read");
    // Ten megabytes of blank lines in a few kilobytes.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(format!("{}{}", lines(5), "\n".repeat(10 << 20)).as_bytes()).unwrap();
    let post = server.client.post(server.url("/v1/events")).header(CONTENT_TYPE, "application/x-ndjson");
    let response = post.header(CONTENT_ENCODING, "gzip").body(gzip.finish().unwrap()).send().unwrap();
    let (_, summary) = read_results(&response.text().unwrap());
    assert!(!summary.complete && summary.reason.unwrap().contains("longer"));
}

#[test]
fn a_client_that_never_reads_is_slowed_down_and_harms_nobody() {
    let server = Running::new();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.write_all(HEAD.as_bytes()).unwrap();
    let piece = chunk(&"no event\n".repeat(5000));
    let mut sent = 0_usize;
    while sent < 400 << 20 && stream.write_all(piece.as_bytes()).is_ok() {
        sent += piece.len();
    }
    assert!(sent < 200 << 20, "{sent} bytes were taken from a client that reads nothing");
    assert_eq!(count(&server), 0, "others are served meanwhile");
    // The answer's head came all the same.
    let mut head = [0; 15];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
}
