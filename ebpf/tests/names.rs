//! Goal: host names and protocols found in the first payloads stand in the events, in every segment, and harmless.
//!
//! Method: one flow of each kind through the meter.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use forebay_ebpf::MeterConfig;
use support::frame::{Seen, pcap_of};
use support::run::meter;

const CLIENT: (&str, u16) = ("10.0.0.1", 40_000);

/// Protocol and host of the events that `packets` give.
fn names(packets: &[Seen]) -> Vec<(Option<String>, Option<String>)> {
    let run = meter(pcap_of(packets), MeterConfig::default());
    run.events.into_iter().map(|event| (event.app.protocol, event.app.host)).collect()
}

fn named(protocol: &str, host: Option<&str>) -> (Option<String>, Option<String>) {
    (Some(protocol.to_owned()), host.map(str::to_owned))
}

#[test]
fn the_first_payload_that_shows_something_counts() {
    let to = |port, payload: &[u8]| Seen::tcp(0, CLIENT, ("10.0.0.2", port), 0x18, payload);
    let http = b"POST /x HTTP/1.1\r\nHOST: Evil\x1b[31m.Example:80\r\n\r\n";
    assert_eq!(names(&[to(9999, http)]), [named("http", Some("evil?[31m.example"))]);
    assert_eq!(names(&[to(9999, b"SSH-2.0-x\r\n")]), [named("ssh", None)]);
    assert_eq!(names(&[to(443, b"not a hello")]), [(None, None)], "a port alone says nothing");
    let query = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x04Mail\x07example\0\0\x01\0\x01";
    let dns = Seen::udp(0, CLIENT, ("10.0.0.2", 53), query);
    assert_eq!(names(&[dns]), [named("dns", Some("mail.example"))]);
}

#[test]
fn a_name_stays_over_segments_and_does_not_change() {
    let server = ("10.0.0.2", 80);
    let request = |time_us, host: &str| {
        let payload = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        Seen::tcp(time_us, CLIENT, server, 0x18, payload.as_bytes())
    };
    let packets =
        [request(0, "first.example"), request(90_000_000, "second.example"), request(180_000_000, "third.example")];
    let expected = named("http", Some("first.example"));
    assert_eq!(names(&packets), [expected.clone(), expected]);
}

#[test]
fn a_name_that_is_too_long_is_counted_and_left_out() {
    let payload = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(256));
    let packet = Seen::tcp(0, CLIENT, ("10.0.0.2", 80), 0x18, payload.as_bytes());
    let run = meter(pcap_of(&[packet]), MeterConfig::default());
    assert_eq!(run.events[0].app.host, None);
    assert_eq!(run.counters["hosts_too_long"], 1);
}
