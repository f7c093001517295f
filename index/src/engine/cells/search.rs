//! Searching in cells.

use std::collections::BinaryHeap;

use super::super::best::Candidates;
use super::super::kernel::{GROUP, Kernel, prefetch};
use super::super::quantise::Question;
use super::super::{Ask, Nearest};
use super::bound::{Trust, Viewer, rounding};
use super::layout::{CellFile, Place};
use super::view::{Caution, View};
use crate::segment::VectorFile;

/// Rows compared at a time.
const BLOCK: usize = 64;

/// Rows of a cell that are looked at or left out together.
const SHELL: usize = 32;

/// A search under way.
pub(super) struct Search<'a> {
    file: &'a CellFile,
    vectors: &'a VectorFile,
    ask: &'a Ask<'a>,
    question: Question,
    kernel: Kernel,
    trust: Trust,
    candidates: Candidates,
    caution: Caution,
    compared: u64,
    looked_at: u64,
    block: Block,
}

/// Places and rows to be compared next, and how the question looks from their cells.
struct Block {
    places: [u32; BLOCK],
    rows: [u32; BLOCK],
    views: [View; BLOCK],
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
            caution: Caution::new(trust, file.sizes().dimension),
            compared: 0,
            looked_at: 0,
            block: Block { places: [0; BLOCK], rows: [0; BLOCK], views: [View::default(); BLOCK], length: 0 },
        }
    }

    /// Goes through cells, the most promising first, until no further one can hold a hit by what is reckoned with.
    pub(super) fn through_cells(mut self) -> Nearest {
        let viewer = self.viewer();
        let along = centre_products(self.file, &self.question);
        let mut order = self.order(&viewer, &along);
        let all = self.ask.matching >= self.file.sizes().rows as u64;
        while let Some(next) = order.pop() {
            let (bound, cell) = split(next);
            // Without this a filter that few rows pass would lead through every cell although all were found.
            if bound < self.candidates.threshold() || self.compared + self.block.length as u64 >= self.ask.matching {
                break;
            }
            self.cell(cell, &viewer, along[cell], all);
        }
        self.finish()
    }

    /// Compares exactly the rows that are allowed, wherever they are.
    pub(super) fn through_rows(mut self) -> Nearest {
        let (places, scales, bounds) = (self.file.places(), self.file.scales(), self.file.bounds());
        let mut along = vec![[f32::NAN; GROUP]; bounds.len().div_ceil(GROUP)];
        for row in self.ask.allowed.iter() {
            if let Some(Place { place, cell }) = places.get(row as usize).copied()
                && let Some(scale) = scales.get(place as usize)
                && let Some(bound) = bounds.get(cell as usize)
            {
                prefetch(scale);
                let (group, member) = (cell as usize / GROUP, cell as usize % GROUP);
                if along[group][member].is_nan() {
                    along[group] = group_products(self.file, &self.question, group);
                }
                let view = self.caution.view(&self.question, bound, along[group][member]);
                self.push(place, row, view);
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

    fn viewer(&self) -> Viewer {
        let rounding = rounding(self.file.sizes().dimension);
        let error = self.caution.share(self.question.low_error) + rounding;
        Viewer { length: self.question.length, error, rounding, trust: self.trust }
    }

    /// Cells by what their members can reach, as a heap.
    fn order(&self, viewer: &Viewer, along: &[f32]) -> BinaryHeap<u64> {
        let bounds = self.file.bounds().iter().zip(along).map(|(cell, along)| viewer.bound(cell, *along));
        let order: Vec<u64> = (0..).zip(bounds).map(|(cell, bound)| join(bound, cell)).collect();
        BinaryHeap::from(order)
    }

    fn cell(&mut self, cell: usize, viewer: &Viewer, along: f32, all: bool) {
        let bound = &self.file.bounds()[cell];
        let view = self.caution.view(&self.question, bound, along);
        let places = self.file.cell(cell);
        let range = places.start as usize..places.end as usize;
        let (rows, angles) = (&self.file.rows()[range.clone()], &self.file.angles()[range]);
        // Members ascend by their angle with the centre, so a part of them lies in a shell, of which a bound says more.
        for (first, (rows, angles)) in places.step_by(SHELL).zip(rows.chunks(SHELL).zip(angles.chunks(SHELL))) {
            let shell = [angles[0], angles[angles.len() - 1]];
            if viewer.bound_between(bound, shell, along) < self.candidates.threshold() {
                continue;
            }
            self.looked_at += rows.len() as u64;
            for (place, row) in (first..).zip(rows) {
                if all || self.ask.allowed.contains(*row) {
                    self.push(place, *row, view);
                }
            }
        }
        self.flush();
    }

    #[inline]
    fn push(&mut self, place: u32, row: u32, view: View) {
        self.block.places[self.block.length] = place;
        self.block.rows[self.block.length] = row;
        self.block.views[self.block.length] = view;
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
        let threshold = self.candidates.threshold();
        let (mut left, mut count) = ([0; BLOCK], 0);
        for i in 0..length {
            let row = &scales[places[i] as usize];
            let upper = self.caution.upper(&self.block.views[i], &self.question, row, dots[i]);
            left[count] = i;
            count += usize::from(upper >= threshold);
        }
        self.refine(&left[..count], &dots);
    }

    /// Brings in the fine plane of the question, for rows of the block that may be among the best by the coarse one.
    fn refine(&mut self, left: &[usize], high: &[i32; BLOCK]) {
        let (mut places, mut low) = ([0; BLOCK], [0; BLOCK]);
        places.iter_mut().zip(left).for_each(|(place, i)| *place = self.block.places[*i]);
        let places = &places[..left.len()];
        self.kernel.byte_dots(&self.question.low, self.file.codes(), places, &mut low[..left.len()]);
        let scales = self.file.scales();
        for ((i, place), low) in left.iter().zip(places).zip(low) {
            let (view, row) = (&self.block.views[*i], self.block.rows[*i]);
            let scale = &scales[*place as usize];
            let (lower, upper) = self.caution.range(view, &self.question, scale, [high[*i], low]);
            // A row number of a damaged file may lie anywhere.
            if (row as usize) < self.vectors.rows() {
                self.candidates.offer(row, lower, upper);
            }
        }
    }
}

/// Products of a question with the directions of all centres.
pub(super) fn centre_products(file: &CellFile, question: &Question) -> Vec<f32> {
    let cells = file.bounds().len();
    let mut along = Vec::with_capacity(cells.next_multiple_of(GROUP));
    (0..cells.div_ceil(GROUP)).for_each(|group| along.extend(group_products(file, question, group)));
    along.truncate(cells);
    along
}

/// Products of a question with the directions of the centres of a group.
fn group_products(file: &CellFile, question: &Question, group: usize) -> [f32; GROUP] {
    let bytes = GROUP * question.high.len();
    let mut dots = [[0; GROUP]; 2];
    let centres = &file.centres()[group * bytes..][..bytes];
    Kernel::best().packed_dots([&question.high, &question.low], centres, &mut dots);
    let mut along = [0.0; GROUP];
    for (i, cell) in file.bounds().iter().skip(group * GROUP).take(GROUP).enumerate() {
        along[i] = cell.factor * question.product(dots[0][i], dots[1][i]);
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
