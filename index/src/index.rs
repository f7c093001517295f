//! The index: many readers, one writer.

use std::path::Path;
use std::sync::Arc;

use forebay_event::{Event, EventId};

use crate::check::check_event;
use crate::segment::{Segment, SegmentManifest};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::store::{self, Opened};
use crate::worker::Workers;
use crate::writer::Writer;
use crate::{
    Appended, Compacted, Copied, Dropped, Found, IndexError, Options, Order, Plan, Search, SegmentStats, Stats,
    cpu_check, limits, query,
};

/// A folder of segments that can be searched and added to. Share it as `Arc<Index>`: searches and appends run side by side,
/// and sealing, merging and dropping of segments beside them in the background.
///
/// Closing it (dropping the last owner) writes a hot part of some size as a segment and ends the background threads.
pub struct Index {
    inner: Arc<Inner>,
    workers: Workers,
}

/// What the index and its background threads share.
pub(crate) struct Inner {
    pub(crate) shared: Shared,
    pub(crate) writer: Writer,
    /// Held for as long as anything works on the index; released by the system, however the process ends.
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
        let Opened { lock, manifest, segments, recovered, unreadable, leftovers } = store::open(dir, &options)?;
        let mut snapshot = Snapshot { end_seq: recovered.next_seq, ..Snapshot::default() };
        for known in segments {
            snapshot.add(known);
        }
        snapshot.segments.extend(recovered.hot.slices.iter().cloned());
        let damaged = manifest.damaged.iter().chain(&unreadable).cloned().collect();
        let shared = Shared::new(dir.to_owned(), options, snapshot, damaged);
        shared.counters.leftovers_removed.add(leftovers);
        shared.counters.log_events_replayed.add(recovered.hot.events);
        shared.counters.log_bytes_torn.add(recovered.torn_bytes);
        let seal_events = shared.options.seal_events as u64;
        let writer = Writer::new(manifest, recovered.next_seq, recovered.hot, seal_events);
        let inner = Arc::new(Inner { shared, writer, _lock: lock });
        let workers = Workers::start(&inner)?;
        Ok(Self { inner, workers })
    }

    /// Adds events with their vectors: one row of `dimension` numbers, unit length, for each event.
    ///
    /// When it returns, the events are on the disk and every search finds them. An event whose identifier is there
    /// already is passed over and counted. On an error, nothing of the batch is stored. Callers on several threads are
    /// synced together; one that appends event by event waits for a sync each time.
    pub fn append(&self, events: &[Event], vectors: &[f32]) -> Result<Appended, IndexError> {
        let is_new = self.append_each(events.to_vec(), vectors.to_vec())?;
        let added = is_new.iter().filter(|is_new| **is_new).count();
        Ok(Appended { added, duplicates: is_new.len() - added })
    }

    /// The same as [`Index::append`] for a caller that needs the events no more; tells of each event whether it was new.
    pub fn append_each(&self, events: Vec<Event>, vectors: Vec<f32>) -> Result<Vec<bool>, IndexError> {
        let Inner { shared, writer, .. } = &*self.inner;
        let is_new = writer.append(shared, events, vectors)?;
        let added = is_new.iter().filter(|is_new| **is_new).count();
        shared.counters.events_added.add(added as u64);
        shared.counters.events_duplicate.add((is_new.len() - added) as u64);
        Ok(is_new)
    }

    /// Whether an event can be stored; else [`IndexError::Event`], which says why. An append with one that cannot stores
    /// nothing.
    pub fn check(event: &Event) -> Result<(), IndexError> {
        check_event(event)
    }

    /// Answers a search.
    pub fn search(&self, search: &Search) -> Result<Found, IndexError> {
        search.check(self.inner.shared.options.dimension)?;
        let found = query::run(&self.inner.shared.snapshot(), search)?;
        self.count(&found.plan);
        Ok(found)
    }

    /// What [`Index::search`] would give, in the same order, as identifiers: no event is read, nothing is explained or
    /// counted. For callers that want many hits and few of their events.
    pub fn rank(&self, search: &Search) -> Result<Order, IndexError> {
        search.check(self.inner.shared.options.dimension)?;
        let order = query::rank(&self.inner.shared.snapshot(), search)?;
        self.count(&order.plan);
        Ok(order)
    }

    fn count(&self, plan: &Plan) {
        self.inner.shared.counters.searches.add(1);
        let fell_back = plan.segments.iter().any(|segment| segment.fell_back);
        self.inner.shared.counters.searches_fell_back.add(u64::from(fell_back));
    }

    /// The event with this identifier.
    pub fn event(&self, id: EventId) -> Result<Option<Event>, IndexError> {
        let snapshot = self.inner.shared.snapshot();
        snapshot.find(id).map(|(segment, row)| segment.event(row)).transpose()
    }

    /// What the index holds.
    pub fn stats(&self) -> Stats {
        let Inner { shared, writer, .. } = &*self.inner;
        let snapshot = shared.snapshot();
        let manifests = || snapshot.iter().map(Segment::manifest);
        let segments = snapshot.sealed().map(|segment| SegmentStats {
            name: segment.name().to_owned(),
            events: u64::from(segment.rows()),
            bytes: segment.manifest().bytes(),
            engine: segment.engine().name().to_owned(),
        });
        let segments: Vec<SegmentStats> = segments.collect();
        let events = manifests().map(|manifest| u64::from(manifest.events)).sum();
        let log_bytes = writer.hot.lock().bytes();
        let first = manifests().map(|manifest| manifest.first_start_us).min();
        let last = manifests().map(|manifest| manifest.last_start_us).max();
        Stats {
            events,
            bytes: manifests().map(SegmentManifest::bytes).sum::<u64>() + log_bytes,
            hot_events: events - segments.iter().map(|segment| segment.events).sum::<u64>(),
            log_bytes,
            model_space: shared.options.model_space.clone(),
            dimension: shared.options.dimension,
            time_range_us: first.zip(last),
            slices: snapshot.segments.len() - segments.len(),
            segments,
            damaged: shared.damaged(),
            counters: shared.counters.list(),
        }
    }

    /// Writes the hot part as a segment and merges segments of like size, however large, until none are left to merge.
    /// Searches and appends go on meanwhile.
    pub fn compact(&self) -> Result<Compacted, IndexError> {
        self.inner.writer.compact(&self.inner.shared)
    }

    /// Writes the hot part as a segment now.
    pub fn seal(&self) -> Result<(), IndexError> {
        self.inner.writer.seal_all(&self.inner.shared)
    }

    /// Drops every segment whose events all started before `before_us` (Unix epoch, microseconds). What is older and shares
    /// a segment with something newer stays.
    pub fn delete_before(&self, before_us: i64) -> Result<Dropped, IndexError> {
        self.inner.writer.delete_before(&self.inner.shared, before_us)
    }

    /// Drops what `retention` says should not be kept where it is `now_us`. What [`Options::retention`] says is done in the
    /// background anyway.
    pub fn retain(&self, retention: &crate::Retention, now_us: i64) -> Result<Dropped, IndexError> {
        self.inner.writer.apply(&self.inner.shared, retention, now_us)
    }

    /// Makes a copy of the index as the folder `to`, which must not be there yet: everything acknowledged before the call.
    /// Searches and appends go on meanwhile. Files are linked where `to` is on the same file system.
    pub fn copy_to(&self, to: &Path) -> Result<Copied, IndexError> {
        self.inner.writer.copy_to(&self.inner.shared, to)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        let Inner { shared, writer, .. } = &*self.inner;
        self.workers.stop(&self.inner);
        let hot = writer.hot.lock().events();
        if hot >= limits::CLOSE_SEAL_EVENTS
            && let Err(error) = writer.seal_all(shared)
        {
            tracing::warn!(%error, events = hot, "the hot part could not be written as a segment; it stays in the log");
        }
    }
}
