//! `forebay index`: what the index holds, merging, dropping what is old, copies. For an index that no server has open; a
//! server is asked over HTTP (docs/API.md).

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use forebay_embedder::models;
use forebay_index::{Index, IndexError, Options};
use jiff::Timestamp;

use crate::config::Config;
use crate::shown::{bytes, printable, time};
use crate::target::{index_dir, index_options};

/// Look after the index: what it holds, merging, dropping what is old, copies
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// What the index holds
    Stats {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Merge segments until none are left to merge
    Compact,
    /// Drop the segments whose events all started before a time; what shares a segment with something newer stays
    Prune {
        /// The time, for example 2026-11-20T00:00:00Z
        #[arg(long, value_name = "TIME")]
        before: Timestamp,
    },
    /// Copy the index of this moment into a new folder; files are linked where it is on the same file system
    Snapshot {
        /// The folder, which must not be there yet
        dir: PathBuf,
    },
}

pub(crate) fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    let index = open(config)?;
    let mut out = io::stdout().lock();
    match args.action {
        Action::Stats { json } => return stats(&index, json),
        Action::Compact => {
            let done = index.compact()?;
            writeln!(out, "{} merges; {} segments became {}", done.merges, done.segments_before, done.segments_after)?;
        }
        Action::Prune { before } => {
            // Into segments first, so that what is hot can go as well.
            index.seal()?;
            let done = index.delete_before(before.as_microsecond())?;
            let size = bytes(done.bytes as f64);
            writeln!(out, "{} segments with {} events dropped, {size}", done.segments, done.events)?;
        }
        Action::Snapshot { dir } => {
            let done = index.copy_to(&dir)?;
            let (linked, copied) = (bytes(done.linked_bytes as f64), bytes(done.copied_bytes as f64));
            let place = printable(&dir.display().to_string());
            writeln!(out, "{place}: {} segments, {linked} linked, {copied} copied", done.segments)?;
        }
    }
    Ok(())
}

/// The index, opened with the vector space of the event model in use.
fn open(config: &Config) -> anyhow::Result<Index> {
    let dir = index_dir(config);
    if !dir.is_dir() {
        bail!("there is no index at {}; data.dir says where to look", dir.display());
    }
    let named = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
    let (event, query) = (named(&config.models.event), named(&config.models.query));
    let (event, _) = models::pair(event.as_deref(), query.as_deref()).context("the models")?;
    let options = index_options(config, event.dimension(), &event.manifest().space)?;
    // A command ends soon; what it merges it merges because it was asked to.
    Index::open(&dir, Options { merge_in_background: false, ..options }).map_err(|error| match error {
        IndexError::Locked { .. } => anyhow!(
            "{} is open in another process; ask the server (GET /v1/stats, DELETE /v1/events, POST /v1/copies) or stop it",
            dir.display()
        ),
        other => other.into(),
    })
}

fn stats(index: &Index, json: bool) -> anyhow::Result<()> {
    let stats = index.stats();
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &stats).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    writeln!(out, "events    {} ({} of them in the log only)", stats.events, stats.hot_events)?;
    writeln!(out, "on disk   {}", bytes(stats.bytes as f64))?;
    if let Some((first, last)) = stats.time_range_us {
        writeln!(out, "from, to  {}, {}", time(first), time(last))?;
    }
    writeln!(out, "vectors   {} numbers in the space {}", stats.dimension, printable(&stats.model_space))?;
    writeln!(out, "segments  {}", stats.segments.len())?;
    for segment in &stats.segments {
        writeln!(
            out,
            "  {}  {} events, {}, {}",
            segment.name,
            segment.events,
            bytes(segment.bytes as f64),
            segment.engine
        )?;
    }
    for damaged in &stats.damaged {
        writeln!(out, "damaged   {}: {}", printable(&damaged.name), printable(&damaged.reason))?;
    }
    Ok(())
}
