//! Appends events and asks questions in a loop, and watches the resident memory: it must not rise with the events seen.
//!
//! `soak --events 10000000 --queries 100000 --out FILE.json [--keep 200000]`. Events are jittered real flows with made-up
//! vectors, the same for the same seed. Without retention an index grows with its events, so every `--keep` events a fresh
//! index is begun and the one before is dropped and removed: what is left in memory after that is what leaks. The slope of
//! the memory of the process's own over the events, after the first round, is printed with its standard error.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use forebay_benches::dataset::clusters::CLUSTERS;
use forebay_benches::dataset::filters::Rule;
use forebay_benches::dataset::random::Random;
use forebay_benches::dataset::{Dataset, flows};
use forebay_benches::measure::{Latency, Resident, Slope};
use forebay_event::Event;
use forebay_index::{Index, Options, Search};
use serde::Serialize;

const DIMENSION: usize = 256;
const SPACE: &str = "soak";
const SEED: u64 = 1;
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
    /// Events of one index before the next is begun.
    #[arg(long, default_value_t = 200_000)]
    keep: u64,
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
    let args = Args::parse();
    let data = Dataset::open(&flows::shared_folder(), SEED)?;
    let mut soak = Soak { args, data, samples: Vec::new(), latencies: Vec::new(), asked: 0, began: Instant::now() };
    let folder =
        tempfile::tempdir_in(std::env::var_os("FOREBAY_SCRATCH").map_or_else(std::env::temp_dir, PathBuf::from))?;
    let mut from = 0;
    while from < soak.args.events {
        let to = soak.args.events.min(from + soak.args.keep);
        let dir = folder.path().join(format!("from-{from}"));
        soak.round(&dir, from, to)?;
        fs_err::remove_dir_all(&dir)?;
        // The index is closed: what is resident now is not its own.
        soak.sample(to);
        from = to;
    }
    soak.report()
}

impl Soak {
    fn round(&mut self, dir: &Path, from: u64, to: u64) -> anyhow::Result<()> {
        let index = Index::open(dir, Options::new(DIMENSION, SPACE))?;
        let mut at = from;
        while at < to {
            let end = to.min(at + self.args.batch);
            let events: Vec<Event> = (at..end).map(|row| self.event(row)).collect();
            let vectors: Vec<f32> = (at..end).flat_map(vector).collect();
            index.append(&events, &vectors)?;
            at = end;
            while self.asked * self.args.events < self.args.queries * at {
                self.ask(&index)?;
            }
        }
        Ok(())
    }

    fn event(&self, row: u64) -> Event {
        let mut event = self.data.event(row);
        self.data.fields(row, (row % CLUSTERS as u64) as u16).stamp(&mut event);
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

    fn sample(&mut self, events: u64) {
        let sample = Sample { events, seconds: self.began.elapsed().as_secs_f64(), resident: Resident::now() };
        eprintln!(
            "{events:>10} events {:>8} questions {:>7.0} s  {:>7.1} MiB of its own, {:>7.1} MiB with mapped files",
            self.asked,
            sample.seconds,
            sample.resident.anonymous as f64 / MIB,
            sample.resident.all as f64 / MIB
        );
        self.samples.push(sample);
    }

    fn report(self) -> anyhow::Result<()> {
        // The first round fills caches and the allocator's arenas.
        let points: Vec<(f64, f64)> = self.samples[1.min(self.samples.len())..]
            .iter()
            .map(|sample| (sample.events as f64 / 1e6, sample.resident.anonymous as f64 / MIB))
            .collect();
        let slope = Slope::of(&points);
        match slope {
            Some(slope) => println!(
                "resident memory of its own: {:+.3} MiB per million events, standard error {:.3}",
                slope.value, slope.standard_error
            ),
            None => println!("too few rounds for a slope: raise --events or lower --keep"),
        }
        let report = serde_json::json!({
            "events": self.args.events, "questions": self.asked, "kept": self.args.keep, "batch": self.args.batch,
            "slope_mib_per_million_events": slope, "search": (!self.latencies.is_empty()).then(|| Latency::of(&self.latencies)),
            "samples": self.samples,
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
