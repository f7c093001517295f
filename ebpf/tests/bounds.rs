//! Goal: the flow table is bounded, what it gives up is counted, and nothing is lost by it; and the same traffic has the
//! same events and identifiers each time.
//!
//! Method: more flows than the table holds; clocks that jump; the same capture twice, whole and packed.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::collections::HashSet;

use forebay_ebpf::{FLOW_BYTES, FLOW_STATE_BYTES, MeterConfig};
use forebay_event::feature as f;
use support::frame::{Seen, pcap_of};
use support::run::meter;

const BASE_US: i64 = 1_700_000_000_000_000;
const HOUR_US: i64 = 3_600_000_000;

fn udp(time_us: i64, port: u16) -> Seen {
    Seen::udp(BASE_US + time_us, ("10.0.0.1", port), ("10.0.0.2", 9), b"x")
}

#[test]
fn a_full_table_gives_up_the_flow_idle_for_longest() {
    let mut packets: Vec<Seen> = (0..4).map(|n| udp(n, 1000 + n as u16)).collect();
    packets.push(udp(10, 1000)); // refreshed: now 1001 is the oldest
    packets.push(udp(11, 2000));
    let run = meter(pcap_of(&packets), MeterConfig { flows_max: 4, ..MeterConfig::default() });
    assert_eq!(run.counters["flows_evicted"], 1);
    assert_eq!(run.events[0].flow.src_port, 1001);
    let rest: Vec<u16> = run.events[1..].iter().map(|event| event.flow.src_port).collect();
    assert_eq!(rest, [1000, 1002, 1003, 2000], "what is open at the end comes by its start");
}

#[test]
fn ten_thousand_flows_through_a_table_of_ten_lose_no_packet() {
    let packets: Vec<Seen> = (0..10_000).map(|n| udp(n, (n * 7919 % 60_000) as u16)).collect();
    let run = meter(pcap_of(&packets), MeterConfig { flows_max: 10, ..MeterConfig::default() });
    let sum: f64 = run.events.iter().map(|event| event.features.0[f::SPKTS] + event.features.0[f::DPKTS]).sum();
    assert_eq!(sum, 10_000.0);
    assert_eq!(run.counters["flows_evicted"], 9_990);
}

#[test]
fn one_wrong_timestamp_does_no_lasting_harm() {
    let packets = [udp(0, 1), udp(10, 2), udp(100 * HOUR_US, 3), udp(20, 1), udp(30, 1), udp(200_000_000, 4)];
    let run = meter(pcap_of(&packets), MeterConfig::default());
    // The jump ends what was open, the step back ends the flow of the jump, and then all is as it was.
    assert_eq!(run.counters["flows_idle_timeout"], 3);
    assert_eq!(run.counters["flows_clock_step"], 1);
    let of_one: Vec<f64> =
        run.events.iter().filter(|event| event.flow.src_port == 1).map(|event| event.features.0[f::SPKTS]).collect();
    assert_eq!(of_one, [1.0, 2.0]);
}

#[test]
fn a_small_step_back_is_held_and_counted() {
    let run = meter(pcap_of(&[udp(100, 1), udp(40, 1), udp(130, 1)]), MeterConfig::default());
    assert_eq!(run.counters["packets_time_held"], 1);
    assert_eq!(run.events.len(), 1);
    assert_eq!(run.events[0].features.0[f::DURATION], 30.0);
}

#[test]
fn a_flow_goes_on_as_segments_in_its_own_direction() {
    let (a, b) = (("10.0.0.1", 5), ("10.0.0.2", 6));
    let mut packets: Vec<Seen> = (0..5).map(|n| Seen::udp(BASE_US + n * 50_000_000, a, b, b"x")).collect();
    packets[3] = Seen::udp(BASE_US + 150_000_000, b, a, b"yy"); // the first of its segment goes backward
    let run = meter(pcap_of(&packets), MeterConfig::default());
    let segments: Vec<_> =
        run.events.iter().map(|e| (e.flow.segment, e.flow.src_port, e.features.0[f::DPKTS])).collect();
    assert_eq!(segments, [(0, 5, 0.0), (1, 5, 1.0)]);
    assert_eq!(run.counters["flows_active_timeout"], 1);
}

#[test]
fn icmp_has_no_ports_but_the_community_id_of_its_type() {
    let request = Seen { protocol: 1, src_port: 0, dst_port: 0, ..udp(0, 0) };
    let run = meter(pcap_of(std::slice::from_ref(&request)), MeterConfig::default());
    let flow = &run.events[0].flow;
    assert_eq!((flow.src_port, flow.dst_port), (0, 0));
    let mut typed = flow.clone();
    typed.src_port = 8;
    assert_eq!(flow.community_id, forebay_event::community::community_id(&typed));
}

#[test]
fn identifiers_are_the_same_each_time_and_apart() {
    let mut packets: Vec<Seen> = (0..500).map(|n| udp(n / 100, 3000 + n as u16 % 250)).collect();
    // Several flows of the same ends in one microsecond.
    let reset = |time_us| Seen::tcp(BASE_US + time_us, ("10.0.0.1", 1), ("10.0.0.2", 2), 4, b"");
    packets.extend([reset(900), reset(900), reset(900), reset(901)]);
    let ids = |name: &str| -> Vec<_> {
        let config = MeterConfig { interface: name.to_owned(), ..MeterConfig::default() };
        meter(pcap_of(&packets), config).events.iter().map(|event| event.event_id).collect()
    };
    let once = ids("a");
    assert_eq!(once, ids("b"));
    assert_eq!(once.iter().collect::<HashSet<_>>().len(), once.len());
}

#[test]
fn the_memory_of_a_flow_is_what_the_documentation_says() {
    let page = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/meter.md")).unwrap();
    assert!(page.contains(&format!("{FLOW_BYTES} bytes")), "docs/meter.md does not say {FLOW_BYTES} bytes");
    assert!(page.contains(&format!("{FLOW_STATE_BYTES} bytes")));
}
