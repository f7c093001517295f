//! The hot part: what is acknowledged and not yet in a segment on disk.
//!
//! ```text
//! append:   check, drop what is there already, reserve numbers      (a short lock)
//!           encode a frame, make a slice in memory                  (no lock; callers side by side)
//!           write and sync the frames of all who are ready          (one of the callers, for all: group commit)
//!           show the slices to searches, acknowledge                (a short lock)
//! ```
//!
//! A *generation* is the events of one log file (after a crash, of all that were there) with their slices. The last one
//! takes what comes; the ones before wait to be sealed into a segment. Batches are written and shown in the order of their
//! numbers, so a search never sees an event and misses one with a lower number, and pages stay apart.
//!
//! **Failure.** When a write fails, every batch that is under way fails with it: a later one may have left out events as
//! duplicates of an earlier one. A failure that leaves the disk in doubt poisons the writer.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::IndexError;
use crate::limits::ENGINE_PATIENCE;
use crate::log::{Frame, LogFile};
use crate::segment::{Segment, SegmentManifest};

/// The hot part of an index.
pub(crate) struct Hot {
    state: Mutex<State>,
    /// Told of whatever changes in the state.
    pub(crate) changed: Condvar,
}

/// What is hot.
pub(crate) struct State {
    /// Number of the next event.
    pub(crate) next_seq: u64,
    /// Oldest first. There is always one: the last takes what comes.
    pub(crate) generations: Vec<Generation>,
    /// Batches that have their numbers and are not acknowledged, by their first number.
    pub(crate) in_flight: BTreeMap<u64, InFlight>,
    pub(crate) log: LogSlot,
    /// Bytes of the current log file that are synced: everything that is acknowledged.
    pub(crate) log_synced: u64,
    /// Times that everything under way failed.
    pub(crate) failures: u64,
    /// Why nothing more is taken.
    pub(crate) poisoned: Option<String>,
    /// Why the last try to seal a generation failed.
    pub(crate) seal_failed: Option<String>,
}

/// The log file that is written to.
pub(crate) enum LogSlot {
    /// Not made yet; the next commit makes it.
    Absent,
    Open(LogFile),
    /// Somebody writes to it.
    Taken,
}

/// The events of one log file.
pub(crate) struct Generation {
    /// The number of its log file, the last one where it has more.
    pub(crate) log: u64,
    /// The identifiers of its events, and of batches under way.
    pub(crate) ids: HashSet<u128>,
    pub(crate) slices: Vec<Arc<Segment>>,
    pub(crate) events: u64,
    /// Bytes in the log.
    pub(crate) bytes: u64,
    /// When its first event came.
    pub(crate) since: Option<Instant>,
    /// Whether it filled faster than an engine over its events is built.
    pub(crate) is_hasty: bool,
}

/// A batch on its way.
pub(crate) struct InFlight {
    /// Number of the event after its last.
    pub(crate) end_seq: u64,
    pub(crate) ids: Vec<u128>,
    pub(crate) ready: Option<Ready>,
    pub(crate) failed: Option<String>,
}

/// A batch that can be written.
pub(crate) enum Ready {
    /// Through the log.
    Slice { frame: Frame, slice: Arc<Segment> },
    /// A batch large enough to be a segment of its own: it is on the disk and only not listed yet.
    Sealed(Box<SegmentManifest>),
}

/// The name of a slice whose first event has this number.
pub(crate) fn slice_name(first_seq: u64) -> String {
    format!("memory-{first_seq:010}")
}

impl Hot {
    /// `first` is what the log gave back; with `seal_events` events or more it is ended at once, so that it is sealed.
    pub(crate) fn new(next_seq: u64, first: Generation, seal_events: u64) -> Self {
        let is_full = first.events >= seal_events;
        let mut state = State {
            next_seq,
            generations: vec![first],
            in_flight: BTreeMap::new(),
            log: LogSlot::Absent,
            log_synced: 0,
            failures: 0,
            poisoned: None,
            seal_failed: None,
        };
        if is_full {
            state.rotate();
        }
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // What the lock guards is only changed in whole steps that do not panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Refuses when the writer is poisoned.
    pub(crate) fn check_healthy(&self) -> Result<(), IndexError> {
        match &self.poisoned {
            Some(reason) => Err(IndexError::Poisoned(reason.clone())),
            None => Ok(()),
        }
    }

    /// The generation that takes what comes.
    pub(crate) fn current(&mut self) -> &mut Generation {
        self.generations.last_mut().expect("there is always a generation: only those before the last are removed")
    }

    /// The generation that ended last; the current one where none has.
    pub(crate) fn before_last(&mut self) -> &mut Generation {
        let last = self.generations.len() - 1;
        &mut self.generations[last.saturating_sub(1)]
    }

    /// Events that are hot.
    pub(crate) fn events(&self) -> u64 {
        self.generations.iter().map(|generation| generation.events).sum()
    }

    /// Their bytes in the log.
    pub(crate) fn bytes(&self) -> u64 {
        self.generations.iter().map(|generation| generation.bytes).sum()
    }

    /// Whether an event is hot or on its way.
    pub(crate) fn holds(&self, id: u128) -> bool {
        self.generations.iter().any(|generation| generation.ids.contains(&id))
    }

    /// Ends the current generation, so that it can be sealed, and begins the next. Not while somebody writes to the log.
    pub(crate) fn rotate(&mut self) {
        debug_assert!(!matches!(self.log, LogSlot::Taken), "whoever writes to the log rotates when it is done");
        let current = self.current();
        current.is_hasty = current.since.is_some_and(|since| since.elapsed() < ENGINE_PATIENCE);
        let mut next = Generation::new(current.log + 1);
        // What is under way will lie in the next log file, or in none.
        next.ids.extend(self.in_flight.values().flat_map(|batch| &batch.ids));
        self.log = LogSlot::Absent;
        self.log_synced = 0;
        self.generations.push(next);
    }

    /// Every batch under way fails for `reason`.
    pub(crate) fn fail_all(&mut self, reason: &str) {
        self.failures += 1;
        for batch in self.in_flight.values_mut() {
            batch.failed.get_or_insert_with(|| reason.to_owned());
            batch.ready = None;
            forget(&mut self.generations, &std::mem::take(&mut batch.ids));
        }
    }

    /// Takes identifiers out again.
    pub(crate) fn forget(&mut self, ids: &[u128]) {
        forget(&mut self.generations, ids);
    }
}

fn forget(generations: &mut [Generation], ids: &[u128]) {
    for generation in generations {
        for id in ids {
            generation.ids.remove(id);
        }
    }
}

impl Generation {
    /// A generation without events whose log file has this number.
    pub(crate) fn new(log: u64) -> Self {
        Self { log, ids: HashSet::new(), slices: Vec::new(), events: 0, bytes: 0, since: None, is_hasty: false }
    }

    /// Adds a slice whose identifiers are known already.
    pub(crate) fn push(&mut self, slice: Arc<Segment>, bytes: u64) {
        self.events += u64::from(slice.rows());
        self.bytes += bytes;
        self.since.get_or_insert_with(Instant::now);
        self.slices.push(slice);
    }
}
