//! The threads behind an open index: one seals, joins slices, drops what is too old and lets go of what is unused; the
//! other verifies what opening left for later and merges, which may take minutes and must hold up none of that.
//!
//! The second, and whoever builds an engine, run at low priority, so that searches and appends come first when the processor
//! is short; the first does not, because appends wait for it when they are fast. They end when the index
//! is closed; a merge that is under way is waited for up to [`CLOSE_WAIT`], and then left to end by itself: what it was
//! writing is not listed yet, and the lock of the index is held until it is done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::hot::State;
use crate::index::Inner;
use crate::limits::{CLOSE_WAIT, SEAL_AFTER, WORKER_REST, WORKER_RETRY};
use crate::{IndexError, priority, resident};

/// The threads of one index.
pub(crate) struct Workers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts them.
    pub(crate) fn start(inner: &Arc<Inner>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let spawn = |name: &str, job: Job| {
            let (inner, stop) = (Arc::clone(inner), Arc::clone(&stop));
            std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&inner, &stop, job))
        };
        let threads = vec![
            spawn("index-seal", Job { step: keep, due: State::is_seal_due, gives_way: false })?,
            spawn("index-merge", Job { step: merge, due: |_| false, gives_way: true })?,
        ];
        Ok(Self { stop, threads })
    }

    /// Ends them, waiting only so long.
    pub(crate) fn stop(&mut self, inner: &Inner) {
        self.stop.store(true, Ordering::Release);
        inner.writer.hot.changed.notify_all();
        let patience = Instant::now() + CLOSE_WAIT;
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                // A panic was logged by the thread that had it; there is nothing more to do about it here.
                let _ = thread.join();
            } else {
                tracing::warn!("a merge is under way; the index stays locked until it has ended");
            }
        }
    }
}

/// What a thread does.
#[derive(Clone, Copy)]
struct Job {
    /// Does one thing; whether there was anything to do.
    step: fn(&Inner) -> Result<bool, IndexError>,
    /// Whether a change of the hot part is reason to begin before the rest is over.
    due: fn(&State) -> bool,
    /// Whether it runs at low priority.
    gives_way: bool,
}

/// Does steps while there are any, then rests.
fn work(inner: &Inner, stop: &AtomicBool, job: Job) {
    if job.gives_way {
        priority::lower();
    }
    let is_due: fn(&State) -> bool = job.due;
    while !stop.load(Ordering::Acquire) {
        let (rest, due) = match (job.step)(inner) {
            Ok(true) => continue,
            Ok(false) => (WORKER_REST, is_due),
            // Told and counted where it happened.
            Err(_) => (WORKER_RETRY, (|_| false) as fn(&State) -> bool),
        };
        let until = Instant::now() + rest;
        let mut state = inner.writer.hot.lock();
        while !stop.load(Ordering::Acquire) && Instant::now() < until && !due(&state) {
            let left = until.saturating_duration_since(Instant::now());
            state = inner.writer.hot.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A step of the thread that seals.
fn keep(inner: &Inner) -> Result<bool, IndexError> {
    let (writer, shared) = (&inner.writer, &inner.shared);
    shared.bury();
    resident::keep_below_bound(shared);
    if writer.check_healthy().is_err() {
        return Ok(false);
    }
    writer.rotate_if_older(SEAL_AFTER);
    if writer.seal(shared)? > 0 {
        return Ok(true);
    }
    if writer.coalesce(shared).inspect_err(|error| tracing::error!(%error, "slices could not be joined"))? {
        return Ok(true);
    }
    writer.retain(shared)?;
    Ok(false)
}

/// A step of the thread that merges.
fn merge(inner: &Inner) -> Result<bool, IndexError> {
    let (writer, shared) = (&inner.writer, &inner.shared);
    if writer.check_healthy().is_err() {
        return Ok(false);
    }
    if writer.verify_one(shared).inspect_err(|error| tracing::error!(%error, "a segment could not be verified"))? {
        return Ok(true);
    }
    if !shared.options.merge_in_background {
        return Ok(false);
    }
    writer.merge_one(shared).inspect_err(|error| {
        shared.counters.merges_failed.add(1);
        tracing::error!(%error, "segments could not be merged; tried again later");
    })
}
