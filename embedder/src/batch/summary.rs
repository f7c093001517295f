//! What a job did, for people and for `--json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::Manifest;

/// What a run of a job did.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The output folder if `complete`, else the unfinished one.
    pub out: PathBuf,
    /// Whether the output is there.
    pub complete: bool,
    /// Whether the output had been there before and nothing was done.
    pub already: bool,
    /// Events embedded, runs before included.
    pub events: u64,
    /// Events that a run before had embedded.
    pub events_before: u64,
    /// Items rejected, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Sum of `rejected`.
    pub rejected_sum: u64,
    /// What the sources left out or took by a fallback, by reason.
    pub source_counters: BTreeMap<String, u64>,
    /// Inputs given up in the middle, and why.
    pub damaged_inputs: Vec<(String, String)>,
    /// Feature values passed over because they do not fit a 32-bit float.
    pub infinite_features: u64,
    /// Parts written, runs before included.
    pub parts: usize,
    /// Bytes of the inputs read by this run.
    pub bytes_read: u64,
    /// Bytes of the parts.
    pub bytes_written: u64,
    /// Time of this run.
    pub seconds: f64,
    /// Events of this run in a second.
    pub events_per_second: f64,
    /// Where the time went.
    pub times: Times,
}

/// Where the time of a run went, in seconds. Reader, workers and writer run side by side, so the sum is over `seconds`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Times {
    /// Reading, and decoding where a format cannot be decoded in pieces, on the reader's thread.
    pub reading: f64,
    /// Decoding lines, summed over the workers.
    pub decoding: f64,
    /// Running the network, summed over the workers.
    pub embedding: f64,
    /// Laying events out in columns, summed over the workers.
    pub columns: f64,
    /// Encoding columns as Parquet, summed over the workers.
    pub encoding: f64,
    /// Hashing and writing files, on the writer's thread; holds the time it waited for [`Times::syncing`].
    pub writing: f64,
    /// Carrying files to the disk, on a thread of its own.
    pub syncing: f64,
    /// The sink (the index), on the writer's thread.
    pub sink: f64,
    /// The writer waiting for the workers.
    pub waiting: f64,
}

impl Summary {
    /// What `manifest` says; the figures of a run are zero.
    pub(super) fn of(manifest: &Manifest, out: &Path) -> Self {
        let totals = &manifest.totals;
        Self {
            out: out.to_owned(),
            complete: manifest.complete,
            already: false,
            events: totals.events,
            events_before: totals.events,
            rejected: totals.rejected.clone(),
            rejected_sum: totals.rejected_sum(),
            source_counters: totals.source_counters.clone(),
            damaged_inputs: totals.damaged_inputs.clone(),
            infinite_features: totals.infinite_features,
            parts: manifest.parts.len(),
            bytes_read: 0,
            bytes_written: manifest.parts.iter().map(|part| part.bytes).sum(),
            seconds: 0.0,
            events_per_second: 0.0,
            times: Times::default(),
        }
    }
}

impl Times {
    pub(super) fn add(seconds: &mut f64, time: Duration) {
        *seconds += time.as_secs_f64();
    }

    /// Adds the time a worker spent on a batch.
    pub(super) fn of_worker(&mut self, worker: &Self) {
        self.decoding += worker.decoding;
        self.embedding += worker.embedding;
        self.columns += worker.columns;
        self.encoding += worker.encoding;
    }
}
