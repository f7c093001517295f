//! Comparing a question with the vectors of one segment.
//!
//! [`VectorEngine`] is the border: what ranks a segment knows nothing of FAISS. An engine is immutable, holds no copy of
//! the vectors (it looks at the segment's mapped file) and answers from any number of threads at once, one thread a query.

mod faiss;

use std::path::Path;
use std::sync::Arc;

use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::segment::VectorFile;

/// Links of each vector in the graph (the "32" of HNSW32).
const GRAPH_LINKS: i32 = 32;

/// Candidates looked at while a vector is linked in: FAISS's own default is 40; 80 gains recall for twice the time.
const GRAPH_EF_CONSTRUCTION: i32 = 80;

/// Compares questions with the vectors of one segment.
pub(crate) trait VectorEngine: Send + Sync {
    /// The name in manifests and statistics.
    fn name(&self) -> &'static str;

    /// Whether [`VectorEngine::nearest`] has a graph to walk.
    fn has_graph(&self) -> bool;

    /// Cosines of `query` with `rows`, in their order, appended to `scores`. Exact, and the same to the last bit however
    /// often and in whatever company a row is asked for.
    fn scores(&self, query: &[f32], rows: &[u32], scores: &mut Vec<f32>);

    /// About the `k` rows of `allowed` nearest to `query`, in no promised order, fewer where the graph finds fewer. `ef`
    /// is how widely it looks. An engine without a graph finds none.
    fn nearest(&self, query: &[f32], k: usize, ef: usize, allowed: &Bitmap) -> Result<Vec<u32>, IndexError>;
}

/// Opens the engine of a segment: with `graph`, over the HNSW graph in that file.
pub(crate) fn open(vectors: Arc<VectorFile>, graph: Option<&Path>) -> Result<Box<dyn VectorEngine>, IndexError> {
    match graph {
        None => Ok(Box::new(faiss::Flat::new(vectors))),
        Some(path) => Ok(Box::new(faiss::Hnsw::open(vectors, path)?)),
    }
}

/// Writes the graph over `vectors` to `path`, with `threads` threads.
pub(crate) fn build_graph(vectors: &VectorFile, threads: usize, path: &Path) -> Result<(), IndexError> {
    faiss::build_hnsw(vectors, GRAPH_LINKS, GRAPH_EF_CONSTRUCTION, threads, path)
}

/// The name of the engine with a graph, or of the one without.
pub(crate) fn name(with_graph: bool) -> &'static str {
    if with_graph { "hnsw32" } else { "flat" }
}
