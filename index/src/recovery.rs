//! Reading the log back when an index is opened.
//!
//! An event of the log that a segment holds already is passed over, so it does not matter whether a crash came before or
//! after its segment was listed, or whether the manifest had to be made anew. What cannot be read though it was
//! acknowledged is remembered among the damaged, and its file is kept in `aside/` for a person to look at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use forebay_event::Event;
use fs_err as fs;

use crate::hot::{Generation, slice_name};
use crate::known::Known;
use crate::limits::SEAL_EVENTS;
use crate::manifest::IndexManifest;
use crate::segment::{ASIDE_DIR, Segment};
use crate::{IndexError, Options, durable, log};

/// What the log gave back.
pub(crate) struct Recovered {
    /// Its events, and the number of the next log file.
    pub(crate) hot: Generation,
    /// Number of the next event.
    pub(crate) next_seq: u64,
    /// Bytes of appends that a crash cut short.
    pub(crate) torn_bytes: u64,
}

/// Reads the log files of the index in `dir` that count and removes the others. Damage goes into `manifest`.
pub(crate) fn recover(
    dir: &Path,
    manifest: &mut IndexManifest,
    sealed: &[Arc<Known>],
    options: &Options,
) -> Result<Recovered, IndexError> {
    let mut run =
        Run { sealed, options, hot: Generation::new(0), events: Vec::new(), vectors: Vec::new(), first_seq: 0 };
    let (mut next_seq, mut next_log, mut torn_bytes) = (manifest.next_seq, manifest.first_log, 0);
    for number in log::numbers(dir)? {
        if number < manifest.first_log {
            log::remove(dir, number)?;
            continue;
        }
        next_log = number + 1;
        let mut replayed = log::replay(dir, number, options)?;
        torn_bytes += replayed.torn_bytes;
        if replayed.torn_bytes > 0 {
            tracing::warn!(log = number, bytes = replayed.torn_bytes, "an append that a crash cut short was left out");
        }
        for mut damage in std::mem::take(&mut replayed.damaged) {
            damage.aside = Some(keep_aside(dir, number)?);
            tracing::error!(name = damage.name, events = damage.events, reason = damage.reason, "the log is damaged");
            if !manifest.damaged.contains(&damage) {
                manifest.damaged.push(damage);
            }
        }
        for batch in replayed.batches {
            next_seq = next_seq.max(batch.first_seq + batch.events.len() as u64);
            run.add(batch.first_seq, batch.events, &batch.vectors)?;
        }
    }
    run.flush()?;
    run.hot.log = next_log;
    Ok(Recovered { hot: run.hot, next_seq, torn_bytes })
}

/// Events with consecutive numbers, gathered into slices that are worth having.
struct Run<'a> {
    sealed: &'a [Arc<Known>],
    options: &'a Options,
    hot: Generation,
    events: Vec<Event>,
    vectors: Vec<f32>,
    first_seq: u64,
}

impl Run<'_> {
    fn add(&mut self, first_seq: u64, events: Vec<Event>, vectors: &[f32]) -> Result<(), IndexError> {
        for ((seq, event), vector) in (first_seq..).zip(events).zip(vectors.chunks_exact(self.options.dimension)) {
            let id = event.event_id.0.as_u128();
            if self.sealed.iter().any(|known| known.holds(id)) || !self.hot.ids.insert(id) {
                continue;
            }
            if seq != self.first_seq + self.events.len() as u64 || self.events.len() >= SEAL_EVENTS {
                self.flush()?;
                self.first_seq = seq;
            }
            self.events.push(event);
            self.vectors.extend_from_slice(vector);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), IndexError> {
        if self.events.is_empty() {
            return Ok(());
        }
        let name = slice_name(self.first_seq);
        let slice = Segment::in_memory(&name, &self.events, &self.vectors, self.first_seq, self.options)?;
        // About what the events take in the log: enough to know when to seal.
        let bytes = self.vectors.len() * size_of::<f32>() + self.events.len() * size_of::<Event>();
        self.hot.push(Arc::new(slice), bytes as u64);
        self.events.clear();
        self.vectors.clear();
        Ok(())
    }
}

/// A copy of log file `number`, which will be removed once what is left of it is in a segment.
fn keep_aside(dir: &Path, number: u64) -> Result<PathBuf, IndexError> {
    let aside = PathBuf::from(ASIDE_DIR).join(log::file_name(number));
    if !dir.join(&aside).exists() {
        fs::copy(dir.join(log::LOG_DIR).join(log::file_name(number)), dir.join(&aside))?;
        fs::File::open(dir.join(&aside))?.sync_all()?;
        durable::sync_dir(&dir.join(ASIDE_DIR))?;
    }
    Ok(aside)
}
