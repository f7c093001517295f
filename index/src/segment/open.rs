//! A segment open for reading.

use std::path::Path;
use std::sync::Arc;

use forebay_event::{Event, EventId};
use fs_err as fs;

use super::ids::IdFile;
use super::profile::Profile;
use super::text_index::TextIndex;
use super::{
    Columns, Fault, GRAPH_FILE, IDS_FILE, PROFILE_FILE, SEGMENTS_DIR, SegmentManifest, TEXT_DIR, VECTORS_FILE,
    VectorFile,
};
use crate::engine::{self, VectorEngine};
use crate::{IndexError, Options};

/// A segment open for reading.
pub(crate) struct Segment {
    manifest: SegmentManifest,
    text: TextIndex,
    columns: Columns,
    ids: IdFile,
    vectors: Arc<VectorFile>,
    engine: Box<dyn VectorEngine>,
    profile: Profile,
}

/// Verifies the segment `name` and opens it. Nothing is parsed before its checksum is right.
pub(crate) fn verify(index_dir: &Path, name: &str, options: &Options) -> Result<Segment, Fault> {
    let manifest = SegmentManifest::read_verified(&index_dir.join(SEGMENTS_DIR).join(name))?;
    if manifest.name != name {
        return Err(Fault::Damaged(format!("it is the segment {} under another name", manifest.name)));
    }
    if manifest.space != options.model_space || manifest.dimension != options.dimension {
        let reason = format!("its vectors are of the space {:?} ({})", manifest.space, manifest.dimension);
        return Err(Fault::Damaged(reason));
    }
    // Its bytes are right, so what fails now is not the disk: the segment stays where it is.
    Segment::open(index_dir, manifest).map_err(|error| Fault::Unreadable(std::io::Error::other(error.to_string())))
}

impl Segment {
    /// Opens a segment that was verified, or has just been written.
    pub(crate) fn open(index_dir: &Path, manifest: SegmentManifest) -> Result<Self, IndexError> {
        let dir = index_dir.join(SEGMENTS_DIR).join(&manifest.name);
        let text = TextIndex::open(&dir.join(TEXT_DIR))?;
        let columns = Columns::open(text.reader())?;
        let ids = IdFile::open(&dir.join(IDS_FILE))?;
        let vectors = Arc::new(VectorFile::open(&dir.join(VECTORS_FILE))?);
        let graph = manifest.graph.then(|| dir.join(GRAPH_FILE));
        let engine = engine::open(Arc::clone(&vectors), graph.as_deref())?;
        let profile = serde_json::from_slice(&fs::read(dir.join(PROFILE_FILE))?).map_err(std::io::Error::from)?;
        let rows = manifest.events as usize;
        if text.rows() as usize != rows || ids.rows() != rows || vectors.rows() != rows {
            return Err(IndexError::Damaged {
                place: format!("segment {}", manifest.name),
                reason: format!(
                    "{rows} rows by its manifest, but {} of text, {} of identifiers, {} of vectors",
                    text.rows(),
                    ids.rows(),
                    vectors.rows()
                ),
            });
        }
        Ok(Self { manifest, text, columns, ids, vectors, engine, profile })
    }

    pub(crate) fn name(&self) -> &str {
        &self.manifest.name
    }

    pub(crate) fn manifest(&self) -> &SegmentManifest {
        &self.manifest
    }

    pub(crate) fn rows(&self) -> u32 {
        self.manifest.events
    }

    pub(crate) fn text(&self) -> &TextIndex {
        &self.text
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(crate) fn engine(&self) -> &dyn VectorEngine {
        self.engine.as_ref()
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(super) fn vectors(&self) -> &VectorFile {
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
        self.text.event(row)
    }
}
