//! `forebay import` and `forebay meter`: any input to events, written as JSON lines, RAGLogger JSON or Parquet.
//!
//! **Promise.** A file named by `--out` appears whole or not at all: it is written beside itself and renamed when the last
//! input has been read. Items that are no events are counted, shown by reason, and kept byte for byte where `--dead-letter`
//! says. Ctrl-C stops between two events and leaves nothing behind.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use forebay_event::source::{EventSource, Item, Rejection};
use forebay_event::{Event, dead_letter};
use serde::Serialize;

use crate::config::Config;
use crate::input;
use crate::output::{Encoding, Output};
use crate::progress::Meter;
use crate::stop;

/// Options of `forebay import` and `forebay meter`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files to read; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Where to write; `-` is standard output
    #[arg(long, short, default_value = "-")]
    out: PathBuf,
    /// What to write; by default what the name of the output says, else JSON lines
    #[arg(long, value_enum)]
    format: Option<Encoding>,
    /// Keep what is no event in this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    dead_letter: Option<PathBuf>,
    /// Print the summary as one JSON object (on standard error)
    #[arg(long)]
    json: bool,
}

/// What happened, for people and scripts.
#[derive(Debug, Default, Serialize)]
struct Summary {
    events: u64,
    rejected: u64,
    rejected_by_reason: BTreeMap<String, u64>,
    counters: BTreeMap<&'static str, u64>,
    stopped: bool,
}

/// Reasons shown apart; the rest is counted together.
const REASONS_MAX: usize = 100;

/// Reads every input in turn and writes one output.
pub(crate) fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let stop = stop::on_signal()?;
    let encoding = args.format.unwrap_or_else(|| Encoding::of(&args.out));
    let mut output = Output::create(&args.out, encoding)?;
    let mut dead_letters = args.dead_letter.as_deref().map(DeadLetters::create).transpose()?;
    let mut summary = Summary::default();
    for path in &args.inputs {
        let mut source = input::open(path, &config.meter)?;
        read_all(&mut *source, path, &mut output, dead_letters.as_mut(), &mut summary, &stop)
            .with_context(|| format!("{}: stopped after {} events", path.display(), summary.events))?;
        for (name, count) in source.counters() {
            *summary.counters.entry(name).or_default() += count;
        }
        if summary.stopped {
            break;
        }
    }
    if let Some(dead_letters) = dead_letters {
        dead_letters.finish()?;
    }
    if summary.stopped {
        summary.print(args.json)?;
        bail!("stopped by a signal; {} was not written, run the same command again", args.out.display());
    }
    output.finish()?;
    summary.print(args.json)
}

fn read_all(
    source: &mut dyn EventSource,
    path: &Path,
    output: &mut Output,
    mut dead_letters: Option<&mut DeadLetters>,
    summary: &mut Summary,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut event = Event::default();
    let mut meter = Meter::new(&path.display().to_string());
    loop {
        match source.read(&mut event)? {
            Item::Event => {
                output.write(&event)?;
                summary.events += 1;
            }
            Item::Rejected(rejection) => {
                if let Some(letters) = dead_letters.as_deref_mut() {
                    letters.keep(&rejection)?;
                }
                summary.reject(&rejection);
            }
            Item::End => break,
        }
        meter.item(|| source.progress());
        if stop.load(Ordering::Relaxed) {
            summary.stopped = true;
            break;
        }
    }
    meter.finish();
    Ok(())
}

impl Summary {
    fn reject(&mut self, rejection: &Rejection) {
        if self.rejected == 0 {
            tracing::warn!(source = rejection.source, line = rejection.line, reason = rejection.reason, "not an event");
        }
        self.rejected += 1;
        let known =
            self.rejected_by_reason.len() < REASONS_MAX || self.rejected_by_reason.contains_key(&rejection.reason);
        let reason = if known { &rejection.reason } else { "other reasons" };
        *self.rejected_by_reason.entry(reason.to_owned()).or_default() += 1;
    }

    fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut err = std::io::stderr().lock();
        if json {
            serde_json::to_writer(&mut err, self)?;
            writeln!(err)?;
            return Ok(());
        }
        writeln!(err, "{} events, {} rejected", self.events, self.rejected)?;
        for (reason, count) in &self.rejected_by_reason {
            writeln!(err, "  rejected {count}: {reason}")?;
        }
        for (name, count) in self.counters.iter().filter(|(_, count)| **count > 0) {
            writeln!(err, "  {name} {count}")?;
        }
        Ok(())
    }
}

/// Keeps rejected items in a file.
struct DeadLetters {
    out: std::io::BufWriter<fs_err::File>,
    line: Vec<u8>,
}

impl DeadLetters {
    fn create(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { out: std::io::BufWriter::new(fs_err::File::create(path)?), line: Vec::new() })
    }

    fn keep(&mut self, rejection: &Rejection) -> std::io::Result<()> {
        self.line.clear();
        dead_letter::write(rejection, &mut self.line);
        self.out.write_all(&self.line)
    }

    fn finish(mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
