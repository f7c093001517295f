//! How long appends and searches take: `cargo run --release -p forebay-index --example timing -- [EVENTS] [ENGINE_FROM]`.
//!
//! Events and vectors are made up (clustered directions, 256 numbers), so the figures speak of the machinery alone.

use std::time::Instant;

use forebay_event::Event;
use forebay_index::filter::{Compare, End, Filter};
use forebay_index::{Index, Options, Search};

mod made;
use made::{DIMENSION, Random, event, vector};

const BATCH: usize = 10_000;
const QUERIES: u64 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let events: usize = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let engine_from: usize = arguments.next().map_or(Ok(Options::ENGINE_FROM), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let options = || Options { engine_from, ..Options::new(DIMENSION, "timing") };

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
