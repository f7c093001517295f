//! How long appends and searches take: `cargo run --release -p forebay-index --example timing -- [EVENTS] [GRAPH_FROM]`.
//!
//! Events and vectors are made up (clustered directions, 256 numbers), so the figures speak of the machinery alone.

use std::time::Instant;

use forebay_event::feature::{DBYTES, DPKTS, DURATION, SBYTES, SPKTS};
use forebay_event::{Event, EventId};
use forebay_index::filter::{Compare, End, Filter};
use forebay_index::{Index, Options, Search};

const DIMENSION: usize = 256;
const BATCH: usize = 10_000;
const QUERIES: u64 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let events: usize = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let graph_from: usize = arguments.next().map_or(Ok(Options::GRAPH_FROM), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let options = || Options { graph_from, ..Options::new(DIMENSION, "timing") };

    let index = Index::open(dir.path(), options())?;
    let mut random = Random(1);
    let start = Instant::now();
    let mut inside = std::time::Duration::ZERO;
    for from in (0..events).step_by(BATCH) {
        let count = BATCH.min(events - from);
        let batch: Vec<Event> = (0..count).map(|_| event(&mut random)).collect();
        let vectors: Vec<f32> = (0..count).flat_map(|_| vector(&mut random)).collect();
        let append = Instant::now();
        index.append(&batch, &vectors)?;
        inside += append.elapsed();
    }
    println!(
        "append            {events} events in batches of {BATCH}: {:.0} events/s inside append ({:.1} s in all)",
        events as f64 / inside.as_secs_f64(),
        start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    let merged = index.compact()?;
    println!("compact           {} merges in {:.2} s", merged.merges, start.elapsed().as_secs_f64());
    single(&index, &mut random)?;
    let stats = index.stats();
    println!("on disk           {:.0} bytes an event", stats.bytes as f64 / stats.events as f64);
    for segment in stats.segments {
        println!("                  {} {} events, {}", segment.name, segment.events, segment.engine);
    }
    drop(index);
    let start = Instant::now();
    let index = Index::open(dir.path(), options())?;
    println!("open and verify   {:.2} s", start.elapsed().as_secs_f64());
    searches(&index, &mut random)
}

/// Appends of one event, as from a slow stream.
fn single(index: &Index, random: &mut Random) -> Result<(), forebay_index::IndexError> {
    const APPENDS: u32 = 20;
    let start = Instant::now();
    for _ in 0..APPENDS {
        index.append(&[event(random)], &vector(random))?;
    }
    println!("append of one     {:.1} ms", (start.elapsed() / APPENDS).as_secs_f64() * 1e3);
    Ok(())
}

fn searches(index: &Index, random: &mut Random) -> Result<(), Box<dyn std::error::Error>> {
    let port = Filter::Port { end: End::Dst, from: 1_000, to: 1_009 };
    let bytes = Filter::Feature { name: "bytes".to_owned(), op: Compare::Gt, value: 500_000.0 };
    let all = Filter::And(vec![]);
    for (name, filter, by_vector, words, summary) in [
        ("newest", &all, false, "", true),
        ("vector", &all, true, "", false),
        ("vector + summary", &all, true, "", true),
        ("vector, 1 % pass", &port, true, "", true),
        ("vector, 50 % pass", &bytes, true, "", true),
        ("words", &all, false, "large upload ssh", false),
        ("vector + words", &all, true, "large upload ssh", true),
    ] {
        let mut micros: Vec<u128> = Vec::new();
        for _ in 0..QUERIES {
            let vector = by_vector.then(|| vector(random));
            let words = words.to_owned();
            let search = Search { filter: filter.clone(), vector, words, summary, explain: true, ..Search::default() };
            let start = Instant::now();
            let found = index.search(&search)?;
            micros.push(start.elapsed().as_micros());
            assert_eq!(found.hits.len(), 10);
        }
        micros.sort_unstable();
        let at = |share: usize| micros[(micros.len() - 1) * share / 100] as f64 / 1e3;
        println!("search {name:<18} p50 {:>7.2} ms  p99 {:>7.2} ms", at(50), at(99));
    }
    Ok(())
}

fn event(random: &mut Random) -> Event {
    let start_us = 1_700_000_000_000_000 + (random.next() % 86_400_000_000) as i64;
    let mut event = Event { event_id: EventId::derive(start_us, &[&random.next().to_le_bytes()]), ..Event::default() };
    (event.start_us, event.end_us) = (start_us, start_us + 1_000_000);
    event.flow.src_ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 | (random.next() as u32 & 0xffff)).into();
    event.flow.dst_ip = std::net::Ipv4Addr::from_bits(random.next() as u32).into();
    event.flow.protocol = 6;
    event.flow.dst_port = (random.next() % 1_000) as u16 * 10 + 22;
    for place in 0..forebay_event::FEATURE_COUNT {
        event.features.0[place] = (random.next() % 1_000) as f64;
    }
    for place in [DURATION, SPKTS, DPKTS, SBYTES, DBYTES] {
        event.features.0[place] = (random.next() % 500_000) as f64;
    }
    event
}

fn vector(random: &mut Random) -> Vec<f32> {
    let mut direction = Random(random.next() % 500);
    let vector: Vec<f32> = (0..DIMENSION).map(|_| direction.signed() + 0.7 * random.signed()).collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}
