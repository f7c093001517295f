//! The job itself: from a list of inputs to a finished folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use forebay_event::SCHEMA_VERSION;

use super::folder::{self, Folder, Found, incomplete_path};
use super::limits::{BATCHES_PER_PART, INPUTS_MAX, PART_EVENTS, ROW_GROUP_ROWS, WORKERS_MAX};
use super::manifest::{FORMAT, Identity, Manifest, ModelIdentity};
use super::output::Output;
use super::pipeline;
use super::reader::{End, Reader};
use super::rows::Rows;
use super::worker::{Keep, Worker};
use super::{BatchError, Input, Observer, Sink, SinkError, Snapshot, Summary};
use crate::limits::BATCH_EVENTS_MAX;
use crate::{EventEmbedder, Model, Precision};

/// Opens a sink; gets the folder in which it may keep things that shall be part of the output.
pub type OpenSink<'a> = dyn FnOnce(&Path) -> Result<Box<dyn Sink>, SinkError> + 'a;

/// What to do.
pub struct Job<'a> {
    /// What to read, in order. Nothing at all gives a table without rows.
    pub inputs: Vec<Input>,
    /// The folder that shall appear.
    pub out: PathBuf,
    /// The event model.
    pub model: &'a Model,
    /// How to do it.
    pub options: Options,
    /// Who else gets the vectors: the name of the place, which is part of the job's identity, and how to open it.
    pub sink: Option<(String, Box<OpenSink<'a>>)>,
}

/// How to do it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which network of the model.
    pub precision: Precision,
    /// Threads that embed, each with a session of its own; 0 is one for each core.
    pub workers: usize,
    /// Events in one run of the network, at most [`BATCH_EVENTS_MAX`].
    pub batch_events: usize,
    /// Events of a part: how much work a crash can cost.
    pub part_events: usize,
    /// Write `vectors.npy` as well.
    pub npy: bool,
    /// Name a damaged input and go on with the next one, instead of ending the job.
    pub keep_going: bool,
    /// Everything else that decides what the inputs are read as, one setting a line; part of the job's identity.
    pub source_settings: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            precision: Precision::Auto,
            workers: 0,
            batch_events: BATCH_EVENTS_MAX,
            part_events: PART_EVENTS,
            npy: false,
            keep_going: false,
            source_settings: String::new(),
        }
    }
}

/// Runs `job` to its end, or until `stop` is set: then what is embedded is committed and the summary says `complete: false`.
///
/// `stop` is also set by the job itself when it fails.
pub fn run(mut job: Job<'_>, stop: &AtomicBool, observer: &mut dyn Observer) -> Result<Summary, BatchError> {
    let began = Instant::now();
    let identity = identity(&job)?;
    let (folder, manifest) = match folder::open(&job.out, &identity)? {
        Found::Done(manifest) => return Ok(Summary { already: true, ..Summary::of(&manifest, &job.out) }),
        Found::Work(folder, manifest) => (folder, *manifest),
    };
    if manifest.complete {
        // A crash came between the last write and the rename.
        folder.publish()?;
        return Ok(Summary::of(&manifest, &job.out));
    }
    let before = manifest.totals.events;
    if before > 0 {
        observer.resumed(before);
    }
    let mut summary = match work(&mut job, &folder, manifest, stop, observer, began) {
        Ok(summary) if summary.complete => {
            folder.publish()?;
            summary
        }
        unfinished => {
            folder.abandon_if_blank();
            unfinished?
        }
    };
    summary.events_before = before;
    summary.seconds = began.elapsed().as_secs_f64();
    summary.events_per_second = (summary.events - before) as f64 / summary.seconds.max(1e-9);
    Ok(summary)
}

/// Opens everything the job needs and embeds; gives it all back before it returns.
fn work(
    job: &mut Job<'_>,
    folder: &Folder,
    manifest: Manifest,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
    began: Instant,
) -> Result<Summary, BatchError> {
    let embedders = embedders(job)?;
    let sink = match job.sink.take() {
        Some((_, open)) => Some(open(folder.path()).map_err(BatchError::Sink)?),
        None => None,
    };
    let rows = Rows::new(manifest.job.model.dimension);
    let keep = Keep { events: sink.is_some(), vectors: sink.is_some() || manifest.job.npy };
    let slice_events = job.options.batch_events;
    let workers = embedders
        .into_iter()
        .map(|embedder| Worker::new(embedder, &rows, &manifest.job.model, slice_events, keep))
        .collect::<Result<_, _>>()?;
    let output = Output::open(folder, manifest, rows, sink)?;
    embed(job, output, workers, stop, observer, began)
}

/// Runs the pipeline and then ends, or only commits, the output.
fn embed(
    job: &Job<'_>,
    mut output: Output,
    workers: Vec<Worker>,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
    began: Instant,
) -> Result<Summary, BatchError> {
    let reader = Reader {
        inputs: &job.inputs,
        position: output.position(),
        batch_events: events_of_a_batch(&job.options),
        keep_going: job.options.keep_going,
    };
    let mut snapshot =
        Snapshot { bytes_total: job.inputs.iter().map(|input| input.bytes).sum(), ..Snapshot::default() };
    let ran = pipeline::run(reader, workers, stop, |batch| {
        output.accept(batch)?;
        snapshot.note(&output, batch.embedded, batch.bytes_read, began.elapsed());
        observer.written(&snapshot);
        Ok(())
    })?;
    let (manifest, times, place) = match ran.end {
        End::Inputs => {
            let (manifest, times) = output.finish()?;
            (manifest, times, job.out.clone())
        }
        End::Stopped => {
            let (manifest, times) = output.settle()?;
            (manifest, times, incomplete_path(&job.out))
        }
        End::Failed(error) => {
            output.settle()?;
            return Err(error);
        }
    };
    let mut summary = Summary { bytes_read: snapshot.bytes_read, times, ..Summary::of(&manifest, &place) };
    summary.times.reading = ran.reading.as_secs_f64();
    summary.times.waiting = ran.waiting.as_secs_f64();
    Ok(summary)
}

/// Whole runs of the network, so many that a part is cut near the size asked for and a row group is worth its columns.
fn events_of_a_batch(options: &Options) -> usize {
    let share = (options.part_events / BATCHES_PER_PART).min(ROW_GROUP_ROWS);
    share.next_multiple_of(options.batch_events).max(options.batch_events)
}

fn embedders(job: &Job<'_>) -> Result<Vec<EventEmbedder>, BatchError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = if job.options.workers == 0 { cores } else { job.options.workers };
    let embedders = (0..workers.min(WORKERS_MAX))
        .map(|_| EventEmbedder::load(job.model, job.options.precision))
        .collect::<Result<_, _>>()?;
    Ok(embedders)
}

fn identity(job: &Job<'_>) -> Result<Identity, BatchError> {
    if job.inputs.len() > INPUTS_MAX {
        return Err(BatchError::Inputs(format!("{} inputs; up to {INPUTS_MAX} are taken", job.inputs.len())));
    }
    let Options { precision, batch_events, part_events, npy, .. } = job.options;
    if !(1..=BATCH_EVENTS_MAX).contains(&batch_events) || part_events == 0 {
        let reason = format!(
            "a batch has 1 to {BATCH_EVENTS_MAX} events, a part at least 1; {batch_events} and {part_events} were asked for"
        );
        return Err(BatchError::Inputs(reason));
    }
    let manifest = job.model.manifest();
    let precision = precision.resolve(job.model);
    let sha256 = manifest.files.get(precision).map(|file| file.sha256.to_lowercase()).unwrap_or_default();
    Ok(Identity {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema_version: SCHEMA_VERSION.to_owned(),
        model: ModelIdentity {
            name: manifest.name.clone(),
            version: manifest.version,
            precision: precision.to_owned(),
            sha256,
            space: manifest.space.clone(),
            dimension: manifest.dimension,
        },
        part_events,
        batch_events,
        npy,
        source_settings: job.options.source_settings.clone(),
        index: job.sink.as_ref().map(|(place, _)| place.clone()),
        inputs: job.inputs.iter().map(|input| (input.name.clone(), input.fingerprint.clone())).collect(),
    })
}
