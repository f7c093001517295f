//! Comparing a question with the vectors of one segment.
//!
//! [`VectorEngine`] is the border: what ranks a segment knows no library. An engine is immutable, holds no copy of the
//! vectors (it looks at the segment's mapped file) and answers from any number of threads at once, one thread a query.
//! Whatever an engine compares with, the scores that leave it are products of floats by one kernel, the same to the last
//! bit however often and in whatever company a row is asked for.
//!
//! `cells` is the default and explains why it is our own. `flat` compares everything. The others are libraries, for those
//! who want them and to measure against; see [`EngineKind`].

mod alone;
mod best;
mod cells;
mod cost;
#[cfg(feature = "faiss")]
mod factory;
#[cfg(feature = "faiss")]
mod faiss;
mod flat;
#[cfg(feature = "hnsw")]
mod hnsw;
mod hnsw_settings;
mod kernel;
mod kind;
mod quantise;

use std::path::Path;
use std::sync::Arc;

pub use alone::{Answer, Effort, VectorIndex};
pub(crate) use cost::{Cost, Costs};
pub use hnsw_settings::HnswSettings;
pub(crate) use kernel::Kernel;
pub use kind::EngineKind;

use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::segment::VectorFile;

/// File of cells beside the vectors. It is mapped, and can hold any bytes without harm.
pub(crate) const CELLS_FILE: &str = "vectors.cells";

/// File of links beside the vectors. It is mapped, and can hold any bytes without harm.
pub(crate) const LINKS_FILE: &str = "vectors.hnsw";

/// File of an index of FAISS beside the vectors. FAISS trusts what it reads.
#[cfg(feature = "faiss")]
const FAISS_FILE: &str = "vectors.faiss";

/// A question to one segment.
pub(crate) struct Ask<'a> {
    /// As many numbers as the vectors have.
    pub(crate) query: &'a [f32],
    /// Rows wanted, at least 1.
    pub(crate) k: usize,
    /// Rows that count.
    pub(crate) allowed: &'a Bitmap,
    /// How many these are.
    pub(crate) matching: u64,
    /// Rows that score less need not come.
    pub(crate) floor: f32,
}

/// What an engine found.
#[derive(Debug, Default)]
pub(crate) struct Nearest {
    /// Allowed rows with their exact scores, in no promised order: at least min(k, matching) that reach the floor, where
    /// the engine promises so.
    pub(crate) rows: Vec<(u32, f32)>,
    /// Rows whose score was computed or estimated; 0 where the engine does not tell.
    pub(crate) compared: u64,
    /// Rows looked at, those left out by the filter among them.
    pub(crate) looked_at: u64,
    /// Rows scored exactly.
    pub(crate) scored: u64,
    /// Whether there are certainly no better rows.
    pub(crate) certain: bool,
}

/// Compares questions with the vectors of one segment.
pub(crate) trait VectorEngine: Send + Sync {
    /// The name in manifests and statistics.
    fn name(&self) -> &str;

    /// The vectors.
    fn vectors(&self) -> &VectorFile;

    /// What was measured when it was built, for a person to read.
    fn describe(&self) -> String {
        String::new()
    }

    /// Gives back the room that its mapped file takes, if it has one.
    fn page_out(&self) {}

    /// About what an answer costs.
    fn costs(&self, matching: u64, k: usize) -> Costs;

    /// The nearest rows for certain: min(k, matching) of them, and all that equal the last.
    fn scan(&self, ask: &Ask) -> Nearest {
        flat::scan(self.vectors(), ask)
    }

    /// Nearly the nearest rows, for less than a scan. May give fewer than it promises; the caller then scans.
    fn nearest(&self, ask: &Ask) -> Result<Nearest, IndexError>;

    /// Cosines of `query` with `rows`, in their order, appended to `scores`.
    fn scores(&self, query: &[f32], rows: &[u32], scores: &mut Vec<f32>) {
        let before = scores.len();
        scores.resize(before + rows.len(), 0.0);
        Kernel::best().dots(query, self.vectors().numbers(), rows, &mut scores[before..]);
    }
}

/// Writes what the engine `kind` needs over `vectors` into the folder `dir`, with `threads` threads, and gives the name to
/// open it by. Writes nothing for an engine without a file.
pub(crate) fn build(kind: &EngineKind, vectors: &VectorFile, threads: usize, dir: &Path) -> Result<String, IndexError> {
    match kind {
        EngineKind::Flat => {}
        EngineKind::Cells => cells::build(vectors, threads, &dir.join(CELLS_FILE))?,
        #[cfg(feature = "faiss")]
        EngineKind::Faiss(factory) => faiss::build(factory, vectors, threads, &dir.join(FAISS_FILE))?,
        #[cfg(feature = "hnsw")]
        EngineKind::Hnsw(settings) => hnsw::build(*settings, vectors, &dir.join(LINKS_FILE))?,
        #[allow(unreachable_patterns)] // with all features on, nothing is left
        other => return Err(other.left_out()),
    }
    Ok(kind.to_string())
}

/// The engine that needs nothing beside the vectors.
pub(crate) fn flat(vectors: Arc<VectorFile>) -> Box<dyn VectorEngine> {
    Box::new(flat::Flat::new(vectors))
}

/// Opens the engine that [`build`] named `name` over the segment in `dir`; [`flat()`] stands in for one whose file is of an
/// earlier layout.
pub(crate) fn open(name: &str, vectors: Arc<VectorFile>, dir: &Path) -> Result<Box<dyn VectorEngine>, IndexError> {
    match name.parse::<EngineKind>()? {
        EngineKind::Flat => Ok(flat(vectors)),
        EngineKind::Cells => match cells::Cells::open(Arc::clone(&vectors), &dir.join(CELLS_FILE))? {
            Some(cells) => Ok(Box::new(cells)),
            None => Ok(flat(vectors)),
        },
        #[cfg(feature = "faiss")]
        EngineKind::Faiss(factory) => Ok(Box::new(faiss::Faiss::open(&factory, vectors, &dir.join(FAISS_FILE))?)),
        #[cfg(feature = "hnsw")]
        EngineKind::Hnsw(settings) => Ok(Box::new(hnsw::Hnsw::open(settings, vectors, &dir.join(LINKS_FILE))?)),
        #[allow(unreachable_patterns)] // with all features on, nothing is left
        other => Err(other.left_out()),
    }
}
