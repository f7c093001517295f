//! What the tests share: events of every kind, a source of JSON lines, and the built-in event model.
#![allow(
    dead_code,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]

pub mod flow;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use forebay_embedder::batch::Input;
use forebay_event::source::{EventSource, Item, Progress, Rejection, SourceError};
use forebay_event::{Event, EventId, FEATURE_COUNT};

/// `SplitMix64` (Steele, Lea, Flood 2014): enough chance for test data, the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// An event of some protocol and port, its features spread over many orders of magnitude, some unknown, some zero.
pub fn event(random: &mut Random) -> Event {
    let mut event = Event { start_us: 1_700_000_000_000_000 + random.below(1 << 40) as i64, ..Event::default() };
    event.end_us = event.start_us + random.below(1 << 30) as i64;
    event.event_id = EventId::derive(event.start_us, &[&random.next().to_le_bytes()]);
    event.flow.src_ip = std::net::Ipv4Addr::from(random.next() as u32).into();
    event.flow.dst_ip = std::net::Ipv4Addr::from(random.next() as u32).into();
    event.flow.protocol = [6, 6, 6, 17, 17, 1, 58, 132, 47][random.below(9) as usize];
    event.flow.src_port = random.next() as u16;
    event.flow.dst_port = [22, 53, 80, 443, 3306, 1883, random.next() as u16][random.below(7) as usize];
    if random.below(3) == 0 {
        event.app.protocol = Some(["tls", "dns", "http", "ssh", "smb"][random.below(5) as usize].to_owned());
    }
    let unknown_share = random.unit() * 0.5;
    for place in 0..FEATURE_COUNT {
        event.features.0[place] = match random.unit() {
            x if x < unknown_share => f64::NAN,
            x if x < unknown_share + 0.15 => 0.0,
            _ => (random.unit() * 20.0).exp(),
        };
    }
    event
}

pub fn flows(count: usize, seed: u64) -> Vec<Event> {
    let mut random = Random(seed);
    (0..count).map(|_| flow::flow(&mut random)).collect()
}

pub fn events(count: usize, seed: u64) -> Vec<Event> {
    let mut random = Random(seed);
    (0..count).map(|_| event(&mut random)).collect()
}

pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Lower-case hex digits of the SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes `count` events as JSON lines with a bad line after every `bad_every`-th; gives the events.
pub fn write_jsonl(path: &Path, count: usize, bad_every: usize, seed: u64) -> Vec<Event> {
    let events = events(count, seed);
    let mut text = String::new();
    for (place, event) in events.iter().enumerate() {
        text.push_str(&serde_json::to_string(event).unwrap());
        text.push('\n');
        if place % bad_every == bad_every - 1 {
            let _ = writeln!(text, "{{\"broken\": {place}");
        }
    }
    fs_err::write(path, text).unwrap();
    events
}

/// The file at `path` as an input of JSON lines; a line `DAMAGED` ends it as damaged.
pub fn jsonl_input(path: &Path) -> Input {
    let owned = path.to_owned();
    Input::file(path, move || Ok(Box::new(JsonLines::open(&owned)?) as Box<dyn EventSource>)).unwrap()
}

/// The file at `path` as a source of JSON lines.
pub fn source(path: &Path) -> Box<dyn EventSource> {
    Box::new(JsonLines::open(path).unwrap())
}

struct JsonLines {
    name: String,
    text: std::io::Lines<BufReader<fs_err::File>>,
    line: u64,
    bytes: u64,
}

impl JsonLines {
    fn open(path: &Path) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        match fs_err::File::open(path) {
            Ok(file) => Ok(Self { name, text: BufReader::new(file).lines(), line: 0, bytes: 0 }),
            Err(error) => Err(SourceError::Io { name, error }),
        }
    }
}

impl EventSource for JsonLines {
    fn read(&mut self, event: &mut Event) -> Result<Item, SourceError> {
        let Some(line) = self.text.next() else { return Ok(Item::End) };
        let line = line.unwrap();
        self.line += 1;
        self.bytes += line.len() as u64 + 1;
        if line == "DAMAGED" {
            return Err(SourceError::Damaged {
                name: self.name.clone(),
                offset: self.bytes,
                reason: "cut off".to_owned(),
            });
        }
        match serde_json::from_str(&line) {
            Ok(read) => {
                *event = read;
                Ok(Item::Event)
            }
            Err(error) => Ok(Item::Rejected(Box::new(Rejection {
                source: self.name.clone(),
                line: self.line,
                reason: error.to_string(),
                bytes: line.into_bytes(),
            }))),
        }
    }

    fn progress(&self) -> Progress {
        Progress { bytes_read: self.bytes, bytes_total: None }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("lines_read", self.line)]
    }
}
