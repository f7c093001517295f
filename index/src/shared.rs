//! What readers and the writer of an index share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use crate::Options;
use crate::resident::LastLook;
use crate::segment::Segment;
use crate::snapshot::Snapshot;
use crate::stats::DamagedSegment;

/// What readers and the writer share.
pub(crate) struct Shared {
    /// The folder of the index.
    pub(crate) dir: PathBuf,
    /// How it was opened.
    pub(crate) options: Options,
    /// Counts since opening.
    pub(crate) counters: Counters,
    /// When it was opened.
    pub(crate) opened: Instant,
    pub(crate) last_look: LastLook,
    /// What was found damaged, since the index was made.
    damaged: Mutex<Vec<DamagedSegment>>,
    snapshot: RwLock<Arc<Snapshot>>,
    /// Held while the next snapshot is put together.
    updating: Mutex<()>,
    /// What no snapshot holds any more, and perhaps a running search: the worker lets it go, for unmapping takes time.
    retired: Mutex<Vec<Arc<Segment>>>,
}

/// Counts since opening.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) searches: Counter,
    pub(crate) searches_fell_back: Counter,
    pub(crate) events_added: Counter,
    pub(crate) events_duplicate: Counter,
    pub(crate) seals: Counter,
    pub(crate) seals_without_engine: Counter,
    pub(crate) seals_failed: Counter,
    pub(crate) merges: Counter,
    pub(crate) merges_failed: Counter,
    pub(crate) appends_waited: Counter,
    pub(crate) appends_waited_us: Counter,
    pub(crate) log_events_replayed: Counter,
    pub(crate) log_bytes_torn: Counter,
    pub(crate) segments_dropped: Counter,
    pub(crate) events_dropped: Counter,
    pub(crate) leftovers_removed: Counter,
    pub(crate) bytes_paged_out: Counter,
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
            ("seals", self.seals.value()),
            ("seals_without_engine", self.seals_without_engine.value()),
            ("seals_failed", self.seals_failed.value()),
            ("merges", self.merges.value()),
            ("merges_failed", self.merges_failed.value()),
            ("appends_waited", self.appends_waited.value()),
            ("appends_waited_us", self.appends_waited_us.value()),
            ("log_events_replayed", self.log_events_replayed.value()),
            ("log_bytes_torn", self.log_bytes_torn.value()),
            ("segments_dropped", self.segments_dropped.value()),
            ("events_dropped", self.events_dropped.value()),
            ("leftovers_removed", self.leftovers_removed.value()),
            ("bytes_paged_out", self.bytes_paged_out.value()),
        ]
    }
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, options: Options, snapshot: Snapshot, damaged: Vec<DamagedSegment>) -> Self {
        Self {
            dir,
            options,
            counters: Counters::default(),
            opened: Instant::now(),
            last_look: LastLook::default(),
            damaged: Mutex::new(damaged),
            snapshot: RwLock::new(Arc::new(snapshot)),
            updating: Mutex::new(()),
            retired: Mutex::new(Vec::new()),
        }
    }

    /// What was found damaged.
    pub(crate) fn damaged(&self) -> Vec<DamagedSegment> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers damage found since the index was opened.
    pub(crate) fn add_damaged(&self, damaged: DamagedSegment) {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).push(damaged);
    }

    /// The segments of this moment.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        // The lock only ever guards an assignment, so a panic elsewhere leaves it whole.
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows searches that start from now on other segments.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        let _alone = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&self.snapshot());
        change(&mut next);
        let next = Arc::new(next);
        let before = std::mem::replace(&mut *self.snapshot.write().unwrap_or_else(PoisonError::into_inner), next);
        // Given back after the lock, which searches wait for.
        drop(before);
    }

    /// Keeps what a snapshot held until nobody uses it.
    pub(crate) fn retire(&self, segments: impl IntoIterator<Item = Arc<Segment>>) {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).extend(segments);
    }

    /// Lets go of what is not used any more. For a thread that nobody waits for.
    pub(crate) fn bury(&self) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let (unused, used) = retired.drain(..).partition(|segment| Arc::strong_count(segment) == 1);
        *retired = used;
        drop(retired);
        drop::<Vec<Arc<Segment>>>(unused);
    }
}
