//! What readers and the writer of an index share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::Options;
use crate::snapshot::Snapshot;

/// What readers and the writer share.
pub(crate) struct Shared {
    /// The folder of the index.
    pub(crate) dir: PathBuf,
    /// How it was opened.
    pub(crate) options: Options,
    /// Counts since opening.
    pub(crate) counters: Counters,
    snapshot: RwLock<Arc<Snapshot>>,
}

/// Counts since opening.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) searches: Counter,
    pub(crate) searches_fell_back: Counter,
    pub(crate) events_added: Counter,
    pub(crate) events_duplicate: Counter,
    pub(crate) merges: Counter,
    pub(crate) leftovers_removed: Counter,
}

/// A count that only grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// All counts by name.
    pub(crate) fn list(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("searches", self.searches.value()),
            ("searches_fell_back", self.searches_fell_back.value()),
            ("events_added", self.events_added.value()),
            ("events_duplicate", self.events_duplicate.value()),
            ("merges", self.merges.value()),
            ("leftovers_removed", self.leftovers_removed.value()),
        ]
    }
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, options: Options, snapshot: Snapshot) -> Self {
        Self { dir, options, counters: Counters::default(), snapshot: RwLock::new(Arc::new(snapshot)) }
    }

    /// The segments of this moment.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        // The lock only ever guards an assignment, so a panic elsewhere leaves it whole.
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows searches that start from now on other segments.
    pub(crate) fn replace(&self, snapshot: Snapshot) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }
}
