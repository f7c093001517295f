//! The index: many readers, one writer.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forebay_event::{Event, EventId};

use crate::segment::{Segment, SegmentManifest};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::stats::DamagedSegment;
use crate::store::{self, Opened};
use crate::writer::Writer;
use crate::{Appended, Compacted, Found, IndexError, Options, Search, SegmentStats, Stats, cpu_check, query};

/// A folder of segments that can be searched and added to. Share it as `Arc<Index>`: searches run side by side, and
/// appends and merges one after the other beside them.
pub struct Index {
    shared: Shared,
    writer: Mutex<Writer>,
    /// Found when the index was opened, now and before.
    damaged: Vec<DamagedSegment>,
    /// Held for as long as the index is open; released by the system, however the process ends.
    _lock: std::fs::File,
}

impl Index {
    /// Opens the index in `dir`, or makes it there.
    ///
    /// Every file is verified before it is read. A damaged segment is set aside and named in [`Index::stats`] and in the
    /// log, and the rest serves. Refuses an index that is open elsewhere, of another vector space, or of a newer format.
    pub fn open(dir: &Path, options: Options) -> Result<Self, IndexError> {
        options.check()?;
        cpu_check().map_err(IndexError::Cpu)?;
        let Opened { lock, manifest, segments, unreadable, leftovers } = store::open(dir, &options)?;
        let snapshot = Snapshot { segments: segments.into_iter().map(Arc::new).collect(), end_seq: manifest.next_seq };
        let shared = Shared::new(dir.to_owned(), options, snapshot);
        shared.counters.leftovers_removed.add(leftovers);
        let damaged = manifest.damaged.iter().chain(&unreadable).cloned().collect();
        Ok(Self { shared, writer: Mutex::new(Writer::new(manifest)), damaged, _lock: lock })
    }

    /// Adds events with their vectors: one row of `dimension` numbers, unit length, for each event.
    ///
    /// When it returns, the events are on the disk and every search finds them. An event whose identifier is there
    /// already is passed over and counted. On an error, nothing of the batch is stored. Each call makes one segment, so
    /// batches of hundreds or thousands are better than single events; small segments are merged along the way.
    pub fn append(&self, events: &[Event], vectors: &[f32]) -> Result<Appended, IndexError> {
        let mut writer = self.writer();
        let appended = writer.append(&self.shared, events, vectors)?;
        self.shared.counters.events_added.add(appended.added as u64);
        self.shared.counters.events_duplicate.add(appended.duplicates as u64);
        if self.shared.options.merge_on_append && appended.added > 0 {
            // The events are stored whatever comes of this: a merge that fails must not take back the acknowledgement.
            match writer.compact_inline(&self.shared) {
                Ok(done) => self.shared.counters.merges.add(done.merges as u64),
                Err(error) => tracing::error!(%error, "small segments could not be merged"),
            }
        }
        Ok(appended)
    }

    /// Answers a search.
    pub fn search(&self, search: &Search) -> Result<Found, IndexError> {
        search.check(self.shared.options.dimension)?;
        let found = query::run(&self.shared.snapshot(), search)?;
        self.shared.counters.searches.add(1);
        let fell_back = found.plan.segments.iter().any(|segment| segment.fell_back);
        self.shared.counters.searches_fell_back.add(u64::from(fell_back));
        Ok(found)
    }

    /// The event with this identifier.
    pub fn event(&self, id: EventId) -> Result<Option<Event>, IndexError> {
        let snapshot = self.shared.snapshot();
        snapshot.find(id).map(|(segment, row)| segment.event(row)).transpose()
    }

    /// What the index holds.
    pub fn stats(&self) -> Stats {
        let snapshot = self.shared.snapshot();
        let manifests = || snapshot.iter().map(Segment::manifest);
        let segments = snapshot.iter().map(|segment| SegmentStats {
            name: segment.name().to_owned(),
            events: u64::from(segment.rows()),
            bytes: segment.manifest().bytes(),
            engine: segment.engine().name().to_owned(),
        });
        let first = manifests().map(|manifest| manifest.first_start_us).min();
        let last = manifests().map(|manifest| manifest.last_start_us).max();
        Stats {
            events: manifests().map(|manifest| u64::from(manifest.events)).sum(),
            bytes: manifests().map(SegmentManifest::bytes).sum(),
            model_space: self.shared.options.model_space.clone(),
            dimension: self.shared.options.dimension,
            time_range_us: first.zip(last),
            segments: segments.collect(),
            damaged: self.damaged.clone(),
            counters: self.shared.counters.list(),
        }
    }

    /// Merges segments of like size, however large, until none are left to merge. Searches go on meanwhile; appends wait.
    pub fn compact(&self) -> Result<Compacted, IndexError> {
        let done = self.writer().compact(&self.shared, u64::MAX)?;
        self.shared.counters.merges.add(done.merges as u64);
        Ok(done)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic in the writer leaves its manifest as of the last publication, which is what is on the disk.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
