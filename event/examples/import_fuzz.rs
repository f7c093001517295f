//! A fuzzer for every importer that needs nothing but stable Rust.
//!
//! `FUZZ_SECONDS=600 cargo run --release -p forebay-event --example import_fuzz [jsonl|cic|rag|eve|zeek|zeek-json|nfdump|open]`
//!
//! Each target takes inputs from a corpus that starts with `tests/data` and changes them: bits, bytes, numbers at their
//! limits, pieces cut, repeated, moved, and spliced in from another input, words of the format. An input that leads to an
//! outcome not seen before (reasons of rejections, counters, how many events) joins the corpus. Nothing may panic; every event
//! accepted must be one that our own codec writes and reads back; the number of items is bounded by the bytes. `open` gives
//! the bytes to detection and decompression, plain, and the others name the format.
//!
//! An input that fails is written to `fuzz-TARGET.bin` in the current folder, and the program ends with an error.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Cursor;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use forebay_event::import::{self, Format};
use forebay_event::source::Item;
use forebay_event::{Event, EventId, jsonl};

const SECONDS_DEFAULT: u64 = 10;
const INPUT_BYTES_MAX: usize = 16 * 1024;
const CORPUS_MAX: usize = 4096;

/// Name, format (none: whatever is detected), seeds, and words of the format.
type Target = (&'static str, Option<Format>, &'static [&'static str], &'static [&'static str]);

const TARGETS: &[Target] = &[
    ("jsonl", Some(Format::Jsonl), &[], &["\"schema_version\":\"1\"", "\"integrity\":{", "1e999", "\\ud800"]),
    (
        "cic",
        Some(Format::CicFlowMeter),
        &["cicflowmeter_first.csv", "cicflowmeter_corrected.csv", "cicflowmeter_no_addresses.csv"],
        &[",Infinity", ",NaN", ",-1", ",1e308", "Flow Duration", "31/12/9999 23:59", "\","],
    ),
    ("rag", Some(Format::RagLogger), &["raglogger.jsonl"], &["\"detection_timestamp\":", "1e300", "-1", "null"]),
    ("eve", Some(Format::SuricataEve), &["suricata_eve.json"], &["\"event_type\":\"flow\"", "\"flow_id\":111", "[]"]),
    (
        "zeek",
        Some(Format::ZeekTsv),
        &["zeek_conn.log"],
        &["#separator \\x", "#fields\t", "\t-", "#unset_field\t", "\t"],
    ),
    ("zeek-json", Some(Format::ZeekJson), &["zeek_conn.json"], &["\"ts\":", "-9e18", "\"vlan\":", "1e308"]),
    (
        "nfdump",
        Some(Format::NfdumpJson),
        &["nfdump_array.json", "nfdump_lines.json"],
        &["\n{", "}", "},\n", "\"first\" : "],
    ),
    (
        "open",
        None,
        &["nfdump_array.json", "zeek_conn.log", "suricata_eve.json"],
        &["\u{feff}", "[", "#separator", "{\""],
    ),
];

fn main() {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS_DEFAULT);
    let wanted = std::env::args().nth(1);
    for (name, format, seeds, words) in TARGETS {
        if wanted.as_deref().is_none_or(|wanted| wanted == *name) {
            Fuzzer::new(name, *format, seeds, words).run(Duration::from_secs(seconds));
        }
    }
}

struct Fuzzer {
    name: &'static str,
    format: Option<Format>,
    words: &'static [&'static str],
    corpus: Vec<Vec<u8>>,
    /// How many at the front of the corpus are seeds.
    seeds: usize,
    seen: HashSet<u64>,
    random: u64,
}

impl Fuzzer {
    fn new(name: &'static str, format: Option<Format>, seeds: &[&str], words: &'static [&'static str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let mut corpus: Vec<Vec<u8>> = seeds
            .iter()
            .map(|seed| fs_err::read(folder.join(seed)).expect("the seeds are part of the crate"))
            .collect();
        if corpus.is_empty() || format.is_none() {
            let mut line = Vec::new();
            let event = Event { event_id: EventId::derive(0, &[b"seed"]), ..Event::default() };
            jsonl::write(&event, &mut line);
            corpus.push(line);
        }
        if format.is_none() {
            let packed = zstd::encode_all(corpus[0].as_slice(), 1).expect("memory does not fail");
            corpus.push(packed);
            corpus.push(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0]);
        }
        let seed = std::env::var("FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1u64);
        let seeds = corpus.len();
        Self {
            name,
            format,
            words,
            corpus,
            seeds,
            seen: HashSet::new(),
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    fn run(mut self, time: Duration) {
        let (start, mut runs, mut events) = (Instant::now(), 0u64, 0u64);
        while start.elapsed() < time {
            let input = self.mutated();
            let format = self.format;
            let Ok((outcome, found)) = catch_unwind(|| try_input(format, &input)) else {
                let path = format!("fuzz-{}.bin", self.name);
                fs_err::write(&path, &input).expect("the current folder can be written");
                eprintln!("{path} fails");
                std::process::exit(1);
            };
            runs += 1;
            events += found;
            if self.seen.insert(outcome) && self.corpus.len() < CORPUS_MAX {
                self.corpus.push(input);
            }
        }
        println!("{:>10}: {runs} inputs, {events} events, {} in the corpus, no failure", self.name, self.corpus.len());
    }

    fn mutated(&mut self) -> Vec<u8> {
        // Half the time from a seed: most inputs that were new are new ways to be refused.
        let among = if self.below(2) == 0 { self.seeds } else { self.corpus.len() };
        let pick = self.below(among);
        let mut input = self.corpus[pick].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        if input.is_empty() {
            input.push(self.below(256) as u8);
            return;
        }
        let (from, length) = (self.below(input.len()), 1 + self.below(64));
        let to = (from + length).min(input.len());
        match self.below(10) {
            0 => input[from] ^= 1 << self.below(8),
            1 => input[from] = self.below(256) as u8,
            2 => drop(input.drain(from..to)),
            3 => input.truncate(from),
            4 => {
                let piece = input[from..to].to_vec();
                let times = 1 + self.below(50);
                input.splice(from..from, piece.repeat(times));
            }
            5 => {
                let word = self.words[self.below(self.words.len())];
                input.splice(from..from, word.bytes());
            }
            6 => {
                let other = self.below(self.corpus.len());
                let other = self.corpus[other].clone();
                let piece = self.below(other.len().max(1));
                input.splice(from..to, other[piece.min(other.len())..].iter().copied().take(200));
            }
            7 => {
                let signs = b"{}[]\",:\\\t\n\r #-.\0\xff0";
                input[from] = signs[self.below(signs.len())];
            }
            8 => self.change_number(input, from),
            _ => {
                let piece: Vec<u8> = input.drain(from..to).collect();
                let at = self.below(input.len() + 1);
                input.splice(at..at, piece);
            }
        }
    }

    /// Replaces the next number with one at some limit.
    fn change_number(&mut self, input: &mut Vec<u8>, from: usize) {
        const LIMITS: [&str; 12] = [
            "0",
            "-0",
            "-1",
            "255",
            "256",
            "65536",
            "4294967296",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551616",
            "1e308",
            "0.1e-400",
        ];
        let Some(start) = input[from..].iter().position(u8::is_ascii_digit).map(|place| from + place) else { return };
        let end =
            input[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(input.len(), |place| start + place);
        let limit = LIMITS[self.below(LIMITS.len())];
        input.splice(start..end, limit.bytes());
    }

    fn below(&mut self, bound: usize) -> usize {
        // xorshift64 (Marsaglia, 2003).
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound.max(1) as u64) as usize
    }
}

/// Runs one input; a summary of what happened, and how many events there were.
fn try_input(format: Option<Format>, bytes: &[u8]) -> (u64, u64) {
    let mut outcome = DefaultHasher::new();
    let opened = import::decompress("fuzz", Box::new(Cursor::new(bytes.to_vec())), Some(bytes.len() as u64));
    let source = opened.and_then(|input| match format {
        Some(format) => Ok(import::open_format(input, format)),
        None => import::open_input(input),
    });
    let mut source = match source {
        Ok(source) => source,
        Err(error) => {
            std::mem::discriminant(&error).hash(&mut outcome);
            return (outcome.finish(), 0);
        }
    };
    let (mut event, mut events, mut items) = (Event::default(), 0u64, 0usize);
    loop {
        match source.read(&mut event) {
            Ok(Item::Event) => {
                events += 1;
                survives(&event);
            }
            Ok(Item::Rejected(rejection)) => {
                // Digits differ from input to input and say nothing new.
                rejection.reason.replace(|char: char| char.is_ascii_digit(), "").hash(&mut outcome);
            }
            Ok(Item::End) => break,
            Err(error) => {
                std::mem::discriminant(&error).hash(&mut outcome);
                break;
            }
        }
        items += 1;
        assert!(format.is_none() || items <= bytes.len() + 1, "more items than bytes");
    }
    for (name, count) in source.counters() {
        (name, count.min(3)).hash(&mut outcome);
    }
    events.min(8).hash(&mut outcome);
    (outcome.finish(), events)
}

/// What was accepted must be an event that the codec writes and reads.
fn survives(event: &Event) {
    let (mut line, mut again) = (Vec::new(), Event::default());
    jsonl::write(event, &mut line);
    jsonl::Parser::default().parse(&line, &mut again).expect("an accepted event is a valid one");
    assert!(event.features.same(&again.features));
    assert_eq!((event.event_id, &event.flow, &event.app), (again.event_id, &again.flow, &again.app));
}
