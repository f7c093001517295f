//! Events, vectors and indexes for the tests: varied, repeatable, made from one seed.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::should_implement_trait)] // each test file uses a part of it

use std::path::Path;

use forebay_event::feature::{DBYTES, DPKTS, DURATION, RATE, RST_FLAG_COUNT, SBYTES, SPKTS, SYN_FLAG_COUNT};
use forebay_event::{Event, EventId, Verdict};
use forebay_index::{Index, Options};

/// Numbers in a vector of the tests.
pub const DIMENSION: usize = 32;

/// The vector space of the tests.
pub const SPACE: &str = "test-32-v1";

/// A small generator of numbers (`SplitMix64`; Steele, Lea and Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    /// In -1..1.
    pub fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

pub const ADDRESSES: [&str; 12] = [
    "10.0.0.1",
    "10.0.0.77",
    "10.200.3.4",
    "192.168.1.20",
    "203.0.113.9",
    "0.0.0.0",
    "255.255.255.255",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "2001:db8:ffff::2",
    "::",
    "fe80::1",
];

pub const HOSTS: [&str; 8] = [
    "example.org",
    "www.Example.org",
    "badexample.org",
    "mail.corp.internal",
    "a.b.c.d.e",
    "xn--bcher-kva.example",
    "EXAMPLE.ORG.",
    "cdn-17.video.test",
];

pub const FAMILIES: [&str; 4] = ["port_scan", "Brute_Force", "benign", "c2"];

pub const PORTS: [u16; 9] = [0, 22, 53, 80, 443, 4444, 8080, 50_000, u16::MAX];

/// Values a feature takes in the tests: the awkward ones, and ordinary ones.
pub const VALUES: [f64; 12] =
    [0.0, -0.0, 1.0, 2.0, 1500.0, 1e6, 1e9, -1.0, 0.5, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE];

/// When the tests take place: 14 November 2023.
pub const EPOCH_US: i64 = 1_700_000_000_000_000;

/// The `number`-th event of a seed. Equal calls give equal events.
pub fn event(seed: u64, number: u64) -> Event {
    let mut random = Random(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let start_us = EPOCH_US + random.below(86_400_000_000) as i64;
    let mut event = Event {
        event_id: EventId::derive(start_us, &[&seed.to_le_bytes(), &number.to_le_bytes()]),
        start_us,
        end_us: start_us + 1_000,
        sensor: "test".to_owned(),
        ..Event::default()
    };
    event.flow.src_ip = random.pick(&ADDRESSES).parse().unwrap();
    event.flow.dst_ip = random.pick(&ADDRESSES).parse().unwrap();
    event.flow.src_port = random.pick(&PORTS);
    event.flow.dst_port = random.pick(&PORTS);
    event.flow.protocol = random.pick(&[1, 6, 6, 6, 17, 17, 47, 58, 132, 255]);
    event.app.protocol = random.pick(&[None, None, None, Some("ssh"), Some("tls"), Some("strange")]).map(str::to_owned);
    event.app.host = random.pick(&[None, Some(())]).map(|()| random.pick(&HOSTS).to_owned());
    event.class.family = random.pick(&[None, Some(())]).map(|()| random.pick(&FAMILIES).to_owned());
    event.class.verdict =
        random.pick(&[None, Some(Verdict::Benign), Some(Verdict::Suspicious), Some(Verdict::Malicious)]);
    for place in [DURATION, SPKTS, DPKTS, SBYTES, DBYTES, RATE, SYN_FLAG_COUNT, RST_FLAG_COUNT] {
        event.features.0[place] = random.pick(&VALUES);
    }
    // One feature with many values, so that ranges cut anywhere.
    event.features.0[8] = random.below(1_000) as f64 / 7.0;
    event
}

/// The events `from..to` of a seed.
pub fn events(seed: u64, from: u64, to: u64) -> Vec<Event> {
    (from..to).map(|number| event(seed, number)).collect()
}

/// A vector of unit length near one of 20 directions. One in eight is exactly a direction, so that ties occur.
pub fn vector(seed: u64, number: u64) -> Vec<f32> {
    let mut random = Random(seed.wrapping_add(77) ^ number.wrapping_mul(0x9e37_79b9));
    let mut direction = Random(random.below(20) + 1);
    let noise = if random.below(8) == 0 { 0.0 } else { 0.5 };
    let vector: Vec<f32> = (0..DIMENSION).map(|_| direction.signed() + noise * random.signed()).collect();
    unit(&vector)
}

/// The vectors of the events `from..to` of a seed, row after row.
pub fn vectors(seed: u64, from: u64, to: u64) -> Vec<f32> {
    (from..to).flat_map(|number| vector(seed, number)).collect()
}

/// The same direction with length 1.
pub fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

/// The inner product, in double precision.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Options of the tests.
pub fn options() -> Options {
    Options::new(DIMENSION, SPACE)
}

/// An index in `dir` with the events `0..end` of a seed, in batches that end at `ends`.
pub fn index(dir: &Path, options: Options, seed: u64, ends: &[u64]) -> Index {
    let index = Index::open(dir, options).unwrap();
    let mut from = 0;
    for end in ends {
        index.append(&events(seed, from, *end), &vectors(seed, from, *end)).unwrap();
        from = *end;
    }
    index
}

/// What an index has counted under a name.
pub fn counter(index: &Index, name: &str) -> u64 {
    index.stats().counters.iter().find(|(counted, _)| *counted == name).unwrap().1
}

/// The one file in a folder.
pub fn only_file(dir: &Path) -> std::path::PathBuf {
    let files: Vec<_> = fs_err::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}
