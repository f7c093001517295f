//! Appends events and asks questions in a loop, as a service does for days, and watches the resident memory: it must not
//! rise with the events seen.
//!
//! `soak --events 10000000 --queries 100000 --out FILE.json [--keep 1000000]`. One index lives through it all: events are
//! jittered real flows with made-up vectors, a millisecond apart, the same for the same seed; the log, the sealing, the
//! merging and the dropping of what is older than the newest `--keep` run as they do in the service. After every
//! `--sample` events what is hot is written to the disk, so that readings are of the same phase, and memory is read. The slope of
//! the process's own memory over the events, from twice `--keep` on (before, the index grows as it should), is printed with
//! its standard error.

// The very bound of the program, so that what is measured is the program.
#[path = "../../../src/heap.rs"]
mod heap;

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use forebay_benches::dataset::clusters::CLUSTERS;
use forebay_benches::dataset::filters::Rule;
use forebay_benches::dataset::random::Random;
use forebay_benches::dataset::{Dataset, flows};
use forebay_benches::measure::{Latency, Resident, Slope};
use forebay_event::Event;
use forebay_index::{Index, Options, Retention, Search};
use serde::Serialize;

const DIMENSION: usize = 256;
const SPACE: &str = "soak";
const SEED: u64 = 1;
/// When the first event started, and the time to the next, microseconds.
const FIRST_US: i64 = 1_700_000_000_000_000;
const STEP_US: i64 = 1_000;
const MIB: f64 = 1_048_576.0;
const WORDS: [&str; 4] = ["failed logins", "", "large upload to port 443", "dns"];

/// Appends and searches for a long time.
#[derive(Parser)]
struct Args {
    /// Events in all.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Questions in all, spread evenly.
    #[arg(long, default_value_t = 10_000)]
    queries: u64,
    /// Newest events that are kept.
    #[arg(long, default_value_t = 200_000)]
    keep: u64,
    /// Events between two readings of memory.
    #[arg(long, default_value_t = 50_000)]
    sample: u64,
    /// Events of one append.
    #[arg(long, default_value_t = 2_000)]
    batch: u64,
    /// Where the figures go.
    #[arg(long)]
    out: PathBuf,
}

/// Memory at one moment.
#[derive(Serialize)]
struct Sample {
    events: u64,
    seconds: f64,
    /// Events in the index, and segments and slices that hold them.
    kept: u64,
    segments: usize,
    resident: Resident,
}

struct Soak {
    args: Args,
    data: Dataset,
    samples: Vec<Sample>,
    latencies: Vec<f64>,
    asked: u64,
    began: Instant,
}

fn main() -> anyhow::Result<()> {
    heap::bound();
    let args = Args::parse();
    let data = Dataset::open(&flows::shared_folder(), SEED)?;
    let folder =
        tempfile::tempdir_in(std::env::var_os("FOREBAY_SCRATCH").map_or_else(std::env::temp_dir, PathBuf::from))?;
    let retention = Retention { max_events: Some(args.keep), ..Retention::default() };
    let index = Index::open(&folder.path().join("index"), Options { retention, ..Options::new(DIMENSION, SPACE) })?;
    let mut soak = Soak { args, data, samples: Vec::new(), latencies: Vec::new(), asked: 0, began: Instant::now() };
    let mut at = 0;
    while at < soak.args.events {
        let end = soak.args.events.min(at + soak.args.batch);
        soak.append(&index, at, end)?;
        while soak.asked * soak.args.events < soak.args.queries * end {
            soak.ask(&index)?;
        }
        if at / soak.args.sample != end / soak.args.sample {
            index.seal()?;
            soak.sample(&index, end);
        }
        at = end;
    }
    soak.report(&index)
}

impl Soak {
    fn append(&self, index: &Index, from: u64, to: u64) -> anyhow::Result<()> {
        let events: Vec<Event> = (from..to).map(|row| self.event(row)).collect();
        let vectors: Vec<f32> = (from..to).flat_map(vector).collect();
        let appended = index.append(&events, &vectors)?;
        anyhow::ensure!(appended.added as u64 == to - from, "{appended:?} of {} new events", to - from);
        Ok(())
    }

    fn event(&self, row: u64) -> Event {
        let mut event = self.data.event(row);
        self.data.fields(row, (row % CLUSTERS as u64) as u16).stamp(&mut event);
        let lasted = event.end_us - event.start_us;
        event.start_us = FIRST_US + row as i64 * STEP_US;
        event.end_us = event.start_us + lasted;
        event
    }

    fn ask(&mut self, index: &Index) -> anyhow::Result<()> {
        let filter = [Rule::All, Rule::DrawBelow(1_000), Rule::DrawBelow(10)][(self.asked % 3) as usize].filter("", 0);
        let words = WORDS[(self.asked % WORDS.len() as u64) as usize].to_owned();
        let everything = self.asked.is_multiple_of(10);
        let vector = Some(vector(!self.asked));
        let search = Search { filter, vector, words, explain: everything, summary: everything, ..Search::default() };
        let began = Instant::now();
        index.search(&search)?;
        self.latencies.push(began.elapsed().as_secs_f64());
        self.asked += 1;
        Ok(())
    }

    fn sample(&mut self, index: &Index, events: u64) {
        let (resident, stats) = (Resident::now(), index.stats());
        let sample = Sample {
            events,
            seconds: self.began.elapsed().as_secs_f64(),
            kept: stats.events,
            segments: stats.segments.len() + stats.slices,
            resident,
        };
        eprintln!(
            "{events:>10} events {:>8} questions {:>7.0} s  {:>8} kept in {:>3}  {:>7.1} MiB of its own, {:>7.1} MiB with mapped files",
            self.asked,
            sample.seconds,
            sample.kept,
            sample.segments,
            resident.anonymous as f64 / MIB,
            resident.all as f64 / MIB
        );
        self.samples.push(sample);
    }

    fn report(self, index: &Index) -> anyhow::Result<()> {
        let settled = self.samples.iter().filter(|sample| sample.events >= 2 * self.args.keep);
        let points: Vec<(f64, f64)> =
            settled.map(|sample| (sample.events as f64 / 1e6, sample.resident.anonymous as f64 / MIB)).collect();
        let slope = Slope::of(&points);
        match slope {
            Some(slope) => println!(
                "resident memory of its own: {:+.3} MiB per million events, standard error {:.3}, over {} readings",
                slope.value,
                slope.standard_error,
                points.len()
            ),
            None => println!("too few readings for a slope: raise --events or lower --keep"),
        }
        let counters: std::collections::BTreeMap<_, _> = index.stats().counters.into_iter().collect();
        let report = serde_json::json!({
            "events": self.args.events, "questions": self.asked, "kept": self.args.keep, "batch": self.args.batch,
            "slope_mib_per_million_events": slope, "search": (!self.latencies.is_empty()).then(|| Latency::of(&self.latencies)),
            "counters": counters, "samples": self.samples,
        });
        Ok(fs_err::write(&self.args.out, serde_json::to_string_pretty(&report)? + "\n")?)
    }
}

/// A unit vector of its own for each `seed`, near one of the groups.
fn vector(seed: u64) -> Vec<f32> {
    let (mut middle, mut own) = (Random::new(5, seed % CLUSTERS as u64), Random::new(6, seed));
    let numbers: Vec<f32> = (0..DIMENSION).map(|_| (middle.unit() + 0.5 * own.unit() - 0.75) as f32).collect();
    let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    numbers.into_iter().map(|x| x / length).collect()
}
