//! Promise: each format is recognised by content, its columns become the right features in the right units, what it cannot
//! know stays unknown, and a bad record is rejected with its place while the rest goes on.
//!
//! Method: small files written by hand for this test (`tests/data`), with the values worked out by hand beside each check.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::path::Path;

use forebay_event::feature as f;
use forebay_event::import::{self, Detection, Format};
use forebay_event::source::{Item, Rejection};
use forebay_event::{Event, Verdict};

type Read = (Vec<Event>, Vec<Rejection>, Vec<(&'static str, u64)>);

fn read(name: &str, format: Format) -> Read {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let input = import::decompress_path(&path).unwrap();
    assert_eq!(import::detect(input.head()), Detection::Events(format), "{name}");
    let mut source = import::open_input(input).unwrap();
    let (mut events, mut rejections, mut event) = (Vec::new(), Vec::new(), Event::default());
    loop {
        match source.read(&mut event).unwrap() {
            Item::Event => events.push(event.clone()),
            Item::Rejected(rejection) => rejections.push(*rejection),
            Item::End => return (events, rejections, source.counters()),
        }
    }
}

fn lines(rejections: &[Rejection]) -> Vec<u64> {
    rejections.iter().map(|rejection| rejection.line).collect()
}

#[track_caller]
fn expect(event: &Event, values: &[(usize, f64)]) {
    for (place, value) in values {
        let name = forebay_event::FEATURE_NAMES[*place];
        let found = event.features.0[*place];
        assert!((found - value).abs() <= 1e-9 * value.abs(), "{name}: {found} where {value} was expected");
    }
}

#[track_caller]
fn unknown(event: &Event, places: &[usize]) {
    for place in places {
        assert!(event.features.known(*place).is_none(), "{} is known", forebay_event::FEATURE_NAMES[*place]);
    }
}

fn count(counters: &[(&'static str, u64)], name: &str) -> u64 {
    counters.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no counter {name}")).1
}

#[test]
fn the_first_cicflowmeter_layout() {
    let (events, rejections, counters) = read("cicflowmeter_first.csv", Format::CicFlowMeter);
    assert_eq!(events.len(), 3);
    assert_eq!(lines(&rejections), [6, 7, 8, 9]);
    for (rejection, part) in rejections.iter().zip(["address", "3 cells", "\"abc\"", "\"sometime\""]) {
        assert!(rejection.reason.contains(part), "{}", rejection.reason);
    }
    let tcp = &events[0];
    assert_eq!(tcp.flow.src_ip.to_string(), "192.0.2.10");
    assert_eq!((tcp.flow.src_port, tcp.flow.dst_port, tcp.flow.protocol), (49650, 80, 6));
    assert_eq!(tcp.start_us, 1_499_226_960_000_000, "day first: 5 July");
    assert_eq!(tcp.end_us - tcp.start_us, 2_000_000);
    assert_eq!(tcp.label.truth.as_deref(), Some("DDoS"));
    assert!(tcp.class.family.is_none() && tcp.class.verdict.is_none(), "a label is no judgement");
    // 26 payload + 72 TCP + 3 * 20 IP; 1000 + 40 + 2 * 20.
    expect(tcp, &[(f::SBYTES, 158.0), (f::DBYTES, 1080.0), (f::SLOAD, 632.0), (f::FWD_LEN_TOT, 26.0), (f::RATE, 2.5)]);
    expect(tcp, &[(f::FLOW_IAT_STD, 10.0 * 0.75f64.sqrt()), (f::FWD_HEADER_LEN_MIN, 40.0)]);
    expect(tcp, &[(f::ACTIVE_MAX, 2e6), (f::IDLE_MAX, 0.0), (f::INIT_FWD_WIN_BYTES, 8192.0)]);
    // Headers differ in length (72 is not 3 * 20), flags of this layout are no counts, the backward window is the last one.
    unknown(tcp, &[f::FWD_LEN_MAX, f::PSH_FLAG_COUNT, f::INIT_BWD_WIN_BYTES, f::SUBFLOW_FWD_BYTES, f::PACKET_LEN_STD]);

    let udp = &events[1];
    expect(udp, &[(f::SBYTES, 68.0), (f::FWD_LEN_MAX, 68.0), (f::FWD_HEADER_LEN_MEAN, 28.0), (f::RATE, 0.0)]);
    unknown(udp, &[f::INIT_FWD_WIN_BYTES, f::FLOW_IAT_MEAN, f::FLOW_IAT_STD]);
    assert_eq!(count(&counters, "values_negative"), 1, "the header length of -212");
    assert_eq!(count(&counters, "values_not_finite"), 2);
    assert_eq!(count(&counters, "headers_repeated"), 1);
    assert_eq!(count(&counters, "times_to_the_minute"), 3);
}

#[test]
fn a_cicflowmeter_table_without_addresses() {
    let (events, rejections, counters) = read("cicflowmeter_no_addresses.csv", Format::CicFlowMeter);
    assert!(rejections.is_empty(), "{rejections:?}");
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].flow.src_ip.to_string(), "0.0.0.0");
    assert_eq!(events[0].flow.community_id, "");
    assert_eq!((events[0].start_us, events[0].flow.protocol), (0, 6), "TCP has an initial window");
    assert_eq!(events[1].flow.protocol, 17, "no window but a port");
    assert_eq!(events[2].label.truth.as_deref(), Some("Web Attack \u{fffd} XSS"));
    assert_eq!(count(&counters, "events_without_addresses"), 3);
    assert_eq!(count(&counters, "events_without_time"), 3);
    assert_eq!(count(&counters, "protocols_inferred"), 3);
    assert_eq!(count(&counters, "lines_not_utf8"), 1);
}

#[test]
fn the_corrected_cicflowmeter_layout() {
    let (events, rejections, _) = read("cicflowmeter_corrected.csv", Format::CicFlowMeter);
    assert!(rejections.is_empty(), "{rejections:?}");
    let tcp = &events[0];
    assert_eq!(tcp.start_us, 1_714_979_289_123_456);
    assert_eq!(tcp.label.truth, None);
    // Every header has 32 bytes, so lengths follow: payload + 52.
    expect(tcp, &[(f::SBYTES, 456.0), (f::FWD_LEN_MAX, 252.0), (f::FWD_LEN_MIN, 52.0), (f::FWD_HEADER_LEN_MAX, 52.0)]);
    expect(tcp, &[(f::FWD_LEN_STD, 100.0 * (2.0f64 / 3.0).sqrt()), (f::BWD_LEN_STD, 100.0)]);
    expect(tcp, &[(f::PACKET_LEN_MAX, 252.0), (f::PACKET_LEN_VAR, 8000.0), (f::FLOW_IAT_STD, 6.0 * 0.75f64.sqrt())]);
    expect(tcp, &[(f::SYN_FLAG_COUNT, 2.0), (f::INIT_BWD_WIN_BYTES, 65160.0), (f::AVG_PACKET_SIZE, 100.0)]);
    let icmp = &events[1];
    unknown(icmp, &[f::SBYTES, f::FWD_LEN_TOT, f::FWD_LEN_MAX, f::INIT_FWD_WIN_BYTES]);
    assert_ne!(icmp.flow.community_id, tcp.flow.community_id);
    assert_eq!((icmp.flow.src_port, icmp.flow.dst_port), (0, 0));
}

#[test]
fn suricata_flows_with_what_other_records_say_of_them() {
    let (events, rejections, counters) = read("suricata_eve.json", Format::SuricataEve);
    assert_eq!(events.len(), 3);
    assert_eq!(lines(&rejections), [8, 9]);
    let tls = &events[0];
    assert_eq!((tls.app.protocol.as_deref(), tls.app.host.as_deref()), (Some("tls"), Some("www.example.org")));
    assert_eq!(tls.class.verdict, Some(Verdict::Suspicious));
    assert_eq!(tls.class.family.as_deref(), Some("Attempted Information Leak"));
    assert_eq!(tls.class.technique.as_deref(), Some("T1046"));
    assert_eq!((tls.start_us, tls.end_us), (1_714_979_289_000_000, 1_714_979_291_500_000));
    // Frames less 14 bytes each: 1540 - 140, 8112 - 112.
    expect(tls, &[(f::SBYTES, 1400.0), (f::DBYTES, 8000.0), (f::DURATION, 2.5e6), (f::SPKTS, 10.0)]);
    unknown(tls, &[f::FLOW_IAT_MEAN, f::SYN_FLAG_COUNT, f::FWD_LEN_TOT]);
    let dns = &events[1];
    assert_eq!((dns.app.protocol.as_deref(), dns.app.host.as_deref()), (Some("dns"), Some("mail.example.net")));
    assert_eq!(dns.flow.vlan, Some(10));
    expect(dns, &[(f::SBYTES, 80.0 - 18.0)]);
    assert_eq!(events[2].flow.protocol, 1);
    assert_eq!(count(&counters, "records_of_other_kinds"), 1);
    assert_eq!(count(&counters, "hints_without_flow"), 0);
}

#[test]
fn zeek_says_the_same_in_both_forms() {
    let (text, rejected, _) = read("zeek_conn.log", Format::ZeekTsv);
    let (json, rejected_json, counters) = read("zeek_conn.json", Format::ZeekJson);
    assert_eq!((lines(&rejected), lines(&rejected_json)), (vec![11, 12], vec![4]));
    assert_eq!(count(&counters, "records_of_other_kinds"), 1);
    assert_eq!((text.len(), json.len()), (2, 2));
    for (a, b) in text.iter().zip(&json) {
        assert_eq!((a.start_us, a.end_us, &a.flow, &a.app), (b.start_us, b.end_us, &b.flow, &b.app));
        assert!(a.features.same(&b.features));
    }
    assert_eq!(text[0].start_us, 1_714_979_289_123_456);
    assert_eq!(text[0].app.protocol.as_deref(), Some("tls"));
    expect(&text[0], &[(f::SBYTES, 820.0), (f::DBYTES, 5420.0), (f::DURATION, 2.5e6), (f::BWD_LEN_TOT, 5000.0)]);
    assert_eq!((text[1].flow.protocol, text[1].flow.src_port), (58, 0));
    unknown(&text[1], &[f::DURATION, f::RATE, f::FWD_LEN_TOT]);
}

#[test]
fn nfdump_says_the_same_in_both_forms() {
    let (array, rejected, counters) = read("nfdump_array.json", Format::NfdumpJson);
    let (by_line, none, _) = read("nfdump_lines.json", Format::NfdumpJson);
    assert_eq!((array.len(), by_line.len(), lines(&rejected), none.len()), (2, 2, vec![37], 0));
    assert_eq!((array[0].event_id, &array[0].flow), (by_line[0].event_id, &by_line[0].flow));
    expect(&array[0], &[(f::SPKTS, 10.0), (f::SBYTES, 820.0), (f::DURATION, 2.5e6), (f::SMEAN, 82.0)]);
    // One direction only: the other one is unknown, not empty.
    unknown(&array[0], &[f::DPKTS, f::DBYTES, f::RATE]);
    expect(&array[1], &[(f::DPKTS, 1.0), (f::DBYTES, 84.0)]);
    assert_eq!(by_line[1].flow.vlan, Some(12));
    assert_eq!(count(&counters, "flows_sampled"), 1);
}

#[test]
fn raglogger_lines() {
    let (events, rejections, counters) = read("raglogger.jsonl", Format::RagLogger);
    assert_eq!((events.len(), lines(&rejections)), (2, vec![3, 4]));
    let attack = &events[0];
    assert_eq!(
        (attack.node_id.as_str(), attack.sensor.as_str(), attack.interface.as_str()),
        ("detector-01", "lab", "eth1")
    );
    assert_eq!((attack.start_us, attack.end_us), (1_714_979_289_000_000, 1_714_979_289_020_000));
    assert_eq!((attack.scores.fast, attack.scores.r#final), (Some(0.5), Some(0.75)));
    assert_eq!((attack.class.verdict, attack.class.family.as_deref()), (Some(Verdict::Malicious), Some("DDOS")));
    assert_eq!(attack.label.truth, None);
    expect(attack, &[(f::SBYTES, 600.0), (f::RATE, 500.0), (f::ACK_FLAG_COUNT, 9.0), (f::FWD_IAT_MEAN, 3000.0)]);
    let ping = &events[1];
    assert_eq!((ping.flow.protocol, ping.class.verdict), (58, Some(Verdict::Benign)));
    assert_eq!(ping.class.family, None, "the family is the producer's constant");
    assert_eq!((ping.label.truth.as_deref(), ping.label.validated), (Some("ping"), true));
    assert_eq!(count(&counters, "families_constant"), 1);
}

#[test]
fn the_same_bytes_give_the_same_identifiers() {
    for name in ["cicflowmeter_first.csv", "suricata_eve.json", "zeek_conn.log", "nfdump_array.json", "raglogger.jsonl"]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let bytes = fs_err::read(&path).unwrap();
        let ids = |name: &str| {
            let mut source = import::open_reader(name, Box::new(std::io::Cursor::new(bytes.clone())), None).unwrap();
            let (mut event, mut ids) = (Event::default(), Vec::new());
            loop {
                match source.read(&mut event).unwrap() {
                    Item::Event => ids.push(event.event_id),
                    Item::Rejected(_) => {}
                    Item::End => return ids,
                }
            }
        };
        let (once, again) = (ids("one"), ids("another"));
        assert!(!once.is_empty());
        assert_eq!(once, again);
    }
}
