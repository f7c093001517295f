//! Promise: the chips of a question mean what they say.
//!
//! Goal and method: for each way of asking, the exact filter in its JSON form; and for sets such as "outside", that
//! flows inside and outside of them are told apart by `Filter::matches`.

use std::net::IpAddr;

use forebay_event::Event;
use forebay_index::filter::Filter;
use forebay_index::question::{Clock, parse};
use jiff::tz::TimeZone;

fn filters(question: &str) -> Vec<Filter> {
    let clock = Clock { now_us: 1_709_717_400_000_000, zone: TimeZone::UTC };
    parse(question, &clock).understood.into_iter().map(|chip| chip.filter).collect()
}

/// A question with one chip, and the filter of that chip.
const EXACT: &[(&str, &str)] = &[
    ("from 10.1.2.3/8", r#"{"ip":{"end":"src","net":"10.0.0.0/8"}}"#),
    ("to 2001:db8::1", r#"{"ip":{"end":"dst","net":"2001:db8::1/128"}}"#),
    ("with 10.0.0.1", r#"{"ip":{"end":"any","net":"10.0.0.1/32"}}"#),
    (
        "between 10.0.0.1 and 10.0.0.2",
        r#"{"or":[{"and":[{"ip":{"end":"src","net":"10.0.0.1/32"}},{"ip":{"end":"dst","net":"10.0.0.2/32"}}]},{"and":[{"ip":{"end":"src","net":"10.0.0.2/32"}},{"ip":{"end":"dst","net":"10.0.0.1/32"}}]}]}"#,
    ),
    (
        "10.0.0.1:443",
        r#"{"or":[{"and":[{"ip":{"end":"src","net":"10.0.0.1/32"}},{"port":{"end":"src","from":443,"to":443}}]},{"and":[{"ip":{"end":"dst","net":"10.0.0.1/32"}},{"port":{"end":"dst","from":443,"to":443}}]}]}"#,
    ),
    ("destination port 22", r#"{"port":{"end":"dst","from":22,"to":22}}"#),
    ("source ports 6000-7000", r#"{"port":{"end":"src","from":6000,"to":7000}}"#),
    ("port < 1024", r#"{"port":{"end":"any","from":0,"to":1023}}"#),
    (
        "ports 80, 443",
        r#"{"or":[{"port":{"end":"any","from":80,"to":80}},{"port":{"end":"any","from":443,"to":443}}]}"#,
    ),
    ("udp/53", r#"{"and":[{"protocol":17},{"port":{"end":"any","from":53,"to":53}}]}"#),
    ("icmp", r#"{"or":[{"protocol":1},{"protocol":58}]}"#),
    ("non-tcp", r#"{"not":{"protocol":6}}"#),
    ("https", r#"{"service":"tls"}"#),
    ("ssh or telnet", r#"{"or":[{"service":"ssh"},{"service":"telnet"}]}"#),
    ("not ssh or telnet", r#"{"not":{"or":[{"service":"ssh"},{"service":"telnet"}]}}"#),
    ("except dns to 10.0.0.53", r#"{"not":{"and":[{"service":"dns"},{"ip":{"end":"dst","net":"10.0.0.53/32"}}]}}"#),
    (
        "neither port 80 nor port 443",
        r#"{"not":{"or":[{"port":{"end":"any","from":80,"to":80}},{"port":{"end":"any","from":443,"to":443}}]}}"#,
    ),
    ("no ssh nor dns", r#"{"not":{"or":[{"service":"ssh"},{"service":"dns"}]}}"#),
    ("don't show dns", r#"{"not":{"service":"dns"}}"#),
    ("hide dns", r#"{"not":{"service":"dns"}}"#),
    ("do not hide dns", r#"{"service":"dns"}"#),
    ("never port 22", r#"{"not":{"port":{"end":"any","from":22,"to":22}}}"#),
    ("ipv6 traffic", r#"{"ip":{"end":"any","net":"::/0"}}"#),
    ("over ipv4", r#"{"ip":{"end":"any","net":"0.0.0.0/0"}}"#),
    ("0 bytes received", r#"{"feature":{"name":"dbytes","op":"eq","value":0.0}}"#),
    ("over a megabyte", r#"{"feature":{"name":"bytes","op":"gt","value":1000000.0}}"#),
    ("not without tls", r#"{"service":"tls"}"#),
    ("over 10 MB", r#"{"feature":{"name":"bytes","op":"gt","value":10000000.0}}"#),
    ("at least 5 GiB uploaded", r#"{"feature":{"name":"sbytes","op":"ge","value":5368709120.0}}"#),
    ("under 1 kB received", r#"{"feature":{"name":"dbytes","op":"lt","value":1000.0}}"#),
    ("over 8 Mbit", r#"{"feature":{"name":"bytes","op":"gt","value":1000000.0}}"#),
    ("more than 1,000 packets", r#"{"feature":{"name":"packets","op":"gt","value":1000.0}}"#),
    ("no more than 3 packets sent", r#"{"feature":{"name":"spkts","op":"le","value":3.0}}"#),
    ("longer than 5 minutes", r#"{"feature":{"name":"duration","op":"gt","value":300000000.0}}"#),
    ("shorter than 100 ms", r#"{"feature":{"name":"duration","op":"lt","value":100000.0}}"#),
    ("faster than 10 Mbit/s", r#"{"feature":{"name":"flow_bytes_per_sec","op":"gt","value":1250000.0}}"#),
    ("over 1 MB/s uploaded", r#"{"feature":{"name":"sload","op":"gt","value":8000000.0}}"#),
    ("over 100 packets per second", r#"{"feature":{"name":"rate","op":"gt","value":100.0}}"#),
    ("no reply", r#"{"feature":{"name":"dpkts","op":"eq","value":0.0}}"#),
    ("one packet", r#"{"feature":{"name":"packets","op":"eq","value":1.0}}"#),
    (
        "between 1 and 5 MB",
        r#"{"and":[{"feature":{"name":"bytes","op":"ge","value":1000000.0}},{"feature":{"name":"bytes","op":"le","value":5000000.0}}]}"#,
    ),
    ("flow_iat_max > 5 s", r#"{"feature":{"name":"flow_iat_max","op":"gt","value":5000000.0}}"#),
    ("sload > 1 MB/s", r#"{"feature":{"name":"sload","op":"gt","value":8000000.0}}"#),
    ("dpkts != 0", r#"{"not":{"feature":{"name":"dpkts","op":"eq","value":0.0}}}"#),
    ("with RST", r#"{"feature":{"name":"rst_flag_count","op":"ge","value":1.0}}"#),
    ("verdict suspicious", r#"{"verdict":"suspicious"}"#),
    ("family port_scan", r#"{"family":"port_scan"}"#),
    ("to WWW.Example.org", r#"{"host":{"how":"domain","host":"www.example.org"}}"#),
    ("sni contains foo", r#"{"host":{"how":"contains","host":"foo"}}"#),
    ("host = nas01", r#"{"host":{"how":"exact","host":"nas01"}}"#),
    ("between 02:00 and 03:00 UTC", r#"{"time":{"from_us":1709690400000000,"to_us":1709694000000000}}"#),
    ("since 2024-03-05T10:00:00+01:00", r#"{"time":{"from_us":1709629200000000,"to_us":null}}"#),
];

#[test]
fn each_way_of_asking_has_its_exact_filter() {
    for (question, json) in EXACT {
        let expected: Filter = serde_json::from_str(json).expect("the table holds filters");
        assert_eq!(filters(question), [expected], "{question}");
    }
}

#[test]
fn a_negation_that_cannot_be_applied_leaves_no_filter_and_says_so() {
    let clock = Clock { now_us: 1_709_717_400_000_000, zone: TimeZone::UTC };
    for question in [
        "port 22 is not used",
        "port 22 not used",
        "ssh isn't wanted",
        "dns excluded",
        "leave dns out",
        "ssh traffic was never seen",
        "ssh or dns is not needed",
    ] {
        let read = parse(question, &clock);
        assert!(read.understood.is_empty(), "{question}: {:?}", read.understood);
        assert!(!read.notes.is_empty() && !read.words.is_empty(), "{question}");
    }
}

#[test]
fn the_families_of_addresses_are_apart() {
    assert!(holds("ipv6 traffic", &flow("2001:db8::1", "2001:db8::2")));
    assert!(!holds("ipv6 traffic", &flow("10.0.0.1", "10.0.0.2")));
    assert!(holds("ipv4 traffic", &flow("10.0.0.1", "10.0.0.2")));
    assert!(!holds("ipv4 traffic", &flow("2001:db8::1", "2001:db8::2")));
}

fn flow(src: &str, dst: &str) -> Event {
    let mut event = Event::default();
    event.flow.src_ip = src.parse::<IpAddr>().expect("an address");
    event.flow.dst_ip = dst.parse::<IpAddr>().expect("an address");
    event
}

fn holds(question: &str, event: &Event) -> bool {
    let found = filters(question);
    assert!(!found.is_empty(), "{question} has no chip");
    found.iter().all(|filter| filter.matches(event))
}

#[test]
fn outside_is_whatever_is_neither_private_nor_nowhere() {
    for inside in ["10.0.0.1", "172.31.0.1", "192.168.1.1", "127.0.0.1", "169.254.1.1", "fd00::1", "fe80::1", "::1"] {
        let event = flow(inside, "203.0.113.1");
        assert!(holds("from internal hosts to the internet", &event), "{inside}");
        assert!(!holds("from outside", &event), "{inside}");
    }
    for outside in ["172.32.0.1", "192.0.2.1", "198.51.100.1", "8.8.8.8", "2001:db8::1", "100.64.0.1"] {
        assert!(holds("from outside to internal", &flow(outside, "10.0.0.1")), "{outside}");
    }
    for nowhere in ["224.0.0.251", "255.255.255.255", "ff02::fb"] {
        assert!(!holds("to the outside", &flow("10.0.0.1", nowhere)), "{nowhere}");
        assert!(!holds("to internal hosts", &flow("10.0.0.1", nowhere)), "{nowhere}");
    }
}

#[test]
fn who_did_not_answer_is_the_destination() {
    let mut event = flow("10.0.0.1", "10.0.0.5");
    event.features = forebay_event::Features::UNKNOWN;
    let found = filters("no response from 10.0.0.5");
    assert_eq!(found.len(), 2);
    assert!(found[1].matches(&event));
    assert!(!found[1].matches(&flow("10.0.0.5", "10.0.0.1")));
}

#[test]
fn joined_runs_keep_what_belongs_together() {
    let question = "from 10.0.0.1 to port 22 or from 10.0.0.2 to port 23";
    let with_port = |src: &str, port: u16| {
        let mut event = flow(src, "10.9.9.9");
        event.flow.dst_port = port;
        event
    };
    assert!(holds(question, &with_port("10.0.0.1", 22)));
    assert!(holds(question, &with_port("10.0.0.2", 23)));
    assert!(!holds(question, &with_port("10.0.0.1", 23)));
}
