//! Goal: counting without following flows counts what metering counts: the same packets, bytes, SYNs and refusals, also where it
//! takes its short way past the parser; and it knows new flows as a plain list of flows does.
//!
//! Method: the same frames through both kinds of programs (`BPF_PROG_TEST_RUN`): the bundled sample, generated and mutilated ones. The
//! list is kept here, from what the native parser says. Needs root; says so where it does not run.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::collections::HashMap;
use std::net::IpAddr;

use forebay_ebpf::MeterConfig;
use forebay_ebpf::live::{Offload, Replay, RowTotals, Watched};
use support::frame::Seen;
use support::kernel::{self, Timed, frames_of};

const START_US: i64 = 1_700_000_000_000_000;

/// What is looked at afterwards.
#[derive(Debug, PartialEq, Eq)]
struct Counted {
    arrivals: RowTotals,
    ports: Vec<RowTotals>,
    seen: u64,
    lost: Vec<u64>,
    bytes: u64,
}

fn count(mut replay: Replay, frames: &[Timed], ports: &[Watched]) -> Counted {
    for port in ports {
        replay.watch(*port).unwrap();
    }
    for frame in frames {
        replay.push(frame.time_us as u64, &frame.data, frame.wire_bytes, Offload::default()).unwrap();
    }
    let (arrivals, ports) =
        (replay.arrivals(), ports.iter().map(|port| replay.port_arrivals(*port).unwrap()).collect());
    let (_, books) = replay.finish().unwrap();
    Counted { arrivals, ports, seen: books.seen, lost: books.lost.to_vec(), bytes: books.bytes }
}

/// Counts twice and compares; gives the new flows that counting saw.
fn compare(what: &str, frames: &[Timed], ports: &[Watched]) -> u32 {
    let config = MeterConfig { flows_max: 1 << 17, ..MeterConfig::default() };
    let mut metered = count(Replay::new(&config).unwrap(), frames, ports);
    let mut counted = count(Replay::counting(&config).unwrap(), frames, ports);
    let flows = counted.arrivals.new_flows;
    // A flow that closes and begins again is one to whoever only counts.
    for row in [&mut metered, &mut counted]
        .into_iter()
        .flat_map(|all| std::iter::once(&mut all.arrivals).chain(&mut all.ports))
    {
        row.new_flows = 0;
    }
    assert_eq!(metered, counted, "{what}");
    assert!(counted.arrivals.packets > 100, "{what}: there was something to count");
    flows
}

/// One end of a flow.
type End = (IpAddr, u16);

/// New flows by a list of all there were: not seen for the idle timeout, in the programs' own units of 2^20 us.
fn new_flows(frames: &[Timed]) -> u32 {
    const IDLE: i64 = 120_000_000 >> 20;
    let mut seen: HashMap<(End, End, u8), i64> = HashMap::new();
    let mut count = 0;
    for frame in frames {
        let Some(packet) = kernel::parsed(frame) else { continue };
        let ends = ((packet.src_ip(), packet.src_port()), (packet.dst_ip(), packet.dst_port()));
        let (low, high) = if ends.0 <= ends.1 { ends } else { (ends.1, ends.0) };
        let now = frame.time_us >> 20;
        let before = seen.insert((low, high, packet.protocol()), now);
        count += u32::from(before.is_none_or(|before| now - before > IDLE));
    }
    count
}

#[test]
fn the_bundled_sample_is_counted_alike() {
    if kernel::is_missing() {
        return;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../lab/sample/traffic.pcap.gz");
    let (frames, _) = frames_of(fs_err::read(path).unwrap());
    let ports = [Watched::Udp(53), Watched::Tcp(443), Watched::Tcp(80), Watched::Udp(514), Watched::Tcp(22)];
    let flows = compare("the sample", &frames, &ports);
    // Fragments that come after their first have the ports of the first one to the programs, none to the parser alone.
    let expected = new_flows(&frames);
    assert!(expected.abs_diff(flows) <= expected / 1000, "{flows} flows counted, {expected} by the list");
    assert!(flows > 1000, "{flows}");
}

/// Xorshift; the sequence is part of the test.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// Packets of `flows` flows with gaps on both sides of the idle timeout.
fn generated(random: &mut Random, flows: u64, count: usize) -> Vec<Timed> {
    let mut now = START_US;
    (0..count)
        .map(|_| {
            now += if random.below(2000) == 0 { 121_000_000 } else { random.below(20_000) as i64 };
            let flow = random.below(flows);
            let (port, protocol) = (1024 + (flow / 4) as u16, if flow.is_multiple_of(2) { 6 } else { 17 });
            let ends = if flow % 4 < 2 { ("10.0.0.1", "10.0.0.2") } else { ("2001:db8::1", "2001:db8::2") };
            let (src, dst) = ((ends.0, port), (ends.1, 7000));
            let (src, dst) = if random.below(3) == 0 { (dst, src) } else { (src, dst) };
            let flags = if protocol == 6 { random.below(64) as u8 } else { 0 };
            let payload = vec![0x5a; random.below(300) as usize];
            let options = if protocol == 6 { random.below(11) as u8 } else { 0 };
            let seen = Seen { protocol, options, ..Seen::tcp(now, src, dst, flags, &payload) };
            let data = seen.ethernet();
            Timed { time_us: now, wire_bytes: data.len() as u32, data }
        })
        .collect()
}

#[test]
fn generated_packets_are_counted_alike_and_new_flows_are_new() {
    if kernel::is_missing() {
        return;
    }
    let frames = generated(&mut Random(0xc0_4e7), 4_000, 50_000);
    let flows = compare("generated", &frames, &[Watched::Udp(7000), Watched::Tcp(7000), Watched::Udp(1030)]);
    // A few of 4,000 flows may share a set of four with four others, and then be forgotten early.
    let expected = new_flows(&frames);
    assert!(flows >= expected && flows - expected <= expected / 1000, "{flows} counted, {expected} by the list");
}

#[test]
fn more_flows_than_there_are_places_are_counted_too_often_and_never_too_seldom() {
    if kernel::is_missing() {
        return;
    }
    let frames = generated(&mut Random(0x70_0ff), 200_000, 100_000);
    let (flows, expected) = (compare("many", &frames, &[]), new_flows(&frames));
    assert!(flows >= expected && flows < expected + expected / 4, "{flows} counted, {expected} by the list");
}

#[test]
fn mutilated_frames_are_counted_alike() {
    if kernel::is_missing() {
        return;
    }
    let mut random = Random(0xbad_c047);
    let seeds = generated(&mut random, 50, 300);
    let frames: Vec<Timed> = (0..30_000)
        .map(|place| {
            let mut data = seeds[random.below(seeds.len() as u64) as usize].data.clone();
            for _ in 0..random.below(6) {
                let at = random.below(data.len().min(80) as u64) as usize;
                data[at] = random.below(256) as u8;
            }
            if random.below(3) == 0 {
                data.truncate(34 + random.below(100) as usize);
            }
            let wire_bytes = data.len() as u32;
            Timed { time_us: START_US + place * 10, wire_bytes, data }
        })
        .filter(kernel::is_possible)
        .collect();
    compare("mutilated", &frames, &[Watched::Udp(7000), Watched::Tcp(7000)]);
}

#[test]
fn a_port_is_watched_for_both_protocols_or_for_each() {
    if kernel::is_missing() {
        return;
    }
    let mut replay = Replay::counting(&MeterConfig::default()).unwrap();
    replay.watch(Watched::Udp(53)).unwrap();
    replay.watch(Watched::Tcp(53)).unwrap();
    assert!(replay.watch(Watched::Both(53)).unwrap_err().to_string().contains("watched otherwise"));
    replay.watch(Watched::Both(54)).unwrap();
    assert!(replay.watch(Watched::Udp(54)).is_err());
}
