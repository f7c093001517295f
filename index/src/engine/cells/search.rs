//! Searching in cells.

use std::collections::BinaryHeap;

use super::super::best::Candidates;
use super::super::kernel::{GROUP, Kernel, prefetch};
use super::super::quantise::Question;
use super::super::{Ask, Nearest};
use super::bound::{ROUNDING, Trust, Viewer};
use super::layout::CellFile;
use crate::segment::VectorFile;

/// Rows compared at a time.
const BLOCK: usize = 64;

/// Standard deviations of the sum of rounding errors that a search which is not certain reckons with. The errors of single
/// numbers are independent of the question, so their sum with it is about `error / sqrt(dimension)`; six of these are
/// exceeded once in 10^9 rows.
const DEVIATIONS: f32 = 6.0;

/// A search under way.
pub(super) struct Search<'a> {
    file: &'a CellFile,
    vectors: &'a VectorFile,
    ask: &'a Ask<'a>,
    question: Question,
    kernel: Kernel,
    trust: Trust,
    candidates: Candidates,
    /// Share of the greatest possible rounding error that is reckoned with.
    slack_share: f32,
    /// Length of the longest vector of what is being compared.
    longest: f32,
    compared: u64,
    looked_at: u64,
    block: Block,
}

/// Places and rows to be compared next.
struct Block {
    places: [u32; BLOCK],
    rows: [u32; BLOCK],
    length: usize,
}

impl<'a> Search<'a> {
    pub(super) fn new(file: &'a CellFile, vectors: &'a VectorFile, ask: &'a Ask<'a>, trust: Trust) -> Self {
        Self {
            file,
            vectors,
            ask,
            question: Question::new(ask.query),
            kernel: Kernel::best(),
            trust,
            candidates: Candidates::new(ask.k, ask.floor),
            slack_share: slack_share(file, trust),
            longest: file.longest(),
            compared: 0,
            looked_at: 0,
            block: Block { places: [0; BLOCK], rows: [0; BLOCK], length: 0 },
        }
    }

    /// Goes through cells, the most promising first, until no further one can hold a hit by what is reckoned with.
    pub(super) fn through_cells(mut self) -> Nearest {
        let mut order = self.order();
        let all = self.ask.matching >= self.file.sizes().rows as u64;
        while let Some(next) = order.pop() {
            let (bound, cell) = split(next);
            // Without this a filter that few rows pass would lead through every cell although all were found.
            if bound < self.candidates.threshold() || self.compared + self.block.length as u64 >= self.ask.matching {
                break;
            }
            self.cell(cell, all);
        }
        self.finish()
    }

    /// Compares exactly the rows that are allowed, wherever they are.
    pub(super) fn through_rows(mut self) -> Nearest {
        let (places, scales) = (self.file.places(), self.file.scales());
        for row in self.ask.allowed.iter() {
            if let Some(place) = places.get(row as usize)
                && let Some(scale) = scales.get(*place as usize)
            {
                prefetch(scale);
                self.push(*place, row);
            }
        }
        self.looked_at = self.compared + self.block.length as u64;
        self.finish()
    }

    fn finish(mut self) -> Nearest {
        self.flush();
        let certain = self.trust == Trust::Certain;
        let (rows, scored) = self.candidates.resolve(self.ask.query, self.vectors);
        Nearest { rows, compared: self.compared, looked_at: self.looked_at, scored, certain }
    }

    /// Cells by what their members can reach, as a heap.
    fn order(&self) -> BinaryHeap<u64> {
        let viewer =
            Viewer { length: self.question.length, error: self.question.low_error + ROUNDING, trust: self.trust };
        let cells = self.file.bounds();
        let along = centre_products(self.file, &self.question);
        let bounds = cells.iter().zip(&along).map(|(cell, along)| viewer.bound(cell, *along));
        let order: Vec<u64> = (0..).zip(bounds).map(|(cell, bound)| join(bound, cell)).collect();
        BinaryHeap::from(order)
    }

    fn cell(&mut self, cell: usize, all: bool) {
        let places = self.file.cell(cell);
        self.looked_at += u64::from(places.end - places.start);
        let rows = &self.file.rows()[places.start as usize..places.end as usize];
        for (place, row) in places.zip(rows) {
            if all || self.ask.allowed.contains(*row) {
                self.push(place, *row);
            }
        }
        self.flush();
    }

    #[inline]
    fn push(&mut self, place: u32, row: u32) {
        self.block.places[self.block.length] = place;
        self.block.rows[self.block.length] = row;
        self.block.length += 1;
        if self.block.length == BLOCK {
            self.flush();
        }
    }

    /// Compares the rows of the block.
    fn flush(&mut self) {
        let length = std::mem::take(&mut self.block.length);
        self.compared += length as u64;
        let mut dots = [0; BLOCK];
        let places = self.block.places;
        self.kernel.byte_dots(&self.question.high, self.file.codes(), &places[..length], &mut dots[..length]);
        let scales = self.file.scales();
        let mut uppers = [0.0; BLOCK];
        for i in 0..length {
            let row = scales[places[i] as usize];
            uppers[i] = row.scale * self.question.high_product(dots[i])
                + self.slack_share * self.question.high_slack(row.error, self.longest)
                + ROUNDING;
        }
        for i in 0..length {
            if uppers[i] >= self.candidates.threshold() {
                self.refine(places[i], self.block.rows[i], dots[i]);
            }
        }
    }

    /// Brings in the fine plane of the question.
    fn refine(&mut self, place: u32, row: u32, high: i32) {
        // A row number of a damaged file may lie anywhere.
        if row as usize >= self.vectors.rows() {
            return;
        }
        let mut low = [0];
        self.kernel.byte_dots(&self.question.low, self.file.codes(), &[place], &mut low);
        let scale = self.file.scales()[place as usize];
        let about = scale.scale * self.question.product(high, low[0]);
        let slack = self.slack_share * self.question.slack(scale.error, self.longest) + ROUNDING;
        self.candidates.offer(row, about - slack, about + slack);
    }
}

/// Share of the greatest possible rounding error that is reckoned with.
pub(super) fn slack_share(file: &CellFile, trust: Trust) -> f32 {
    match trust {
        Trust::Certain => 1.0,
        Trust::Confident(_) => (DEVIATIONS / (file.sizes().dimension as f32).sqrt()).min(1.0),
    }
}

/// Products of a question with the directions of all centres.
pub(super) fn centre_products(file: &CellFile, question: &Question) -> Vec<f32> {
    let cells = file.bounds();
    let mut along = Vec::with_capacity(cells.len());
    let mut dots = [[0; GROUP]; 2];
    let groups = file.centres().chunks_exact(GROUP * question.high.len());
    for (bytes, cells) in groups.zip(cells.chunks(GROUP)) {
        Kernel::best().packed_dots([&question.high, &question.low], bytes, &mut dots);
        along.extend((0..cells.len()).map(|i| cells[i].factor * question.product(dots[0][i], dots[1][i])));
    }
    along
}

/// A bound and a cell as one number that is ordered like the bound.
fn join(bound: f32, cell: u32) -> u64 {
    let bits = bound.to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(ordered) << 32 | u64::from(cell)
}

/// What [`join`] put together.
fn split(joined: u64) -> (f32, usize) {
    let ordered = (joined >> 32) as u32;
    let bits = if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered };
    (f32::from_bits(bits), joined as u32 as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn joined_numbers_order_like_their_bounds(a in -2.0f32..2.0, b in -2.0f32..2.0, cell: u32) {
            prop_assert_eq!(split(join(a, cell)), (a, cell as usize));
            if a < b {
                prop_assert!(join(a, cell) < join(b, 0));
            }
        }
    }
}
