//! How an index is opened.

use crate::IndexError;
use crate::limits::{DIMENSION_MAX, SPACE_BYTES_MAX};

/// How an index is opened. Start from [`Options::new`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Numbers in a vector.
    pub dimension: usize,
    /// The vector space of the model, for example `forebay-256-v1`. An index of another space is refused.
    pub model_space: String,
    /// Events from which a segment gets an HNSW graph beside its vectors; below, every search is an exact scan.
    pub graph_from: usize,
    /// Threads that build a graph. A search always uses one.
    pub build_threads: usize,
    /// Whether `append` merges small segments by itself.
    pub merge_on_append: bool,
}

impl Options {
    /// Events from which FAISS builds a graph unless told otherwise: an exact scan of 100,000 x 256 takes about 10 ms.
    pub const GRAPH_FROM: usize = 100_000;

    /// The options for vectors of `dimension` numbers in `model_space`, everything else by default.
    pub fn new(dimension: usize, model_space: impl Into<String>) -> Self {
        Self {
            dimension,
            model_space: model_space.into(),
            graph_from: Self::GRAPH_FROM,
            build_threads: std::thread::available_parallelism().map_or(1, usize::from),
            merge_on_append: true,
        }
    }

    /// Refuses what no index can be opened with.
    pub(crate) fn check(&self) -> Result<(), IndexError> {
        if self.dimension == 0 || self.dimension > DIMENSION_MAX {
            return Err(IndexError::Options(format!("dimension {} is not in 1..={DIMENSION_MAX}", self.dimension)));
        }
        if self.model_space.is_empty() || self.model_space.len() > SPACE_BYTES_MAX {
            return Err(IndexError::Options(format!("the model space must have 1 to {SPACE_BYTES_MAX} bytes")));
        }
        if self.graph_from == 0 || self.build_threads == 0 {
            return Err(IndexError::Options("graph_from and build_threads must be at least 1".to_owned()));
        }
        Ok(())
    }
}
