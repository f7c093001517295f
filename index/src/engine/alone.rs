//! An engine over vectors alone, without events: for measuring engines and for the tests that compare them.

use std::path::Path;
use std::sync::Arc;

use fs_err as fs;

use super::{Ask, EngineKind, VectorEngine};
use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::rank::{Planned, plan};
use crate::segment::VectorFile;

/// The file of vectors in the folder of a [`VectorIndex`].
const VECTORS_FILE: &str = "vectors.f32";

/// The file with the engine's name.
const NAME_FILE: &str = "engine";

/// Vectors with an engine over them.
pub struct VectorIndex {
    engine: Box<dyn VectorEngine>,
}

/// Which way an answer is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// What costs least: what a search of an index does.
    Planned,
    /// The engine's own way, and a scan where that gives too few.
    Index,
    /// Everything that is allowed is compared: certainly the best.
    Scan,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Rows with their scores, the best first, at most k.
    pub rows: Vec<(u32, f32)>,
    /// Rows compared with the question.
    pub compared: u64,
    /// Rows scored exactly.
    pub scored: u64,
    /// Whether these are the best for certain.
    pub certain: bool,
    /// Whether the index was asked.
    pub by_index: bool,
}

impl VectorIndex {
    /// Writes vectors of `dimension` numbers, given in parts of whole rows, into `dir`.
    pub fn write<'a>(
        dir: &Path,
        dimension: usize,
        rows: usize,
        parts: impl Iterator<Item = &'a [f32]>,
    ) -> Result<(), IndexError> {
        fs::create_dir_all(dir)?;
        Ok(VectorFile::write(&dir.join(VECTORS_FILE), dimension, rows, parts)?)
    }

    /// Builds an engine over the vectors in `dir`, instead of the one before.
    pub fn build(dir: &Path, kind: &EngineKind, threads: usize) -> Result<Self, IndexError> {
        let vectors = VectorFile::open(&dir.join(VECTORS_FILE))?;
        let name = super::build(kind, &vectors, threads, dir)?;
        fs::write(dir.join(NAME_FILE), name)?;
        Self::open(dir)
    }

    /// Opens what [`VectorIndex::build`] made.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        let vectors = Arc::new(VectorFile::open(&dir.join(VECTORS_FILE))?);
        let name = fs::read_to_string(dir.join(NAME_FILE))?;
        Ok(Self { engine: super::open(&name, vectors, dir)? })
    }

    /// What was measured when it was built, for a person to read; empty where nothing was.
    pub fn describe(&self) -> String {
        self.engine.describe()
    }

    /// How many vectors.
    pub fn rows(&self) -> usize {
        self.engine.vectors().rows()
    }

    /// Numbers in a vector.
    pub fn dimension(&self) -> usize {
        self.engine.vectors().dimension()
    }

    /// The vectors, row after row.
    pub fn numbers(&self) -> &[f32] {
        self.engine.vectors().numbers()
    }

    /// The `k` rows of `allowed` nearest to `query`.
    pub fn search(&self, query: &[f32], k: usize, allowed: &Bitmap, effort: Effort) -> Result<Answer, IndexError> {
        let matching = allowed.len();
        if query.len() != self.dimension() || k == 0 {
            return Err(IndexError::Search(format!("k = {k} with {} numbers", query.len())));
        }
        let ask = Ask { query, k, allowed, matching, floor: f32::NEG_INFINITY };
        let by_index = match effort {
            Effort::Planned => plan(self.engine.as_ref(), matching, k).planned == Planned::Index,
            Effort::Index => true,
            Effort::Scan => false,
        };
        let mut nearest = if by_index { self.engine.nearest(&ask)? } else { self.engine.scan(&ask) };
        if (nearest.rows.len() as u64) < matching.min(k as u64) {
            nearest = self.engine.scan(&ask);
        }
        nearest.rows.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        nearest.rows.truncate(k);
        let (compared, scored, certain) = (nearest.compared, nearest.scored, nearest.certain);
        Ok(Answer { rows: nearest.rows, compared, scored, certain, by_index })
    }
}
