//! Vectors of a segment in cells: the engine of our own.
//!
//! **Promise.** Exactly min(k, allowed) rows come, each with its exact score. A scan is certified: its rows are the best
//! there are. A search through cells finds on average at least [`calibrate::RECALL`] of them, measured on the segment
//! itself when it is built, any of those that score the same. Opening maps a file and parses nothing.
//!
//! **Why not a library.** FAISS, usearch and hnswlib visit a number of cells or links fixed beforehand (`nprobe`, `ef`),
//! whatever the question and the filter, so recall falls with selectivity (FAISS HNSW32, 200,000 x 256, a filter that
//! keeps 1 %: .34 at ef 64) and nobody says for which question. Here a search stops by a bound: when no further cell can
//! hold anything better than the k-th best *allowed* row, which is later under a filter, by itself. None of them bounds
//! what quantisation loses, so none can say that an answer is exact without reading every float. And their files are read
//! into memory whole, or are trusted without a check.
//!
//! **How.** Vectors lie in bytes (`quantise`), sorted into cells around centres found by k-means (`kmeans`). A question is
//! compared with all centres; cells follow in the order of an upper bound of what their members can reach (`bound`),
//! and of each the shells (rows at about the same angle with the centre) that pass the same test. Their rows are compared in
//! bytes, which say where they lie from the centre, then those that may be among the best in floats (`best`). Where few rows
//! are allowed they are compared one by one, wherever they are.
//!
//! **Limits.** 256 numbers take 300 bytes a vector beside the floats. A vector is in one cell, so a question far from all
//! data visits many.
//!
//! **Failure.** A file whose sizes do not fit is refused. Wrong bytes elsewhere (the segment's checksums find them) give
//! wrong rows at worst: every row and place is checked where it is used.

mod bound;
mod build;
mod calibrate;
mod kmeans;
mod layout;
mod search;
mod view;

use std::path::Path;
use std::sync::Arc;

use self::bound::Trust;
use self::layout::{Calibration, CellFile};
use self::search::Search;
use super::cost::{Cost, Costs, MEASURED_DIMENSION};
use super::kernel::GROUP;
use super::{Ask, Nearest, VectorEngine};
use crate::IndexError;
use crate::segment::VectorFile;

pub(super) use self::build::build;

/// Comparing a row in its cell, nanoseconds at 256 numbers: memory, mostly.
const ROW_NS: f32 = 11.0;

/// Comparing a row wherever it is, nanoseconds.
const FAR_ROW_NS: f32 = 24.0;

/// Asking the filter about a row, nanoseconds.
const LOOK_NS: f32 = 1.3;

/// Comparing a question with a centre, and ordering it, nanoseconds.
const CENTRE_NS: f32 = 9.0;

/// Vectors in cells.
pub(super) struct Cells {
    file: CellFile,
    vectors: Arc<VectorFile>,
}

impl Cells {
    /// Opens the index at `path`, which must be one over `vectors`. `None` is one of an earlier layout.
    pub(super) fn open(vectors: Arc<VectorFile>, path: &Path) -> Result<Option<Self>, IndexError> {
        let Some(file) = CellFile::open(path)? else { return Ok(None) };
        let sizes = file.sizes();
        if sizes.rows != vectors.rows() || sizes.dimension != vectors.dimension() {
            return Err(IndexError::Damaged {
                place: path.display().to_string(),
                reason: format!(
                    "{} rows of {} numbers, but the vectors are {} of {}",
                    sizes.rows,
                    sizes.dimension,
                    vectors.rows(),
                    vectors.dimension()
                ),
            });
        }
        Ok(Some(Self { file, vectors }))
    }

    fn through_cells(&self, ask: &Ask, trust: Trust) -> Nearest {
        Search::new(&self.file, &self.vectors, ask, trust).through_cells()
    }

    /// Rows that a search through cells looks at, about: more under a filter and for more hits, by the power law that
    /// goes through what was measured when the segment was built.
    fn looks(&self, matching: u64, k: usize) -> f32 {
        let measured = self.file.calibration();
        let rows = self.file.sizes().rows as f32;
        let base = measured.work_10.max(1.0);
        let power = |work: f32, times: f32| ((work.max(base) / base).ln() / times.ln()).clamp(0.0, 1.0);
        let by_k = (k as f32 / 10.0).max(1.0).powf(power(measured.work_100, 10.0));
        let share = (matching as f32 / rows).clamp(1.0 / rows, 1.0);
        let by_share = (1.0 / share).powf(power(measured.work_thinned, calibrate::THINNING as f32));
        (base * by_k * by_share).min(rows)
    }

    fn wide(&self) -> f32 {
        self.file.sizes().dimension as f32 / MEASURED_DIMENSION
    }

    fn centres_ns(&self) -> f32 {
        self.file.sizes().cells as f32 * CENTRE_NS * self.wide()
    }

    /// Comparing all that match, wherever they are.
    fn far_ns(&self, matching: u64) -> f32 {
        let centres = self.centres_ns().min(matching as f32 * GROUP as f32 * CENTRE_NS * self.wide());
        centres + matching as f32 * FAR_ROW_NS * self.wide()
    }

    /// Comparing all that match, cell after cell.
    fn in_order_ns(&self, matching: u64) -> f32 {
        self.centres_ns() + self.file.sizes().rows as f32 * LOOK_NS + matching as f32 * ROW_NS * self.wide()
    }
}

impl VectorEngine for Cells {
    fn name(&self) -> &'static str {
        "cells"
    }

    fn vectors(&self) -> &VectorFile {
        &self.vectors
    }

    fn page_out(&self) {
        self.file.page_out();
    }

    fn describe(&self) -> String {
        let Calibration { confidence, work_10, work_100, work_thinned } = self.file.calibration();
        format!(
            "{} cells, confidence {confidence:.2?}; rows looked at {work_10:.0} for 10 hits, {work_100:.0} for 100, \
             {work_thinned:.0} for 10 under a filter of 1/{}",
            self.file.sizes().cells,
            calibrate::THINNING
        )
    }

    fn scan(&self, ask: &Ask) -> Nearest {
        // In the order of cells the threshold rises early, and memory is read in long runs.
        if self.in_order_ns(ask.matching) < self.far_ns(ask.matching) {
            return self.through_cells(ask, Trust::Certain);
        }
        Search::new(&self.file, &self.vectors, ask, Trust::Certain).through_rows()
    }

    fn nearest(&self, ask: &Ask) -> Result<Nearest, IndexError> {
        Ok(self.through_cells(ask, Trust::Confident(self.file.calibration().confidence_for(ask.k))))
    }

    fn costs(&self, matching: u64, k: usize) -> Costs {
        let looks = self.looks(matching, k);
        let compared = looks * (matching as f32 / self.file.sizes().rows as f32);
        let index = self.centres_ns() + looks * LOOK_NS + compared * ROW_NS * self.wide();
        Costs {
            scan: Cost { rows: matching, ns: self.far_ns(matching).min(self.in_order_ns(matching)) },
            index: Some(Cost { rows: compared as u64, ns: index }),
        }
    }
}
