//! The writer of an index: who may change what is live, and in what order.
//!
//! Appends ([`crate::append`]), the sealing of the hot part ([`crate::sealing`]), merges ([`crate::merging`]), retention
//! ([`crate::retention`]) and copies ([`crate::backup`]) run side by side. What keeps them apart:
//!
//! * `hot` guards the numbers, the log and the slices in memory; nothing is read or written while it is held.
//! * `catalog` guards `index.json`: whoever changes the list of segments holds it from reading the list to having shown the
//!   new one to searches. No append through the log waits for it.
//! * `sealing` and `merging` let one of each run at a time.
//!
//! Locks are taken in the order `sealing` or `merging`, `catalog`, `hot`, the snapshot. A search takes none but the
//! snapshot's, for as long as it takes to copy a pointer.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fs_err as fs;

use crate::IndexError;
use crate::hot::{Generation, Hot};
use crate::known::Known;
use crate::manifest::{IndexManifest, Listed, segment_name};
use crate::segment::{Building, SEGMENTS_DIR, Segment, SegmentManifest};
use crate::shared::Shared;

/// What only the writer knows.
pub(crate) struct Writer {
    pub(crate) hot: Hot,
    catalog: Mutex<IndexManifest>,
    sealing: Mutex<()>,
    merging: Mutex<()>,
}

impl Writer {
    /// `next_seq` is the number of the next event, `first` what the log gave back.
    pub(crate) fn new(manifest: IndexManifest, next_seq: u64, first: Generation, seal_events: u64) -> Self {
        Self {
            hot: Hot::new(next_seq, first, seal_events),
            catalog: Mutex::new(manifest),
            sealing: Mutex::default(),
            merging: Mutex::default(),
        }
    }

    /// The list of segments, as it is on the disk.
    pub(crate) fn catalog(&self) -> MutexGuard<'_, IndexManifest> {
        held(&self.catalog)
    }

    pub(crate) fn sealing(&self) -> MutexGuard<'_, ()> {
        held(&self.sealing)
    }

    pub(crate) fn merging(&self) -> MutexGuard<'_, ()> {
        held(&self.merging)
    }

    pub(crate) fn check_healthy(&self) -> Result<(), IndexError> {
        self.hot.lock().check_healthy()
    }

    /// A place for the next segment.
    pub(crate) fn next_building<'a>(&self, shared: &'a Shared, replaces: Vec<String>) -> Building<'a> {
        let mut catalog = self.catalog();
        let name = segment_name(catalog.next_segment);
        // Counted even if the write fails: a name is never used twice.
        catalog.next_segment += 1;
        Building { index_dir: &shared.dir, options: &shared.options, name, replaces, with_engine: true }
    }

    /// Lists a segment that stands for nothing else, and shows it.
    pub(crate) fn list(&self, shared: &Shared, segment: SegmentManifest) -> Result<(), IndexError> {
        let known = open(shared, segment)?;
        let mut catalog = self.catalog();
        self.write_catalog(shared, &mut catalog, |manifest| manifest.add(known.segment().manifest()))?;
        shared.update(|snapshot| snapshot.add(known));
        Ok(())
    }

    /// Changes the list of segments on the disk. On an error it stays as it was in memory, and the writer is poisoned
    /// unless the disk was only full.
    pub(crate) fn write_catalog(
        &self,
        shared: &Shared,
        catalog: &mut IndexManifest,
        change: impl FnOnce(&mut IndexManifest),
    ) -> Result<(), IndexError> {
        self.check_healthy()?;
        let mut next = catalog.clone();
        change(&mut next);
        next.write(&shared.dir).map_err(|error| self.judge(error))?;
        *catalog = next;
        Ok(())
    }

    /// After a failed write or sync nobody knows what is on the disk (the kernel drops the pages it could not write), so
    /// nothing more is taken. A full disk is different: what was being written is thrown away, and there may be room later.
    pub(crate) fn judge(&self, error: IndexError) -> IndexError {
        if let IndexError::Io(io) = &error
            && !is_full(io)
        {
            self.hot.lock().poisoned.get_or_insert_with(|| io.to_string());
            self.hot.changed.notify_all();
        }
        error
    }
}

/// Whether the disk had no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Opens a segment that was just written, and makes the filter of its identifiers.
pub(crate) fn open(shared: &Shared, segment: SegmentManifest) -> Result<Arc<Known>, IndexError> {
    let known = Known::new(Arc::new(Segment::open(&shared.dir, segment)?));
    known.prepare();
    Ok(Arc::new(known))
}

/// Removes the folders of segments that are listed no more. Searches still running keep their open files. What cannot be
/// removed now is removed at the next opening.
pub(crate) fn remove_folders<'a>(dir: &Path, names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        if let Err(error) = fs::remove_dir_all(dir.join(SEGMENTS_DIR).join(name)) {
            tracing::warn!(segment = name, %error, "a segment that is not listed any more could not be removed");
        }
    }
}

impl IndexManifest {
    /// Lists a segment.
    pub(crate) fn add(&mut self, segment: &SegmentManifest) {
        self.segments.push(Listed { name: segment.name.clone(), events: u64::from(segment.events) });
        self.next_seq = self.next_seq.max(segment.last_seq + 1);
    }

    /// Takes segments off the list.
    pub(crate) fn strike(&mut self, names: &[String]) {
        self.segments.retain(|listed| !names.contains(&listed.name));
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is replaced whole, so a panic elsewhere leaves it as it was.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
