//! Goal: a stop finishes what is in flight, says so to streams that would go on, and takes nothing new.
//! Method: an ingest stream is open when the stop comes; its lines so far must be stored and its answer must end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::{Running, event};
use forebay_api::{LastLine, Settings};
use serde_json::json;

#[test]
fn an_open_stream_is_ended_in_good_order() {
    let server = Running::new();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let line = format!("{}\n", event(1, 22, 10.0));
    let head = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    write!(stream, "{head}{:x}\r\n{line}\r\n", line.len()).unwrap();
    let mut answer = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(answer.any(|line| line.contains("\"stored\"")));

    let start = Instant::now();
    let (index, address) = (server.index().to_owned(), server.address);
    server.begin_stop();
    let last = answer.find(|line| line.contains("summary")).expect("the stream gets its last line");
    let last: LastLine = serde_json::from_str(&last).unwrap();
    assert!(!last.summary.complete && last.summary.stored == 1);
    assert!(last.summary.reason.unwrap().contains("stopping"));
    let (ended, _dir) = server.stop();
    ended.unwrap();
    assert!(start.elapsed() < Duration::from_secs(8), "the stop does not wait for its limit");
    assert!(TcpStream::connect(address).is_err(), "nothing new is taken");

    let again = Running::on(Settings::default(), &index);
    assert_eq!(again.search(&json!({}))["matching"], 1);
}

#[test]
fn a_client_that_holds_on_cannot_hold_up_the_stop() {
    let server = Running::with(Settings { shutdown: Duration::from_millis(300), ..Settings::default() });
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head =
        "POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    server.stop().0.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
