//! How searches fare while events come in: `cargo run --release -p forebay-index --example under_load -- EVENTS RATE SECONDS [DIR]`.
//!
//! Fills an index with EVENTS (once, if DIR is given and has them already), then appends RATE events a second in batches of
//! a tenth of a second while one thread searches without pause and one waits for each batch to be found. Prints the times of
//! searches (each is also a bound on how long a search can have been held up), and of events from their coming to their
//! being found. Events are made up, so the figures speak of the machinery alone.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use forebay_event::Event;
use forebay_index::{Index, Options, Search};

mod made;
use made::{DIMENSION, Random, event, vector};

/// Batches a second.
const TICKS: u64 = 10;

/// Events in a batch while the index is filled: each becomes a segment at once.
const FILL: u64 = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, default: u64| arguments.get(place).map_or(Ok(default), |text| text.parse());
    let (events, rate, seconds) = (number(0, 1_000_000)?, number(1, 1_000)?, number(2, 30)?);
    let own = tempfile::tempdir()?;
    let dir = arguments.get(3).map_or_else(|| own.path().join("index"), PathBuf::from);
    let start = Instant::now();
    let index = Index::open(&dir, Options::new(DIMENSION, "made-256"))?;
    println!("open     {:.2} s, {} events", start.elapsed().as_secs_f64(), index.stats().events);
    fill(&index, events)?;
    let before = index.stats();
    println!("index    {} events in {} segments", before.events, before.segments.len());
    for segment in &before.segments {
        println!("         {} {} events, {}", segment.name, segment.events, segment.engine);
    }

    let done = AtomicBool::new(false);
    let (mut searches, mut found) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let searching = scope.spawn(|| search(&index, &done));
        found = append(&index, rate, seconds);
        done.store(true, Ordering::Release);
        searches = searching.join().expect("searching does not panic");
    });
    tell("search", &mut searches);
    tell("found after", &mut found);
    let after = index.stats();
    println!("segments {} ({} slices in memory, {} hot events)", after.segments.len(), after.slices, after.hot_events);
    for (name, count) in after.counters.iter().filter(|(_, count)| *count > 0) {
        println!("         {name} {count}");
    }
    Ok(())
}

fn fill(index: &Index, events: u64) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let mut random = Random(index.stats().events);
    while index.stats().events < events {
        let count = FILL.min(events - index.stats().events);
        let batch: Vec<Event> = (0..count).map(|_| event(&mut random)).collect();
        let vectors: Vec<f32> = (0..count).flat_map(|_| vector(&mut random)).collect();
        index.append_each(batch, vectors)?;
    }
    println!("fill     {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Searches until `done`; the time of each.
fn search(index: &Index, done: &AtomicBool) -> Vec<Duration> {
    let mut random = Random(7);
    let mut times = Vec::new();
    while !done.load(Ordering::Acquire) {
        let vector = Some(vector(&mut random));
        let search = Search { vector, k: 10, summary: false, ..Search::default() };
        let start = Instant::now();
        index.search(&search).expect("a search of an index that is whole succeeds");
        times.push(start.elapsed());
    }
    times
}

/// Appends at `rate`; for each batch the time from when its first event came to when it was acknowledged and found.
fn append(index: &Index, rate: u64, seconds: u64) -> Vec<Duration> {
    let mut random = Random(0x5eed_0000 ^ index.stats().events);
    let mut times = Vec::new();
    let start = Instant::now();
    for tick in 0..seconds * TICKS {
        let count = rate / TICKS;
        let batch: Vec<Event> = (0..count).map(|_| event(&mut random)).collect();
        let vectors: Vec<f32> = (0..count).flat_map(|_| vector(&mut random)).collect();
        // The events of this batch came during the tick before.
        let came = start + Duration::from_millis(1_000 * tick / TICKS);
        let due = came + Duration::from_millis(1_000 / TICKS);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let last = batch.last().map(|event| event.event_id);
        index.append_each(batch, vectors).expect("the index takes events");
        if let Some(id) = last {
            assert!(index.event(id).is_ok_and(|event| event.is_some()), "what is acknowledged is found");
        }
        times.push(came.elapsed());
    }
    times
}

fn tell(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| {
        times.get(((times.len().max(1) - 1) as f64 * share) as usize).map_or(0.0, |t| t.as_secs_f64() * 1e3)
    };
    println!(
        "{what:<12} {} times: p50 {:.2} ms, p90 {:.2}, p99 {:.2}, p99.9 {:.2}, longest {:.2}",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}
