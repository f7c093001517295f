//! Goal: kernel and file agree. The same packets give the same events, all 83 features to the last bit, and the same packets
//! are turned away for the same reasons.
//!
//! Method: every Ethernet frame of every capture goes through the programs in the kernel (`BPF_PROG_TEST_RUN`) and through the native
//! meter: the bundled sample, the public captures of `../shared` where they are, and 100,000 generated packets, which
//! the slow meter of `support/slow.rs` computes as well. Needs root; says so where it does not run.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use forebay_ebpf::live::{Books, Offload, Replay};
use forebay_ebpf::{CaptureSource, MeterConfig, Reject};
use forebay_event::Event;

use support::frame::Seen;
use support::kernel::{self, Timed, frames_of, pcap_of_frames};
use support::run::{drain, meter};
use support::same::{assert_near, assert_same};
use support::slow::{self, SlowEvent, Timeouts};

const TIMEOUTS: Timeouts = Timeouts { idle: 120_000_000, active: 120_000_000, activity: 5_000_000 };

fn config() -> MeterConfig {
    MeterConfig { flows_max: 1 << 17, ..MeterConfig::default() }
}

/// Both meters, one after the other on any number of captures.
struct Pair {
    kernel: Replay,
    /// What the native meter has counted, of all captures together.
    native: BTreeMap<&'static str, u64>,
}

impl Pair {
    fn new() -> Self {
        Self { kernel: Replay::new(&config()).unwrap(), native: BTreeMap::new() }
    }

    /// Compares both on these frames; gives the events of the kernel.
    fn compare(&mut self, what: &str, frames: &[Timed]) -> Vec<Event> {
        let native = meter(pcap_of_frames(frames), config());
        for (name, count) in &native.counters {
            *self.native.entry(name).or_default() += count;
        }
        let (events, books) = kernel::meter(&mut self.kernel, frames);
        assert_same(what, &native.events, &events);
        assert_balance(what, &books, self.native["packets_read"]);
        for (place, reject) in Reject::ALL.into_iter().enumerate() {
            assert_eq!(books.lost[place], self.native[reject.counter()], "{what}: {}", reject.counter());
        }
        assert_eq!(books.bytes, self.native["bytes_accepted"], "{what}");
        assert_eq!(books.time_held, self.native["packets_time_held"], "{what}");
        events
    }
}

fn assert_balance(what: &str, books: &Books, packets: u64) {
    assert_eq!(books.seen, packets, "{what}");
    assert_eq!(books.open(), 0, "{what}: {books:?}");
}

#[test]
fn the_bundled_sample_is_the_same() {
    if kernel::is_missing() {
        return;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../lab/sample/traffic.pcap.gz");
    let (frames, left_out) = frames_of(fs_err::read(path).unwrap());
    assert_eq!((frames.len(), left_out), (106_272, 0), "every frame of the sample is compared");
    let events = Pair::new().compare("the sample", &frames);
    let whole = drain(CaptureSource::open_path(path, MeterConfig::default()).unwrap());
    assert_eq!(events.len(), whole.events.len());
    assert_slow_agrees(&frames, &events);
}

/// The slow meter on the packets of each pair of ends by itself (it takes the square of their number).
fn assert_slow_agrees(frames: &[Timed], events: &[Event]) {
    const MOST: usize = 1500;
    let mut groups: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for frame in frames {
        let Some(seen) = seen_of(frame) else { continue };
        groups.entry(ends(&seen.src, seen.src_port, &seen.dst, seen.dst_port, seen.protocol)).or_default().push(seen);
    }
    let mut slow: Vec<SlowEvent> = Vec::new();
    let mut too_many = Vec::new();
    for (ends, packets) in groups {
        if packets.len() > MOST { too_many.push(ends) } else { slow.extend(slow::meter(&packets, TIMEOUTS)) }
    }
    let compared: Vec<Event> = events
        .iter()
        .filter(|event| {
            let flow = &event.flow;
            !too_many.contains(&ends(&flow.src_ip, flow.src_port, &flow.dst_ip, flow.dst_port, flow.protocol))
        })
        .cloned()
        .collect();
    eprintln!("the slow meter: {} of {} events", compared.len(), events.len());
    assert!(compared.len() * 10 > events.len() * 9, "nearly all of them");
    assert_near("the sample, slowly", &compared, &slow);
}

fn ends(a: &std::net::IpAddr, a_port: u16, b: &std::net::IpAddr, b_port: u16, protocol: u8) -> String {
    let (low, high) = if (a, a_port) <= (b, b_port) { ((a, a_port), (b, b_port)) } else { ((b, b_port), (a, a_port)) };
    format!("{low:?} {high:?} {protocol}")
}

/// A frame in the words of the slow meter; its own words have no fragments, tags and IP options.
fn seen_of(frame: &Timed) -> Option<Seen> {
    let packet = kernel::parsed(frame)?;
    let ip_header = if packet.src_ip().is_ipv4() { 20 } else { 40 };
    let l4_header = usize::from(packet.header_bytes()).checked_sub(ip_header)?;
    let is_tcp = packet.protocol() == 6;
    Some(Seen {
        time_us: frame.time_us,
        src: packet.src_ip(),
        dst: packet.dst_ip(),
        src_port: packet.src_port(),
        dst_port: packet.dst_port(),
        protocol: packet.protocol(),
        flags: packet.tcp_flags(),
        window: packet.window(),
        options: if is_tcp { (l4_header - 20) as u8 / 4 } else { 0 },
        payload: vec![0; packet.payload_bytes() as usize],
    })
}

#[test]
fn every_public_capture_is_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/pcaps");
    let Ok(entries) = fs_err::read_dir(&folder) else {
        eprintln!("SKIPPED: {} is not there, so that no public capture was compared", folder.display());
        return;
    };
    if kernel::is_missing() {
        return;
    }
    let mut pair = Pair::new();
    let (mut captures, mut packets, mut left_out, mut events) = (0, 0, 0, 0);
    for entry in entries {
        let path = entry.unwrap().path();
        let (frames, missing) = frames_of(fs_err::read(&path).unwrap());
        left_out += missing;
        if frames.is_empty() {
            continue;
        }
        events += pair.compare(&path.display().to_string(), &frames).len();
        captures += 1;
        packets += frames.len();
    }
    eprintln!(
        "{captures} captures, {packets} packets, {events} events; {left_out} frames that no test run takes (other link types, \
         cut within addresses)"
    );
    assert!(captures >= 100 && packets > left_out * 10, "{captures} captures, {packets} packets, {left_out} left out");
}

/// A small generator: the sequence is part of the test.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Packets between a few ends, with gaps on both sides of every timeout and flags that open, close and reset.
fn generated(random: &mut Random, start_us: i64, count: usize) -> Vec<Seen> {
    const FLAGS: [u8; 12] = [0x10, 0x18, 0x10, 0x18, 0x02, 0x12, 0x11, 0x01, 0x14, 0x04, 0x38, 0xd0];
    const ENDS: [(&str, u16, &str, u16, u8); 6] = [
        ("10.0.0.1", 40_000, "10.0.0.2", 80, 6),
        ("10.0.0.2", 40_000, "10.0.0.1", 80, 6),
        ("10.0.0.1", 40_000, "10.0.0.2", 80, 17),
        ("2001:db8::1", 5_000, "2001:db8::2", 443, 6),
        ("2001:db8::2", 5_000, "2001:db8::1", 5_000, 132),
        ("10.0.0.9", 0, "10.0.0.1", 0, 1),
    ];
    let mut now = start_us;
    (0..count)
        .map(|_| {
            now += match random.below(40) {
                0 => 999_999 + random.below(3) as i64,
                1 => 4_999_999 + random.below(3) as i64,
                2 => 119_999_999 + random.below(3) as i64,
                3 => random.below(60_000_000) as i64,
                4..=9 => 0,
                _ => random.below(900_000) as i64,
            };
            let (src, src_port, dst, dst_port, protocol) = random.one_of(&ENDS);
            let flags = if protocol == 6 { random.one_of(&FLAGS) } else { 0 };
            let payload = vec![0xa5; random.one_of(&[0, 0, 1, 700]) + random.below(700) as usize];
            let (src, dst) = ((src, src_port), (dst, dst_port));
            let (src, dst) = if random.below(5) < 3 { (src, dst) } else { (dst, src) };
            let options = if protocol == 6 { random.below(11) as u8 } else { 0 };
            let seen = Seen::tcp(now, src, dst, flags, &payload);
            Seen { protocol, options, window: random.below(65_536) as u16, ..seen }
        })
        .collect()
}

#[test]
fn a_hundred_thousand_generated_packets_are_the_same_three_times() {
    const SEQUENCES: usize = 500;
    const PACKETS: usize = 200;
    if kernel::is_missing() {
        return;
    }
    let mut random = Random(0x5eed_f0eb);
    let mut frames = Vec::new();
    let mut slow = Vec::new();
    let mut start_us = 1_700_000_000_000_000;
    for _ in 0..SEQUENCES {
        let packets = generated(&mut random, start_us, PACKETS);
        // Far enough that nothing of this sequence is open in the next one.
        start_us = packets.last().unwrap().time_us + 2 * TIMEOUTS.idle;
        slow.extend(slow::meter(&packets, TIMEOUTS));
        frames.extend(packets.iter().map(|packet| {
            let data = packet.ethernet();
            Timed { time_us: packet.time_us, wire_bytes: data.len() as u32, data }
        }));
    }
    assert_eq!(frames.len(), 100_000);
    let events = Pair::new().compare("generated", &frames);
    assert_near("generated, slowly", &events, &slow);
}

#[test]
fn a_packet_of_many_segments_is_the_packets_of_the_wire() {
    if kernel::is_missing() {
        return;
    }
    let (a, b) = (("10.0.0.1", 40_000), ("10.0.0.2", 80));
    let (c, d) = (("2001:db8::1", 9), ("2001:db8::2", 10));
    let now = 1_700_000_000_000_000;
    // Flags that the kernel gives to the first, the last or all of the pieces.
    let whole = [
        (Seen::tcp(now, a, b, 0x02, b""), 0),
        (Seen::tcp(now + 500, a, b, 0x18 | 0x80 | 0x40, &[1; 3000]), 1000),
        (Seen::tcp(now + 900, b, a, 0x10, &[1; 2501]), 1000),
        (Seen::udp(now + 950, c, d, &[2; 1001]), 100),
        (Seen::tcp(now + 2_000_900, a, b, 0x19, &[1; 999]), 333),
        (Seen::tcp(now + 2_000_950, b, a, 0x11, b""), 0),
        (Seen::tcp(now + 2_000_990, a, b, 0x10, b""), 0),
    ];
    let mut replay = Replay::new(&config()).unwrap();
    let mut cut = Vec::new();
    for (packet, size) in &whole {
        let frame = packet.ethernet();
        let pieces = if *size == 0 { 1 } else { packet.payload.len().div_ceil(*size) };
        let offload = Offload { segments: if pieces > 1 { pieces as u32 } else { 0 }, size: *size as u32 };
        replay.push(packet.time_us as u64, &frame, frame.len() as u32, offload).unwrap();
        cut.extend(pieces_of(packet, *size));
    }
    let (events, books) = replay.finish().unwrap();
    assert_balance("cut", &books, cut.len() as u64);
    assert_eq!(books.super_packets, 4);
    let native = meter(support::frame::pcap_of(&cut), config());
    assert_same("cut", &native.events, &events);
    assert_near("cut, slowly", &events, &slow::meter(&cut, TIMEOUTS));
}

#[test]
fn random_packets_of_many_segments_are_those_of_the_wire() {
    const FLAGS: [u8; 5] = [0x10, 0x18, 0x98, 0x50, 0x38];
    if kernel::is_missing() {
        return;
    }
    let mut random = Random(0x6505);
    let mut replay = Replay::new(&config()).unwrap();
    let (mut cut, mut now) = (Vec::new(), 1_700_000_000_000_000);
    for _ in 0..3_000 {
        now += random.below(3_000_000) as i64;
        let (a, b) = (("10.0.0.1", 40_000 + random.below(20) as u16), ("10.0.0.2", 80));
        let (a, b) = if random.below(2) == 0 { (a, b) } else { (b, a) };
        let packet = Seen::tcp(now, a, b, random.one_of(&FLAGS), &vec![7; 1 + random.below(3_000) as usize]);
        let size = 1 + random.below(1_500) as usize;
        let pieces = packet.payload.len().div_ceil(size) as u32;
        // Now and then nobody has counted the pieces: the meter does.
        let segments = if random.below(5) == 0 { 0 } else { pieces };
        let frame = packet.ethernet();
        let offload = Offload { segments, size: size as u32 };
        replay.push(now as u64, &frame, frame.len() as u32, offload).unwrap();
        cut.extend(pieces_of(&packet, size));
    }
    let (events, books) = replay.finish().unwrap();
    assert_balance("random cuts", &books, cut.len() as u64);
    let native = meter(support::frame::pcap_of(&cut), config());
    assert_same("random cuts", &native.events, &events);
}

/// As `tcp_gso_segment` cuts: FIN and PSH on the last piece, CWR on the first.
fn pieces_of(packet: &Seen, size: usize) -> Vec<Seen> {
    if size == 0 {
        return vec![packet.clone()];
    }
    let count = packet.payload.len().div_ceil(size);
    let piece = |(place, payload): (usize, &[u8])| {
        let mut flags = packet.flags;
        if place > 0 {
            flags &= !0x80;
        }
        if place + 1 < count {
            flags &= !0x09;
        }
        Seen { flags, payload: payload.to_vec(), ..packet.clone() }
    };
    packet.payload.chunks(size).enumerate().map(piece).collect()
}

#[test]
fn malformed_frames_are_turned_away_alike() {
    if kernel::is_missing() {
        return;
    }
    let mut random = Random(0xbad_f00d);
    let seeds: Vec<Vec<u8>> = generated(&mut random, 1_700_000_000_000_000, 200).iter().map(Seen::ethernet).collect();
    let types: [[u8; 2]; 8] =
        [[8, 0], [0x86, 0xdd], [0x81, 0], [0x88, 0xa8], [0x88, 0x47], [0x88, 0x64], [0, 9], [8, 6]];
    let frames: Vec<Timed> = (0..30_000)
        .map(|place| {
            let mut data = seeds[random.below(seeds.len() as u64) as usize].clone();
            for _ in 0..random.below(6) {
                let at = random.below(data.len().min(80) as u64) as usize;
                data[at] = random.below(256) as u8;
            }
            if random.below(3) == 0 {
                data[12..14].copy_from_slice(&random.one_of(&types));
            }
            if random.below(3) == 0 {
                data.truncate(34 + random.below(100) as usize);
            }
            let wire_bytes = data.len() as u32 + random.one_of(&[0, 0, 4, 4000]);
            Timed { time_us: 1_700_000_000_000_000 + place * 10, wire_bytes, data }
        })
        .filter(kernel::is_possible)
        .collect();
    let events = Pair::new().compare("malformed", &frames);
    assert!(events.len() > 1000, "some of them are flows all the same");
}
