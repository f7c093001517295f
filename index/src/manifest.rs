//! The index's own manifest: which segments are live, and what the next one is called.
//!
//! It is replaced whole with every change; a segment is part of the index from the moment it is listed here.

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::segment::{ASIDE_DIR, Fault, SEGMENTS_DIR, SegmentManifest};
use crate::stats::DamagedSegment;
use crate::{IndexError, Options, durable, sealed};

/// Its file.
pub(crate) const INDEX_MANIFEST: &str = "index.json";

/// The format this version writes, and the newest it reads.
pub(crate) const INDEX_FORMAT: u32 = 2;

/// Digits of the number in a segment's name.
const SEGMENT_DIGITS: usize = 10;

/// What an index consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexManifest {
    /// [`INDEX_FORMAT`].
    pub(crate) format: u32,
    /// The vector space of all segments.
    pub(crate) space: String,
    /// Numbers in a vector.
    pub(crate) dimension: usize,
    /// Number of the next event.
    pub(crate) next_seq: u64,
    /// Number of the next segment.
    pub(crate) next_segment: u64,
    /// Number of the first log file that counts. Format 1 had no log.
    #[serde(default)]
    pub(crate) first_log: u64,
    /// The live segments.
    pub(crate) segments: Vec<Listed>,
    /// Segments that were set aside.
    pub(crate) damaged: Vec<DamagedSegment>,
}

/// A live segment as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Its name.
    pub(crate) name: String,
    /// Its events: so that the loss can be told when it is damaged.
    pub(crate) events: u64,
}

impl IndexManifest {
    /// The manifest of an index without events.
    pub(crate) fn empty(options: &Options) -> Self {
        Self {
            format: INDEX_FORMAT,
            space: options.model_space.clone(),
            dimension: options.dimension,
            next_seq: 0,
            next_segment: 0,
            first_log: 0,
            segments: Vec::new(),
            damaged: Vec::new(),
        }
    }

    /// Reads the manifest in `dir`; where it is missing or damaged, makes it anew from the segments that are whole.
    pub(crate) fn read(dir: &Path, options: &Options) -> Result<Recovered, IndexError> {
        let path = dir.join(INDEX_MANIFEST);
        let reason = match sealed::read::<Self>(&path) {
            Ok(Some(manifest)) => {
                manifest.check(&path, options)?;
                return Ok(Recovered { manifest, broken: Vec::new() });
            }
            Ok(None) => "missing".to_owned(),
            Err(reason) => reason,
        };
        let recovered = Self::recover(dir, options)?;
        let (whole, broken) = (recovered.manifest.segments.len(), recovered.broken.len());
        if path.exists() || whole + broken > 0 {
            tracing::warn!(manifest = %path.display(), reason, whole, broken,
                "the index manifest could not be read; it is made anew from the segments");
        }
        Ok(recovered)
    }

    /// Replaces the manifest in `dir`; on the disk when it returns.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), IndexError> {
        let bytes = sealed::bytes(self).map_err(std::io::Error::from)?;
        Ok(durable::replace(dir, INDEX_MANIFEST, &bytes)?)
    }

    fn check(&self, path: &Path, options: &Options) -> Result<(), IndexError> {
        if self.format > INDEX_FORMAT {
            return Err(IndexError::Format { path: path.to_owned(), found: self.format, known: INDEX_FORMAT });
        }
        if self.space != options.model_space || self.dimension != options.dimension {
            return Err(other_space(path.to_owned(), &self.space, self.dimension, options));
        }
        Ok(())
    }

    /// Every whole segment that no other whole segment stands for.
    fn recover(dir: &Path, options: &Options) -> Result<Recovered, IndexError> {
        let mut manifest = Self::empty(options);
        let mut found: Vec<SegmentManifest> = Vec::new();
        let mut broken = Vec::new();
        let segments = dir.join(SEGMENTS_DIR);
        for name in names(&segments)?.into_iter().chain(names(&dir.join(ASIDE_DIR))?) {
            manifest.next_segment = manifest.next_segment.max(segment_number(&name).map_or(0, |number| number + 1));
        }
        for name in names(&segments)? {
            match SegmentManifest::read_verified(&segments.join(&name)) {
                Ok(segment) => found.push(segment),
                Err(Fault::Damaged(reason)) => broken.push((name, reason)),
                Err(Fault::Unreadable(error)) => return Err(error.into()),
            }
        }
        if let Some(other) = found.iter().find(|m| m.space != options.model_space || m.dimension != options.dimension) {
            return Err(other_space(segments, &other.space, other.dimension, options));
        }
        let replaced: Vec<String> = found.iter().flat_map(|segment| segment.replaces.clone()).collect();
        found.retain(|segment| !replaced.contains(&segment.name));
        found.sort_by_key(|segment| segment.first_seq);
        manifest.next_seq = found.iter().map(|segment| segment.last_seq + 1).max().unwrap_or(0);
        manifest.segments =
            found.into_iter().map(|segment| Listed { events: u64::from(segment.events), name: segment.name }).collect();
        Ok(Recovered { manifest, broken })
    }
}

/// What was read, or put together again.
pub(crate) struct Recovered {
    /// The manifest.
    pub(crate) manifest: IndexManifest,
    /// Segments found damaged while putting it together, with the reason.
    pub(crate) broken: Vec<(String, String)>,
}

/// Names of the folders in `dir`.
pub(crate) fn names(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// The name of the `number`-th segment.
pub(crate) fn segment_name(number: u64) -> String {
    format!("segment-{number:0SEGMENT_DIGITS$}")
}

/// The number in a segment's name.
fn segment_number(name: &str) -> Option<u64> {
    name.strip_prefix("segment-")?.get(..SEGMENT_DIGITS)?.parse().ok()
}

fn other_space(path: PathBuf, space: &str, dimension: usize, options: &Options) -> IndexError {
    IndexError::OtherSpace {
        path,
        found: space.to_owned(),
        found_dimension: dimension,
        wanted: options.model_space.clone(),
        wanted_dimension: options.dimension,
    }
}
