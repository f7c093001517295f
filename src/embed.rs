//! `forebay embed`: the offline batch job, from any input to Parquet of events and vectors, `.npy` on request, and an index.
//!
//! **Promise.** As of `forebay_embedder::batch`: the output folder appears whole or not at all, and a job that was stopped
//! or died goes on when the same command is given again. Rejected lines do not fail the job; they are counted and kept.

mod index_sink;
mod progress;
mod report;
mod shard;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, bail};
use forebay_embedder::batch::{self, BatchError, Input, Job, OpenSink, Options, Sink, incomplete_path};
use forebay_embedder::{Model, models, runtime};

use crate::config::{Config, Meter};
use crate::input::{self, Place};
use crate::stop;
use crate::target::index_options;
use index_sink::{Counts, IndexSink};
use progress::Bar;
use report::Report;
use shard::Shard;

/// Name of the index within the output.
const INDEX: &str = "index";

/// Options of `forebay embed`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Args {
    /// Captures, flow logs or event lines: files, patterns ('logs/*.jsonl'), objects (`s3://BUCKET/KEY`, `s3://BUCKET/PREFIX/`,
    /// `s3://BUCKET/logs/*.gz`); `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder that shall appear; it works in a folder beside it that ends in `.incomplete`
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write all vectors to vectors.npy as well
    #[arg(long)]
    npy: bool,
    /// Add to the index in this folder instead of making one in the output
    #[arg(long, value_name = "DIR", conflicts_with = "no_index")]
    index: Option<PathBuf>,
    /// Make no index
    #[arg(long)]
    no_index: bool,
    /// Keep the events of a damaged input up to the damage, name it, and go on with the next; the output is finished, and the
    /// exit code is 2 if any input was damaged
    #[arg(long)]
    keep_going: bool,
    /// Take only the inputs of shard I (from 0 to N-1), about one in N: N machines given the same inputs share them
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Events of one Parquet file: how much work a crash can cost
    #[arg(long, value_name = "N", default_value_t = batch::limits::PART_EVENTS)]
    part_events: usize,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the job; an error means that there is no output yet.
pub(crate) fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let stop = stop::on_signal()?;
    runtime::init(given(&config.models.runtime))?;
    let model = models::event(given(&config.models.event))?;
    let counts = Counts::default();
    let inputs = inputs(args, config, &stop)?;
    let input_count = inputs.len();
    let job = Job {
        inputs,
        out: args.out.clone(),
        model: &model,
        options: options(args, config)?,
        sink: sink(args, config, &model, &counts)?,
    };
    let mut bar = Bar::new();
    let done = batch::run(job, &stop, &mut bar);
    bar.finish();
    let summary = match done {
        Err(error) if error.is_resumable() && incomplete_path(&args.out).exists() => {
            let how = how_to_go_on(&args.out, Some(&error));
            return Err(error).context(how);
        }
        Err(BatchError::Source(error)) if input::is_damage(&error) && !args.keep_going => {
            bail!("{error}; {}", input::KEEP_GOING_HINT);
        }
        other => other?,
    };
    let stopped = !summary.complete;
    Report::new(&summary, &counts).print(args.json)?;
    if stopped {
        bail!("stopped by a signal. {}", how_to_go_on(&args.out, None));
    }
    let damaged = summary.damaged_inputs.len();
    if damaged > 0 {
        input::tell_damaged(damaged, input_count);
        input::exit_damaged();
    }
    Ok(())
}

/// What the user can do about a job that ended early, because of `error` or because it was stopped.
fn how_to_go_on(out: &Path, error: Option<&BatchError>) -> String {
    let (incomplete, out) = (incomplete_path(out), out.display());
    if !incomplete.exists() {
        return format!("{out} is not there, and nothing was finished; run the same command to start again");
    }
    let damaged = matches!(error, Some(BatchError::Source(error)) if input::is_damage(error));
    let command = if damaged {
        "the same command with --keep-going to leave out the rest of that input"
    } else {
        "the same command to go on"
    };
    format!(
        "{out} is not there yet; what is finished lies in {}. Run {command}, or remove that folder to start over",
        incomplete.display()
    )
}

/// The inputs of this run; of a shard possibly none.
fn inputs(args: &Args, config: &Config, stop: &Arc<AtomicBool>) -> anyhow::Result<Vec<Input>> {
    let mut places = input::expand(&args.inputs)?;
    if let Some(shard) = args.shard {
        if places.iter().any(|place| matches!(place, Place::Stdin)) {
            bail!("standard input (-) cannot be shared between shards; name files or objects");
        }
        let all = places.len();
        places.retain(|place| shard.takes(&place.name()));
        tracing::info!(%shard, of_inputs = all, taken = places.len(), "this shard");
    }
    places.into_iter().map(|place| batch_input(place, config, stop)).collect()
}

fn batch_input(place: Place, config: &Config, stop: &Arc<AtomicBool>) -> anyhow::Result<Input> {
    let (meter, name) = (config.meter.clone(), place.name());
    Ok(match place {
        Place::Stdin => {
            let stop = Arc::clone(stop);
            Input::stream(name, move || input::open_stdin(&meter, &stop))
        }
        Place::File(path) => {
            let owned = path.clone();
            Input::file(&path, move || input::open(&owned, &meter))?
        }
        #[cfg(feature = "s3")]
        Place::Object(object) => {
            let (bytes, fingerprint, place) = (object.bytes(), object.fingerprint(), Place::Object(object));
            Input::object(name, bytes, fingerprint, move || input::open_place(&place, &meter))
        }
    })
}

fn options(args: &Args, config: &Config) -> anyhow::Result<Options> {
    Ok(Options {
        precision: config.embed.precision.parse().map_err(anyhow::Error::msg)?,
        workers: config.embed.threads,
        batch_events: config.embed.batch,
        part_events: args.part_events,
        npy: args.npy,
        keep_going: args.keep_going,
        source_settings: source_settings(&config.meter, args.shard),
    })
}

/// Everything that decides which events a capture becomes, one setting a line, by the names of the settings.
fn source_settings(meter: &Meter, shard: Option<Shard>) -> String {
    // Taken apart by name, so that a new setting cannot be forgotten here.
    let Meter { active_timeout_s, activity_timeout_s, flows_max, idle_timeout_s, node_id, sensor } = meter;
    let shard = shard.map_or_else(String::new, |shard| format!("shard = {shard}\n"));
    format!(
        "{shard}meter.active_timeout_s = {active_timeout_s}\nmeter.activity_timeout_s = {activity_timeout_s}\n\
         meter.flows_max = {flows_max}\nmeter.idle_timeout_s = {idle_timeout_s}\n\
         meter.node_id = {node_id:?}\nmeter.sensor = {sensor:?}\n"
    )
}

/// The index as a sink; its place is part of the job, so that a job goes on with the index it began with.
fn sink<'a>(
    args: &Args,
    config: &Config,
    model: &Model,
    counts: &Counts,
) -> anyhow::Result<Option<(String, Box<OpenSink<'a>>)>> {
    if args.no_index {
        return Ok(None);
    }
    let elsewhere = args.index.as_deref().map(std::path::absolute).transpose()?;
    let place = elsewhere.as_ref().map_or_else(|| INDEX.to_owned(), |dir| dir.display().to_string());
    let options = index_options(config, model.dimension(), &model.manifest().space)?;
    let counts = counts.clone();
    let open = move |folder: &Path| {
        let dir = elsewhere.unwrap_or_else(|| folder.join(INDEX));
        let sink = IndexSink::open(&dir, options, counts)?;
        Ok(Box::new(sink) as Box<dyn Sink>)
    };
    Ok(Some((place, Box::new(open))))
}

/// An empty path in the configuration means the default.
fn given(path: &Path) -> Option<&Path> {
    (!path.as_os_str().is_empty()).then_some(path)
}
