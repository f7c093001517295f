//! The hot paths, each as one piece of work that does the same every time, for counting its instructions.
//!
//! What is prepared is left out of the count: only what runs inside [`measured`] counts. Vectors are made up here, so that
//! no part of ONNX Runtime, which chooses its code by the processor, is in a count.

use std::io::{Cursor, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_embedder::tokenize::hashed_ngrams_v1;
use forebay_event::service::service_of;
use forebay_event::source::{EventSource as _, Item};
use forebay_event::{Event, jsonl};
use forebay_index::filter::{Compare, End, Filter};
use forebay_index::{Index, Options, Search, question};

use crate::dataset::questions::questions;
use crate::dataset::random::Random;

/// What can be counted.
pub const NAMES: [&str; 9] = [
    "jsonl_parse",
    "jsonl_write",
    "meter_packets",
    "embed_prepare",
    "filter_select",
    "exact_scan",
    "exact_scan_filtered",
    "bm25",
    "question_parse",
];

const LINES: usize = 1_000;
const DIMENSION: usize = 256;
const INDEX_EVENTS: usize = 4_000;
const SEARCHES: usize = 20;
const QUESTIONS: usize = 100;
/// Buckets and length of the committed query model's tokenizer.
const BUCKETS: u32 = 16_384;
const IDS_MAX: usize = 160;
/// Noon of the day of the bundled capture: what "today" means in a question.
const NOW_US: i64 = 1_795_176_000_000_000;

/// The one function whose instructions are counted; callgrind is told its name.
#[inline(never)]
pub fn measured(work: &mut dyn FnMut() -> anyhow::Result<usize>) -> anyhow::Result<usize> {
    work()
}

/// Makes the index that some of the work searches, in `dir`.
pub fn prepare(dir: &Path) -> anyhow::Result<()> {
    let index = open(dir)?;
    let events = crate::repeated(INDEX_EVENTS)?;
    let vectors: Vec<f32> = (0..INDEX_EVENTS as u64).flat_map(vector).collect();
    index.append(&events, &vectors)?;
    Ok(())
}

/// Does the work called `name`; gives a number that depends on all of it.
pub fn run(name: &str, dir: &Path) -> anyhow::Result<usize> {
    match name {
        "jsonl_parse" => parse_lines(),
        "jsonl_write" => write_lines(),
        "meter_packets" => meter(),
        "embed_prepare" => embed_prepare(),
        "question_parse" => question_parse(),
        "filter_select" => searches(dir, &|_| Search { filter: narrow(), ..Search::default() }),
        "exact_scan" => searches(dir, &|place| Search { vector: Some(vector(place)), ..Search::default() }),
        "exact_scan_filtered" => {
            searches(dir, &|place| Search { vector: Some(vector(place)), filter: narrow(), ..Search::default() })
        }
        "bm25" => {
            let words = "failed ssh logins from 10.0.0.0 to port 22 large upload";
            searches(dir, &|_| Search { words: words.to_owned(), ..Search::default() })
        }
        _ => bail!("no work is called {name}; there are {}", NAMES.join(", ")),
    }
}

fn lines() -> anyhow::Result<(Vec<Event>, Vec<Vec<u8>>)> {
    let events = crate::repeated(LINES)?;
    let line = |event: &Event| {
        let mut line = Vec::new();
        jsonl::write(event, &mut line);
        line
    };
    let lines = events.iter().map(line).collect();
    Ok((events, lines))
}

fn parse_lines() -> anyhow::Result<usize> {
    let (_, lines) = lines()?;
    let mut parser = jsonl::Parser::default();
    let mut event = Event::default();
    measured(&mut || {
        let mut ports = 0;
        for line in &lines {
            parser.parse(line, &mut event).context("our own line")?;
            ports += usize::from(event.flow.dst_port);
        }
        Ok(ports)
    })
}

fn write_lines() -> anyhow::Result<usize> {
    let (events, lines) = lines()?;
    let mut out = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    measured(&mut || {
        for event in &events {
            jsonl::write(event, &mut out);
        }
        Ok(out.len())
    })
}

fn meter() -> anyhow::Result<usize> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(fs_err::File::open(crate::sample())?).read_to_end(&mut bytes)?;
    let mut capture = Some(bytes);
    measured(&mut || {
        let reader = Box::new(Cursor::new(capture.take().context("metered once")?));
        let mut source = CaptureSource::from_reader("memory", reader, None, MeterConfig::default())?;
        let mut event = Event::default();
        while source.read(&mut event)? != Item::End {}
        Ok(source.meter_counters().packets as usize)
    })
}

fn embed_prepare() -> anyhow::Result<usize> {
    let events = crate::repeated(LINES)?;
    let texts = questions(QUESTIONS, 1)?;
    measured(&mut || {
        let services: usize = events.iter().map(service_of).sum();
        Ok(services + texts.iter().map(|text| hashed_ngrams_v1(text, BUCKETS, IDS_MAX).len()).sum::<usize>())
    })
}

fn question_parse() -> anyhow::Result<usize> {
    let texts = questions(QUESTIONS, 1)?;
    let more =
        ["ssh from 10.0.0.0/8 not to port 22 since yesterday", "uploads over 1 MB to 192.0.2.7 between 9 and 10 am"];
    let clock = question::Clock { now_us: NOW_US, zone: jiff::tz::TimeZone::UTC };
    measured(&mut || {
        let all = texts.iter().map(String::as_str).chain(more);
        Ok(all.map(|text| question::parse(text, &clock).words.len()).sum())
    })
}

/// The same searches over and over: `explain` and `summary` are left out.
fn searches(dir: &Path, search: &dyn Fn(u64) -> Search) -> anyhow::Result<usize> {
    let index = open(dir)?;
    let searches: Vec<Search> =
        (0..SEARCHES as u64).map(|place| Search { explain: false, summary: false, ..search(place) }).collect();
    measured(&mut || {
        let mut hits = 0;
        for search in &searches {
            hits += index.search(search)?.hits.len();
        }
        Ok(hits)
    })
}

fn narrow() -> Filter {
    let bytes = Filter::Feature { name: "bytes".to_owned(), op: Compare::Gt, value: 500.0 };
    Filter::And(vec![Filter::Port { end: End::Dst, from: 1, to: 1_024 }, bytes, Filter::Protocol(6)])
}

fn open(dir: &Path) -> anyhow::Result<Index> {
    Ok(Index::open(dir, Options { build_threads: 1, ..Options::new(DIMENSION, "instructions") })?)
}

/// A unit vector of its own for each `seed`.
fn vector(seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed, 3);
    let numbers: Vec<f32> = (0..DIMENSION).map(|_| random.unit() as f32 - 0.5).collect();
    let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    numbers.into_iter().map(|x| x / length).collect()
}
