//! A segment open for reading.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use forebay_event::{Event, EventId};
use fs_err as fs;

use super::bytes::Bytes;
use super::events::EventFile;
use super::ids::IdFile;
use super::manifest::FileEntry;
use super::profile::Profile;
use super::text_index::TextIndex;
use super::{
    COLUMNS_FILE, Columns, EVENTS_FILE, Fault, IDS_FILE, PROFILE_FILE, SEGMENTS_DIR, SegmentManifest, TEXT_DIR,
    VECTORS_FILE, VectorFile,
};
use crate::engine::{self, VectorEngine};
use crate::summary::Cache;
use crate::{IndexError, Options};

/// A segment open for reading.
pub(crate) struct Segment {
    pub(super) manifest: SegmentManifest,
    pub(super) text: TextIndex,
    pub(super) columns: Columns,
    pub(super) events: EventFile,
    pub(super) ids: IdFile,
    pub(super) vectors: Arc<VectorFile>,
    pub(super) engine: Box<dyn VectorEngine>,
    pub(super) profile: Profile,
    /// What was counted over all its rows.
    pub(super) summary: Cache,
    /// Whether the checksums of all its files have been found right, or it was written by this process.
    pub(super) verified: AtomicBool,
}

/// Verifies the segment `name` and opens it. Nothing is parsed before its checksum is right.
///
/// Files that are only mapped are verified as long as `budget` (bytes) lasts; beyond it they are left for [`verify_mapped`],
/// and [`Segment::is_verified`] says so.
pub(crate) fn verify(index_dir: &Path, name: &str, options: &Options, budget: &mut u64) -> Result<Segment, Fault> {
    let dir = index_dir.join(SEGMENTS_DIR).join(name);
    let manifest = SegmentManifest::read(&dir)?;
    let later = manifest.mapped_bytes() > *budget;
    manifest.verify(&dir, |file| !(later && file.is_mapped()))?;
    if !later {
        *budget -= manifest.mapped_bytes();
    }
    if manifest.name != name {
        return Err(Fault::Damaged(format!("it is the segment {} under another name", manifest.name)));
    }
    if manifest.space != options.model_space || manifest.dimension != options.dimension {
        let reason = format!("its vectors are of the space {:?} ({})", manifest.space, manifest.dimension);
        return Err(Fault::Damaged(reason));
    }
    // Its bytes are right, so what fails now is not the disk: the segment stays where it is.
    let segment = Segment::open(index_dir, manifest)
        .map_err(|error| Fault::Unreadable(std::io::Error::other(error.to_string())))?;
    segment.verified.store(!later, Ordering::Release);
    Ok(segment)
}

/// Verifies what [`verify`] left for later.
pub(crate) fn verify_mapped(index_dir: &Path, segment: &Segment) -> Result<(), Fault> {
    segment.manifest.verify(&index_dir.join(SEGMENTS_DIR).join(segment.name()), FileEntry::is_mapped)?;
    segment.verified.store(true, Ordering::Release);
    Ok(())
}

impl Segment {
    /// Opens a segment that was verified, or has just been written.
    pub(crate) fn open(index_dir: &Path, manifest: SegmentManifest) -> Result<Self, IndexError> {
        let dir = index_dir.join(SEGMENTS_DIR).join(&manifest.name);
        let text = TextIndex::open(&dir.join(TEXT_DIR))?;
        let columns = Columns::open(Bytes::map(&dir.join(COLUMNS_FILE))?, COLUMNS_FILE)?;
        let events = EventFile::open(&dir.join(EVENTS_FILE))?;
        let ids = IdFile::open(&dir.join(IDS_FILE))?;
        let vectors = Arc::new(VectorFile::open(&dir.join(VECTORS_FILE))?);
        let engine = engine::open(&manifest.engine, Arc::clone(&vectors), &dir)?;
        let profile = serde_json::from_slice(&fs::read(dir.join(PROFILE_FILE))?).map_err(std::io::Error::from)?;
        let (summary, verified) = (Cache::default(), AtomicBool::new(true));
        Self { manifest, text, columns, events, ids, vectors, engine, profile, summary, verified }.checked()
    }

    /// Refuses files that do not have the same rows.
    pub(super) fn checked(self) -> Result<Self, IndexError> {
        let rows = self.manifest.events as usize;
        let files = [
            ("words", self.text.rows() as usize),
            ("columns", self.columns.rows()),
            ("events", self.events.rows()),
            ("identifiers", self.ids.rows()),
            ("vectors", self.vectors.rows()),
        ];
        match files.into_iter().find(|(_, have)| *have != rows) {
            None => Ok(self),
            Some((what, have)) => Err(IndexError::Damaged {
                place: format!("segment {}", self.manifest.name),
                reason: format!("{rows} rows by its manifest, but {have} of {what}"),
            }),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.manifest.name
    }

    pub(crate) fn manifest(&self) -> &SegmentManifest {
        &self.manifest
    }

    /// Whether the checksums of all its files have been found right since it was opened.
    pub(crate) fn is_verified(&self) -> bool {
        self.verified.load(Ordering::Acquire)
    }

    pub(crate) fn rows(&self) -> u32 {
        self.manifest.events
    }

    pub(crate) fn text(&self) -> &TextIndex {
        &self.text
    }

    /// Words in all rendered events together.
    pub(crate) fn text_tokens(&self) -> Result<u64, IndexError> {
        // A segment in memory cuts its texts into words only when somebody asks.
        if self.is_hot() { self.text.tokens() } else { Ok(self.manifest.text_tokens) }
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Gives back the room of what a search reads a few rows of.
    pub(crate) fn page_out_rows(&self) {
        self.events.page_out();
        self.vectors.page_out();
    }

    /// Gives back the room of what searches pass over.
    pub(crate) fn page_out_scanned(&self) {
        self.engine.page_out();
        self.columns.page_out();
    }

    /// What was counted over all its rows.
    pub(crate) fn summary(&self) -> &Cache {
        &self.summary
    }

    pub(crate) fn engine(&self) -> &dyn VectorEngine {
        self.engine.as_ref()
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(super) fn events(&self) -> &EventFile {
        &self.events
    }

    pub(crate) fn vectors(&self) -> &VectorFile {
        &self.vectors
    }

    /// The identifier of a row, as a number that orders like it.
    pub(crate) fn id(&self, row: u32) -> u128 {
        self.ids.id(row)
    }

    /// The row of an identifier.
    pub(crate) fn find(&self, id: EventId) -> Option<u32> {
        self.ids.find(id)
    }

    /// The event of a row.
    pub(crate) fn event(&self, row: u32) -> Result<Event, IndexError> {
        let place = row as usize;
        let damaged =
            |reason: String| IndexError::Damaged { place: format!("event in row {row} of {}", self.name()), reason };
        let mut event = self.events.event(place).map_err(damaged)?;
        for (feature, value) in event.features.0.iter_mut().enumerate() {
            *value = self.columns.number(feature).at(place);
        }
        Ok(event)
    }
}
