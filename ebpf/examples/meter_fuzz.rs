//! Mutation fuzzing of the packet parser and of the capture readers, on a stable compiler.
//!
//! `FUZZ_SECONDS=600 cargo run -p forebay-ebpf --example meter_fuzz -- [frames|captures] [SEED]`
//! `cargo run -p forebay-ebpf --example meter_fuzz -- --corpus FOLDER` writes a corpus for `ebpf/fuzz/meter_fuzz.c`.
//!
//! Seeds are frames and captures built by the tests' own builder, and the captures of `../shared/data/pcaps` where they are. A case
//! is a seed with some bytes flipped, cut, doubled or set to edge values. It passes if nothing panics, the counters add up, and
//! the events hold exactly the packets and bytes accepted. With `FOREBAY_METER_SANITIZE=1` the C core is built with the
//! address and undefined-behaviour sanitizers (run with `LD_PRELOAD` naming libasan, see docs/meter.md).

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use forebay_ebpf::capture::Capture;
use forebay_ebpf::{MeterConfig, Packet, Reject};
use forebay_event::feature;

use support::frame::{ETHERNET, Seen, ip, pcap, pcap_of};
use support::run;

const LINK_TYPES: [u32; 15] = [0, 1, 9, 10, 12, 14, 50, 101, 108, 113, 228, 229, 239, 276, 147];
/// Captures from outside are cut to this, so that a case stays fast.
const SEED_BYTES_MAX: usize = 16 * 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seeds = seeds();
    if let [flag, folder] = arguments.as_slice()
        && flag == "--corpus"
    {
        return write_corpus(folder, &seeds.frames);
    }
    let what = arguments.first().map_or("frames", String::as_str);
    let mut random = Random(arguments.get(1).and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed) | 1);
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut cases = 0u64;
    let mut outcomes: BTreeMap<&'static str, u64> = BTreeMap::new();
    println!("{} frames and {} captures as seeds", seeds.frames.len(), seeds.captures.len());
    while Instant::now() < end {
        for _ in 0..100 {
            let outcome = match what {
                "captures" => capture_case(&seeds.captures, &mut random),
                _ => frame_case(&seeds.frames, &mut random),
            };
            *outcomes.entry(outcome).or_default() += 1;
            cases += 1;
        }
    }
    println!("{what}: {cases} cases in {seconds} s without a failure");
    for (outcome, count) in outcomes {
        println!("  {outcome}: {count}");
    }
    Ok(())
}

struct Seeds {
    frames: Vec<(u32, Vec<u8>)>,
    captures: Vec<Vec<u8>>,
}

/// xorshift64*: enough to pick mutations, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 32) as usize % bound.max(1)
    }
}

fn frame_case(seeds: &[(u32, Vec<u8>)], random: &mut Random) -> &'static str {
    let (link, seed) = &seeds[random.below(seeds.len())];
    let link = if random.below(20) == 0 { LINK_TYPES[random.below(LINK_TYPES.len())] } else { *link };
    let mut frame = seed.clone();
    mutate(&mut frame, random, 6);
    // An allocation of exactly the frame's size: a sanitizer then sees a read beyond it.
    let frame = frame.into_boxed_slice();
    let wire = frame.len() as u32 + random.below(3) as u32 * 700;
    match Packet::parse(link, &frame, wire) {
        Err(reject) => reject.counter(),
        Ok(packet) => {
            let parts = u32::from(packet.header_bytes()) + packet.payload_bytes();
            assert_eq!(parts, packet.ip_bytes(), "seed of link {link}: {frame:02x?}");
            assert!(packet.payload(&frame).len() <= packet.payload_bytes() as usize);
            // The whole meter, with the application's names, on one frame.
            let frames = [(0, frame.to_vec())];
            let run = run::meter(pcap(link, &frames), MeterConfig::default());
            assert_eq!(run.counters["packets_read"], 1);
            if run.events.is_empty() { "orphan" } else { "accepted" }
        }
    }
}

fn capture_case(seeds: &[Vec<u8>], random: &mut Random) -> &'static str {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    let mutations = 1 + random.below(8);
    mutate(&mut bytes, random, mutations);
    match random.below(12) {
        0 => bytes = gzipped(&bytes),
        1 => {
            bytes = gzipped(&bytes);
            mutate(&mut bytes, random, 2);
        }
        2 => bytes = zstd::encode_all(Cursor::new(&bytes), 1).expect("memory does not fail"),
        _ => {}
    }
    let config = MeterConfig { flows_max: 1 + random.below(64), ..MeterConfig::default() };
    let run = run::meter(bytes, config);
    let Some(read) = run.counters.get("packets_read") else { return "not_a_capture" };
    let rejected: u64 = Reject::ALL.iter().map(|reject| run.counters[reject.counter()]).sum();
    assert_eq!(run.counters["packets_accepted"] + rejected, *read);
    let sum = |a: usize, b: usize| -> f64 { run.events.iter().map(|e| e.features.0[a] + e.features.0[b]).sum() };
    assert_eq!(sum(feature::SPKTS, feature::DPKTS), run.counters["packets_accepted"] as f64);
    assert_eq!(sum(feature::SBYTES, feature::DBYTES), run.counters["bytes_accepted"] as f64);
    for event in &run.events {
        let bad = event.features.0.iter().any(|value| value.is_infinite() || *value < 0.0);
        assert!(!bad && event.start_us <= event.end_us, "{event:?}");
    }
    if run.failure.is_some() { "damaged" } else { "whole" }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random, most: usize) {
    for _ in 0..=random.below(most) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..(at + 1 + random.below(16)).min(bytes.len()))),
            5 => {
                let piece = bytes[at..(at + 1 + random.below(24)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let word = (random.next() as u16).to_be_bytes();
                bytes.iter_mut().skip(at).zip(word).for_each(|(byte, new)| *byte = new);
            }
        }
    }
}

fn seeds() -> Seeds {
    let mut frames = built_frames();
    let mut captures = vec![
        pcap_of(&conversation()),
        pcap(
            ETHERNET,
            &frames.iter().filter(|f| f.0 == ETHERNET).map(|f| (1_000_000, f.1.clone())).collect::<Vec<_>>(),
        ),
    ];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/pcaps");
    let Ok(entries) = fs_err::read_dir(folder) else {
        eprintln!("../shared/data/pcaps is absent: only built seeds are used");
        return Seeds { frames, captures };
    };
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.to_string_lossy().ends_with(".gz")) {
        let Ok(packed) = fs_err::read(path) else { continue };
        let mut bytes = Vec::new();
        let mut limited = std::io::Read::take(flate2::read::MultiGzDecoder::new(&packed[..]), SEED_BYTES_MAX as u64);
        if std::io::Read::read_to_end(&mut limited, &mut bytes).is_err() {
            continue;
        }
        frames.extend(first_frames(&bytes, 8));
        captures.push(bytes);
    }
    Seeds { frames, captures }
}

fn first_frames(bytes: &[u8], most: usize) -> Vec<(u32, Vec<u8>)> {
    let mut frames = Vec::new();
    let Ok(mut capture) = Capture::new(Box::new(Cursor::new(bytes.to_vec()))) else { return frames };
    while frames.len() < most && matches!(capture.advance(), Ok(true)) {
        let frame = capture.frame();
        frames.push((frame.link_type, frame.data.to_vec()));
    }
    frames
}

fn conversation() -> Vec<Seen> {
    let (a, b) = (("10.0.0.1", 40_000), ("10.0.0.2", 80));
    vec![
        Seen::tcp(1_000_000, a, b, 2, b""),
        Seen::tcp(1_000_100, b, a, 0x12, b""),
        Seen::tcp(1_000_200, a, b, 0x18, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        Seen::tcp(9_000_300, b, a, 0x18, b"HTTP/1.1 200 OK\r\n\r\n"),
        Seen::tcp(200_000_400, a, b, 0x11, b""),
        Seen::tcp(200_000_500, b, a, 0x11, b""),
        Seen::tcp(200_000_600, a, b, 0x10, b""),
    ]
}

/// Frames of every link layer that is read, with IPv4, IPv6, extension headers and fragments inside.
fn built_frames() -> Vec<(u32, Vec<u8>)> {
    let four = conversation()[2].ip();
    let six = Seen::udp(0, ("2001:db8::1", 5353), ("ff02::fb", 5353), &[0; 40]);
    let mut chain = vec![60, 0, 1, 4, 0, 0, 0, 0]; // hop by hop
    chain.extend([44, 0, 1, 4, 0, 0, 0, 0]); // destination options
    chain.extend([17, 0, 0, 1, 0, 0, 0, 7]); // first fragment
    chain.extend(six.l4());
    let extended = ip(six.src, six.dst, 0, &chain);
    let mut frames = Vec::new();
    for inner in [&four, &six.ip(), &extended] {
        let is_six = inner[0] >> 4 == 6;
        let ethertype: [u8; 2] = if is_six { [0x86, 0xdd] } else { [8, 0] };
        let mut wrapped = |link: u32, head: &[u8]| frames.push((link, [head, inner.as_slice()].concat()));
        let macs = [2u8; 12];
        wrapped(1, &[&macs[..], &ethertype].concat());
        wrapped(1, &[&macs[..], &[0x88, 0xa8, 0, 9, 0x81, 0, 0, 7], &ethertype].concat());
        wrapped(1, &[&macs[..], &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]].concat());
        let ppp = [0, if is_six { 0x57 } else { 0x21 }];
        wrapped(1, &[&macs[..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 50], &ppp].concat());
        wrapped(1, &[&macs[..], &[0, 200, 0xaa, 0xaa, 3, 0, 0, 0], &ethertype].concat());
        wrapped(113, &[&[0u8; 14][..], &ethertype].concat());
        wrapped(276, &[&ethertype[..], &[0u8; 18]].concat());
        wrapped(0, &[if is_six { 30 } else { 2 }, 0, 0, 0]);
        wrapped(108, &[0, 0, 0, if is_six { 24 } else { 2 }]);
        wrapped(101, &[]);
        wrapped(9, &[&[0xff, 3][..], &ppp].concat());
        let size = (inner.len() as u16 + 4).to_le_bytes();
        wrapped(239, &[&[if is_six { 10 } else { 2 }, 0, 0, 0, 8, 0, 1, 0, 8, 0, 1, 0][..], &size, &[9, 0]].concat());
    }
    frames
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

/// Each seed in the form that the C target reads: link, length, bytes beyond, gap.
fn write_corpus(folder: &str, frames: &[(u32, Vec<u8>)]) -> Result<(), Box<dyn std::error::Error>> {
    fs_err::create_dir_all(folder)?;
    for (number, group) in frames.chunks(4).enumerate() {
        let mut out = Vec::new();
        for (link, frame) in group {
            let Some(place) = LINK_TYPES.iter().position(|known| known == link) else { continue };
            out.push(place as u8);
            out.extend((frame.len() as u16).to_be_bytes());
            out.extend([0, 1, 10]);
            out.extend(frame);
        }
        fs_err::write(format!("{folder}/{number:04}"), out)?;
    }
    println!("{} files", frames.len().div_ceil(4));
    Ok(())
}
