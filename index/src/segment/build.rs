//! Writing a segment: aside, synced, then renamed to its place.

use std::path::{Path, PathBuf};

use forebay_event::Event;
use fs_err as fs;

use super::bytes::Bytes;
use super::manifest::{FileEntry, SEGMENT_FORMAT};
use super::profile::Profile;
use super::text_index::TextIndex;
use super::{
    BUILDING_DIR, COLUMNS_FILE, Columns, MANIFEST_FILE, PROFILE_FILE, SEGMENTS_DIR, Segment, SegmentManifest, TEXT_DIR,
    VECTORS_FILE, VectorFile, merge,
};
use crate::engine::{self, EngineKind};
use crate::{IndexError, Options, durable, priority, sealed};

/// A segment being written.
pub(crate) struct Building<'a> {
    /// The folder of the index.
    pub(crate) index_dir: &'a Path,
    /// How the index is opened.
    pub(crate) options: &'a Options,
    /// The segment's name.
    pub(crate) name: String,
    /// Segments it stands for.
    pub(crate) replaces: Vec<String>,
    /// Whether it gets an engine, if it is large enough for one.
    pub(crate) with_engine: bool,
}

impl Building<'_> {
    /// Writes `events`, numbered from `first_seq`, with their vectors, and publishes the folder.
    pub(crate) fn write(
        self,
        events: &[Event],
        vectors: &[f32],
        first_seq: u64,
    ) -> Result<SegmentManifest, IndexError> {
        let held = Segment::in_memory(&self.name, events, vectors, first_seq, self.options)?;
        merge(self, &[&held])
    }

    /// An empty folder to write into.
    pub(super) fn start(&self) -> Result<PathBuf, IndexError> {
        let dir = self.index_dir.join(BUILDING_DIR).join(&self.name);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        Ok(dir)
    }

    /// Adds what follows from text, identifiers and vectors: graph, profile and manifest; syncs everything; renames.
    pub(super) fn finish(self, dir: &Path) -> Result<SegmentManifest, IndexError> {
        remove_hidden(&dir.join(TEXT_DIR))?;
        let text = TextIndex::open(&dir.join(TEXT_DIR))?;
        let vectors = VectorFile::open(&dir.join(VECTORS_FILE))?;
        let columns = Columns::open(Bytes::map(&dir.join(COLUMNS_FILE))?, COLUMNS_FILE)?;
        let engine = if self.with_engine && vectors.rows() >= self.options.engine_from {
            let Options { engine, build_threads, .. } = self.options;
            priority::lowered(|| engine::build(engine, &vectors, *build_threads, dir))?
        } else {
            EngineKind::Flat.to_string()
        };
        let profile = serde_json::to_vec(&Profile::of(&columns)).map_err(std::io::Error::from)?;
        fs::write(dir.join(PROFILE_FILE), profile)?;
        let manifest = SegmentManifest {
            format: SEGMENT_FORMAT,
            name: self.name.clone(),
            space: self.options.model_space.clone(),
            dimension: self.options.dimension,
            events: text.rows(),
            first_seq: columns.seq().iter().copied().min().unwrap_or_default(),
            last_seq: columns.seq().iter().copied().max().unwrap_or_default(),
            first_start_us: columns.start().iter().copied().min().unwrap_or_default(),
            last_start_us: columns.start().iter().copied().max().unwrap_or_default(),
            text_tokens: text.tokens()?,
            engine,
            replaces: self.replaces.clone(),
            files: entries(dir)?,
        };
        let sealed = sealed::bytes(&manifest).map_err(std::io::Error::from)?;
        durable::write_file(&dir.join(MANIFEST_FILE), &sealed)?;
        self.publish(dir, &manifest)?;
        Ok(manifest)
    }

    fn publish(&self, dir: &Path, manifest: &SegmentManifest) -> Result<(), IndexError> {
        let paths: Vec<PathBuf> = manifest.files.iter().map(|file| dir.join(&file.path)).collect();
        durable::sync_files(&paths)?;
        durable::sync_dir(&dir.join(TEXT_DIR))?;
        durable::sync_dir(dir)?;
        let segments = self.index_dir.join(SEGMENTS_DIR);
        fs::rename(dir, segments.join(&self.name))?;
        durable::sync_dir(&segments)?;
        Ok(())
    }
}

/// Removes tantivy's notes to itself (a list of its files, locks): they mean nothing in a folder that never changes.
fn remove_hidden(dir: &Path) -> Result<(), IndexError> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Every file of the segment but its manifest, with its checksum, in order of name.
fn entries(dir: &Path) -> Result<Vec<FileEntry>, IndexError> {
    let mut paths = Vec::new();
    for (folder, prefix) in [(dir.to_owned(), String::new()), (dir.join(TEXT_DIR), format!("{TEXT_DIR}/"))] {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                paths.push(format!("{prefix}{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    paths.sort_unstable();
    paths.iter().map(|path| FileEntry::of(dir, path)).collect()
}
