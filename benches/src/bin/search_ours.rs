//! Our index on the data set of the search comparison, through the library's public API.
//!
//! `search_ours --data DIR --index DIR --out DIR`: builds the index unless a note beside it says that it was, opens it anew, and runs every line
//! of `filters.json` for every k, one question after the other on one thread. What was found is written for
//! `benches/search/`, which scores it in the same way as the rivals.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use forebay_benches::dataset::filters::Line;
use forebay_benches::dataset::rows::{About, Rows};
use forebay_benches::dataset::{QUERIES, npy, row_of};
use forebay_benches::measure::{Latency, Resident};
use forebay_benches::processor::processor_s;
use forebay_event::EventId;
use forebay_index::{Index, Options, Plan, Search};
use serde::{Deserialize, Serialize};

/// Events of one append.
const BATCH: u64 = 20_000;
/// Questions that are asked before the clock runs.
const WARM_UP: usize = 20;
/// Fewest questions of a line, however slow they are.
const QUESTIONS_MIN: usize = 50;
/// k of every set of questions, and those of held-out events alone.
const K_OF_BOTH: usize = 10;
const K_OF_EVENTS: [usize; 3] = [1, 100, 1_000];

/// Builds and searches an index of ours.
#[derive(Parser)]
struct Args {
    /// The data set.
    #[arg(long)]
    data: PathBuf,
    /// The index; built unless `DIR.built.json` is there.
    #[arg(long)]
    index: PathBuf,
    /// Where figures and what was found go.
    #[arg(long)]
    out: PathBuf,
    /// Use the first so many rows of the data set; an index of fewer is continued. 0 is all.
    #[arg(long, default_value_t = 0)]
    rows: u64,
    /// Bytes of mapped files above which the index gives memory back; 0 is no bound.
    #[arg(long, default_value_t = 0)]
    resident_bytes_max: u64,
    /// Stop after the first question: for one that meets a cold disk.
    #[arg(long)]
    first_only: bool,
    /// Longest that one line is measured, seconds.
    #[arg(long, default_value_t = 3.0)]
    budget_s: f64,
}

/// One measured line; `benches/search/cell.py` writes the same for rivals.
#[derive(Serialize)]
struct Cell {
    set: &'static str,
    line: String,
    k: usize,
    file: String,
    setting: String,
    latency: Times,
}

/// By the clock, and by the processor's.
#[derive(Serialize)]
struct Times {
    #[serde(flatten)]
    clock: Latency,
    processor: Latency,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    fs_err::create_dir_all(&args.out)?;
    let about = About::read(&args.data)?;
    let rows = if args.rows == 0 { about.events } else { args.rows };
    ensure!(rows <= about.events, "--rows {rows} of a data set of {}", about.events);
    let note = args.index.with_extension("built.json");
    let mut built: Built =
        if note.exists() { serde_json::from_str(&fs_err::read_to_string(&note)?)? } else { Built::default() };
    if built.events < rows {
        built = build(&args, &about, &built, rows)?;
        fs_err::write(&note, serde_json::to_string(&built)?)?;
    }
    let resident_bytes_max = (args.resident_bytes_max > 0).then_some(args.resident_bytes_max);
    let options = Options { resident_bytes_max, ..Options::new(about.dimension, about.space.clone()) };
    let began = Instant::now();
    let index = Index::open(&args.index, options)?;
    let open_s = began.elapsed().as_secs_f64();
    let stats = index.stats();
    ensure!(stats.events == rows, "the index holds {} events, not {rows}", stats.events);

    let runner = Runner::new(&args, &index, about.dimension)?;
    let began = Instant::now();
    runner.ask("event", &runner.lines[0], 10, 0, Wanted::Events)?;
    let first_question_s = began.elapsed().as_secs_f64();
    eprintln!("opened in {open_s:.3} s, the first question answered in {first_question_s:.3} s");
    let cells = if args.first_only { Vec::new() } else { runner.all()? };
    let report = serde_json::json!({
        "name": "forebay", "version": env!("CARGO_PKG_VERSION"), "events": stats.events, "bytes": stats.bytes,
        "engines": engines(&stats), "built": built, "open_s": open_s, "first_question_s": first_question_s,
        "resident": Resident::now(), "resident_bytes_max": resident_bytes_max, "cells": cells,
    });
    Ok(fs_err::write(args.out.join("report.json"), serde_json::to_string_pretty(&report)? + "\n")?)
}

/// Segments and events by engine.
fn engines(stats: &forebay_index::Stats) -> Vec<(String, u64)> {
    stats.segments.iter().map(|segment| (segment.engine.clone(), segment.events)).collect()
}

/// How the index was built; kept beside it for the next run.
#[derive(Default, Serialize, Deserialize)]
struct Built {
    events: u64,
    /// Inside `append` and `compact`.
    seconds: f64,
    resident_peak: u64,
}

/// Adds rows to the index until it has `rows`, of which it has those that `before` tells of.
fn build(args: &Args, about: &About, before: &Built, rows: u64) -> anyhow::Result<Built> {
    let mut data = Rows::open(&args.data)?;
    data.skip(before.events)?;
    let index = Index::open(&args.index, Options::new(about.dimension, about.space.clone()))?;
    let there = index.stats().events;
    ensure!(there == before.events, "an index of {there} events, not {}", before.events);
    let mut inside = Duration::ZERO;
    for from in (before.events..rows).step_by(BATCH as usize) {
        let (events, vectors) = data.take(BATCH.min(rows - from))?;
        let began = Instant::now();
        index.append(&events, &vectors).with_context(|| format!("rows from {from}"))?;
        inside += began.elapsed();
    }
    let began = Instant::now();
    index.compact()?;
    inside += began.elapsed();
    let seconds = before.seconds + inside.as_secs_f64();
    Ok(Built { events: rows, seconds, resident_peak: Resident::now().peak.max(before.resident_peak) })
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Identifiers and scores: what the rivals give.
    Places,
    /// The events, read from the disk.
    Events,
    /// The events, why each was found, timeline and facets.
    Everything,
}

impl Wanted {
    /// How its lines are told apart in the report.
    fn suffix(self) -> &'static str {
        match self {
            Self::Places => "",
            Self::Events => " with events",
            Self::Everything => " with events, reasons and summary",
        }
    }
}

struct Runner<'a> {
    args: &'a Args,
    index: &'a Index,
    lines: Vec<Line>,
    text: Vec<f32>,
    event: Vec<f32>,
    dimension: usize,
}

impl<'a> Runner<'a> {
    fn new(args: &'a Args, index: &'a Index, dimension: usize) -> anyhow::Result<Self> {
        let lines = serde_json::from_str(&fs_err::read_to_string(args.data.join("filters.json"))?)?;
        let read = |name: &str| npy::read(&args.data.join(name));
        Ok(Self { args, index, lines, text: read("queries-text.npy")?, event: read("queries-event.npy")?, dimension })
    }

    fn all(&self) -> anyhow::Result<Vec<Cell>> {
        let mut cells = Vec::new();
        for line in &self.lines {
            for set in ["text", "event"] {
                cells.push(self.cell(set, line, K_OF_BOTH, Wanted::Places)?);
            }
            for k in K_OF_EVENTS {
                cells.push(self.cell("event", line, k, Wanted::Places)?);
            }
        }
        for k in [K_OF_BOTH].iter().chain(&K_OF_EVENTS) {
            cells.push(self.cell("event", &self.lines[0], *k, Wanted::Events)?);
        }
        cells.push(self.cell("event", &self.lines[0], K_OF_BOTH, Wanted::Everything)?);
        Ok(cells)
    }

    /// Runs one line until all questions are asked or the time is over.
    fn cell(&self, set: &'static str, line: &Line, k: usize, wanted: Wanted) -> anyhow::Result<Cell> {
        for place in 0..WARM_UP {
            self.ask(set, line, k, QUERIES - 1 - place, wanted)?;
        }
        let (mut seconds, mut processor) = (Vec::new(), Vec::new());
        let (mut compared, mut scored) = (0, 0);
        let mut rows: Vec<i32> = Vec::new();
        let mut plans = std::collections::BTreeMap::<String, usize>::new();
        let began = Instant::now();
        for place in 0..QUERIES {
            if began.elapsed().as_secs_f64() > self.args.budget_s && place >= QUESTIONS_MIN {
                break;
            }
            let (ids, plan, took, spent) = self.ask(set, line, k, place, wanted)?;
            seconds.push(took.as_secs_f64());
            processor.push(spent);
            rows.extend(ids.into_iter().map(|id| row_of(id) as i32));
            rows.resize(seconds.len() * k, -1);
            for segment in &plan.segments {
                compared += segment.compared;
                scored += segment.candidates;
                *plans.entry(format!("{:?}", segment.engine).to_lowercase()).or_default() += 1;
            }
        }
        let name = format!("{}{}", line.name, wanted.suffix());
        let file = format!("{set}-{}-{k}.npy", name.replace([' ', '%', '.'], "_"));
        npy::write(&self.args.out.join(&file), &rows, k)?;
        let setting = plans.iter().map(|(engine, count)| format!("{engine} {count}")).collect::<Vec<_>>().join(", ");
        let latency = Times { clock: Latency::of(&seconds), processor: Latency::of(&processor) };
        eprintln!(
            "{set:<6} {name:<12} k {k:<5} {:>9.3} ms p50 {:>9.3} p99  {:>8} compared {:>6} scored  {setting}",
            latency.clock.p50_ms,
            latency.clock.p99_ms,
            compared / seconds.len() as u64,
            scored / seconds.len() as u64
        );
        Ok(Cell { set, line: name, k, file, setting, latency })
    }

    fn ask(
        &self,
        set: &str,
        line: &Line,
        k: usize,
        place: usize,
        wanted: Wanted,
    ) -> anyhow::Result<(Vec<EventId>, Plan, Duration, f64)> {
        let vectors = if set == "text" { &self.text } else { &self.event };
        let vector = vectors[place * self.dimension..(place + 1) * self.dimension].to_vec();
        let filter = line.rule.filter(set, place);
        let everything = wanted == Wanted::Everything;
        let search =
            Search { filter, vector: Some(vector), k, explain: everything, summary: everything, ..Search::default() };
        let (processor_began, began) = (processor_s(), Instant::now());
        let stop = || (began.elapsed(), processor_s() - processor_began);
        if wanted == Wanted::Places {
            let order = self.index.rank(&search)?;
            let (took, spent) = stop();
            return Ok((order.hits.iter().map(|place| place.event_id).collect(), order.plan, took, spent));
        }
        let found = self.index.search(&search)?;
        let (took, spent) = stop();
        Ok((found.hits.iter().map(|hit| hit.event.event_id).collect(), found.plan, took, spent))
    }
}
