//! How searches fare while events come in, segments are built, merged and dropped:
//! `under_load --data DIR --index DIR --rows 1000000 --rate 10000 --seconds 60 --out FILE.json`.
//!
//! The index is filled with the first `--rows` of the data set (once: it is kept). Then the rows that follow are appended,
//! `--rate` a second in batches of a tenth of a second, while one thread searches without a pause: questions in words and
//! held-out events, without a filter and with filters that a tenth and a hundredth pass, every second one as the service
//! asks (with reasons, timeline and facets). Every `--drop-every` seconds the oldest segment is dropped. Told are the times of
//! searches, each of which is also a bound on how long a search can have been held up, and of events from their coming to
//! their being found.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use forebay_benches::dataset::filters::Line;
use forebay_benches::dataset::rows::Rows;
use forebay_benches::dataset::{QUERIES, npy};
use forebay_benches::measure::Latency;
use forebay_index::{Index, Options, Search};
use serde::Serialize;

/// Batches a second.
const TICKS: u64 = 10;
/// Events of an append while the index is filled.
const FILL: u64 = 20_000;
/// Milliseconds from which a search is told by itself, with when it was.
const SLOW_MS: f64 = 20.0;
/// The lines of `filters.json` that are asked.
const LINES: [&str; 3] = ["100 %", "10 %", "1 %"];

/// Searches an index that grows.
#[derive(Parser)]
struct Args {
    /// The data set: `--rows` and as many more as come in.
    #[arg(long)]
    data: PathBuf,
    /// The index; filled unless it has `--rows` events or more.
    #[arg(long)]
    index: PathBuf,
    /// Events before the load.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Events that come in, a second.
    #[arg(long, default_value_t = 1_000)]
    rate: u64,
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seconds between two drops of the oldest segment; 0 drops none.
    #[arg(long, default_value_t = 20)]
    drop_every: u64,
    /// Where the figures go.
    #[arg(long)]
    out: PathBuf,
}

/// Times of searches, seconds.
#[derive(Default)]
struct Times {
    plain: Vec<f64>,
    everything: Vec<f64>,
    /// Those over [`SLOW_MS`].
    slow: Vec<Slow>,
}

/// A slow search.
#[derive(Serialize)]
struct Slow {
    /// Seconds after the load began.
    at_s: f64,
    took_ms: f64,
    everything: bool,
}

#[derive(Serialize)]
struct Report {
    rows: u64,
    rate: u64,
    seconds: u64,
    /// Searches that give events, and those that give reasons, timeline and facets as well.
    search: Latency,
    search_with_everything: Latency,
    slow: Vec<Slow>,
    /// From the first event of a batch to when all of it was found, the tenth of a second of its coming included.
    found_after: Latency,
    segments_before: usize,
    segments_after: usize,
    dropped_events: u64,
    counters: Vec<(&'static str, u64)>,
    load_average: String,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut rows = Rows::open(&args.data)?;
    let options = Options::new(rows.about.dimension, rows.about.space.clone());
    let index = Index::open(&args.index, options)?;
    fill(&index, &mut rows, args.rows)?;
    ensure!(args.rows + args.rate * args.seconds <= rows.about.events, "the data set has too few rows to go on with");
    let asked = Asked::read(&args)?;
    let segments_before = index.stats().segments.len();

    let done = AtomicBool::new(false);
    let (mut times, mut found, mut dropped) = (Times::default(), Vec::new(), 0);
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let searching = scope.spawn(|| asked.search(&index, &done));
        let dropping = scope.spawn(|| drop_oldest(&index, args.drop_every, &done));
        let appended = append(&index, &mut rows, &args);
        done.store(true, Ordering::Release);
        times = searching.join().expect("searching does not panic")?;
        dropped = dropping.join().expect("dropping does not panic")?;
        found = appended?;
        Ok(())
    })?;
    let stats = index.stats();
    let report = Report {
        rows: args.rows,
        rate: args.rate,
        seconds: args.seconds,
        search: Latency::of(&times.plain),
        search_with_everything: Latency::of(&times.everything),
        slow: times.slow,
        found_after: Latency::of(&found),
        segments_before,
        segments_after: stats.segments.len(),
        dropped_events: dropped,
        counters: stats.counters.into_iter().filter(|(_, count)| *count > 0).collect(),
        load_average: fs_err::read_to_string("/proc/loadavg")?.trim().to_owned(),
    };
    tell("search", &report.search);
    tell("with reasons, timeline, facets", &report.search_with_everything);
    tell("found after", &report.found_after);
    println!("{} segments, then {}; {dropped} events dropped", report.segments_before, report.segments_after);
    Ok(fs_err::write(&args.out, serde_json::to_string_pretty(&report)? + "\n")?)
}

fn fill(index: &Index, rows: &mut Rows, wanted: u64) -> anyhow::Result<()> {
    let there = index.stats().events;
    ensure!(there == 0 || there == wanted, "the index holds {there} events; remove it, so that it is filled anew");
    if there == wanted {
        return rows.skip(wanted);
    }
    for from in (0..wanted).step_by(FILL as usize) {
        let (events, vectors) = rows.take(FILL.min(wanted - from))?;
        index.append_each(events, vectors)?;
    }
    index.compact()?;
    Ok(())
}

/// What is asked.
struct Asked {
    dimension: usize,
    lines: Vec<Line>,
    questions: [Vec<f32>; 2],
}

impl Asked {
    fn read(args: &Args) -> anyhow::Result<Self> {
        let mut lines: Vec<Line> = serde_json::from_str(&fs_err::read_to_string(args.data.join("filters.json"))?)?;
        lines.retain(|line| LINES.contains(&line.name.as_str()));
        let questions =
            [npy::read(&args.data.join("queries-text.npy"))?, npy::read(&args.data.join("queries-event.npy"))?];
        Ok(Self { dimension: questions[0].len() / QUERIES, lines, questions })
    }

    /// Searches until `done`.
    fn search(&self, index: &Index, done: &AtomicBool) -> anyhow::Result<Times> {
        let (mut times, began) = (Times::default(), Instant::now());
        for round in 0.. {
            if done.load(Ordering::Acquire) {
                break;
            }
            let (set, place) = (round % 2, round / 12 % QUERIES);
            let (line, everything) = (&self.lines[round / 2 % LINES.len()], round / 6 % 2 == 1);
            let vector = self.questions[set][place * self.dimension..(place + 1) * self.dimension].to_vec();
            let filter = line.rule.filter(["text", "event"][set], place);
            let search =
                Search { filter, vector: Some(vector), explain: everything, summary: everything, ..Search::default() };
            let start = Instant::now();
            let found = index.search(&search)?;
            let took = start.elapsed().as_secs_f64();
            ensure!(found.hits.len() == search.k, "{} hits of {}", found.hits.len(), search.k);
            if everything {
                times.everything.push(took);
            } else {
                times.plain.push(took);
            }
            if took * 1e3 >= SLOW_MS {
                times.slow.push(Slow { at_s: began.elapsed().as_secs_f64(), took_ms: took * 1e3, everything });
            }
        }
        Ok(times)
    }
}

/// Drops the oldest segment now and then, until `done`; how many events went.
fn drop_oldest(index: &Index, every: u64, done: &AtomicBool) -> anyhow::Result<u64> {
    let (mut dropped, mut last) = (0, Instant::now());
    while !done.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(20));
        if every > 0 && last.elapsed() >= Duration::from_secs(every) {
            let stats = index.stats();
            // One event too many is as much as a segment too many.
            let retention = forebay_index::Retention {
                max_events: Some(stats.segments.iter().map(|segment| segment.events).sum::<u64>().saturating_sub(1)),
                ..forebay_index::Retention::default()
            };
            dropped += index.retain(&retention, 0)?.events;
            last = Instant::now();
        }
    }
    Ok(dropped)
}

/// Appends at the rate; for each batch the seconds from when its first event came to when it was acknowledged and found.
fn append(index: &Index, rows: &mut Rows, args: &Args) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    let start = Instant::now();
    for tick in 0..args.seconds * TICKS {
        let (events, vectors) = rows.take(args.rate / TICKS)?;
        // The events of this batch came during the tick before.
        let came = start + Duration::from_millis(1_000 * tick / TICKS);
        let due = came + Duration::from_millis(1_000 / TICKS);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let last = events.last().map(|event| event.event_id);
        index.append_each(events, vectors)?;
        if let Some(id) = last {
            ensure!(index.event(id)?.is_some(), "what is acknowledged is not found");
        }
        times.push(came.elapsed().as_secs_f64());
    }
    Ok(times)
}

fn tell(what: &str, times: &Latency) {
    println!(
        "{what}: {} times, p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
        times.count, times.p50_ms, times.p99_ms, times.max_ms
    );
}
