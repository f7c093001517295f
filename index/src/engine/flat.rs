//! Vectors as they are: every comparison is made, in floats.

use std::sync::Arc;

use super::best::Candidates;
use super::cost::MEASURED_DIMENSION;
use super::{Ask, Cost, Costs, Kernel, Nearest, VectorEngine};
use crate::IndexError;
use crate::segment::VectorFile;

/// Rows compared at a time: the scores stay in the processor's cache.
const BLOCK_ROWS: usize = 512;

/// Comparing 256 floats, nanoseconds: memory, mostly.
const ROW_NS: f32 = 60.0;

/// The vectors as they are.
pub(super) struct Flat {
    vectors: Arc<VectorFile>,
}

impl Flat {
    pub(super) fn new(vectors: Arc<VectorFile>) -> Self {
        Self { vectors }
    }
}

impl VectorEngine for Flat {
    fn name(&self) -> &'static str {
        "flat"
    }

    fn vectors(&self) -> &VectorFile {
        &self.vectors
    }

    fn costs(&self, matching: u64, _k: usize) -> Costs {
        Costs { scan: cost(&self.vectors, matching), index: None }
    }

    fn nearest(&self, ask: &Ask) -> Result<Nearest, IndexError> {
        Ok(self.scan(ask))
    }
}

/// What [`scan`] costs.
pub(super) fn cost(vectors: &VectorFile, matching: u64) -> Cost {
    Cost { rows: matching, ns: matching as f32 * ROW_NS * vectors.dimension() as f32 / MEASURED_DIMENSION }
}

/// The nearest of the allowed rows, by comparing all of them.
pub(super) fn scan(vectors: &VectorFile, ask: &Ask) -> Nearest {
    let mut candidates = Candidates::new(ask.k, ask.floor);
    let mut rows = ask.allowed.iter().filter(|row| (*row as usize) < vectors.rows()).peekable();
    let (mut block, mut scores) = (Vec::with_capacity(BLOCK_ROWS), [0.0; BLOCK_ROWS]);
    let mut all = 0;
    while rows.peek().is_some() {
        block.clear();
        block.extend(rows.by_ref().take(BLOCK_ROWS));
        Kernel::best().dots(ask.query, vectors.numbers(), &block, &mut scores[..block.len()]);
        all += block.len() as u64;
        for (row, score) in block.iter().zip(scores) {
            candidates.offer(*row, score, score);
        }
    }
    Nearest { rows: candidates.scored(), compared: all, looked_at: all, scored: all, certain: true }
}
