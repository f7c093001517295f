//! Walking the links to what is nearest.
//!
//! Malkov and Yashunin (2016), algorithms 2 and 5, with a filter: from the entry row greedily down the layers, then through
//! the lowest one with a list of candidates. All rows are walked through; those that the filter leaves out are not kept.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::best::Score;
use super::super::hnsw_settings::LINKS_MAX;
use super::super::{Ask, Kernel, Nearest};
use super::layout::LinkFile;
use crate::bitmap::Bitmap;
use crate::segment::VectorFile;

/// Most rows that a walk compares where so many match: from there on it would have cost as much as comparing them all.
pub(super) fn compared_max(matching: u64) -> u64 {
    matching
}

/// The best of the rows that `ask` allows, at most `kept`; none where the walk was given up.
pub(super) fn nearest(links: &LinkFile, vectors: &VectorFile, ask: &Ask, kept: usize) -> Nearest {
    if ask.matching == 0 || links.rows() == 0 {
        return Nearest::default();
    }
    let mut walk = Walk { links, vectors, query: ask.query, block: Vec::new(), scores: Vec::new(), compared: 0 };
    let (row, score) = walk.descend();
    let found = walk.spread(row, score, ask, kept).unwrap_or_default();
    let compared = walk.compared;
    Nearest { rows: found, compared, looked_at: compared, scored: compared, certain: false }
}

/// One question on its way.
struct Walk<'a> {
    links: &'a LinkFile,
    vectors: &'a VectorFile,
    query: &'a [f32],
    /// Rows to compare next, and their scores.
    block: Vec<u32>,
    scores: Vec<f32>,
    compared: u64,
}

impl Walk<'_> {
    /// The best row that a greedy walk through the upper layers finds. It ends, since the score rises with each step.
    fn descend(&mut self) -> (u32, f32) {
        let entry = self.links.entry();
        self.block.push(entry);
        self.compare();
        let (mut best, mut best_score) = (entry, self.scores[0]);
        for level in (1..self.links.layers()).rev() {
            loop {
                self.block.clear();
                self.block.extend(self.links.links(level, best));
                self.compare();
                let next = self.block.iter().zip(&self.scores).max_by(|a, b| a.1.total_cmp(b.1));
                match next {
                    Some((row, score)) if *score > best_score => (best, best_score) = (*row, *score),
                    _ => break,
                }
            }
        }
        (best, best_score)
    }

    /// The best allowed rows near `start`; `None` where that costs more than a scan. Every row is compared once at most.
    fn spread(&mut self, start: u32, score: f32, ask: &Ask, kept: usize) -> Option<Vec<(u32, f32)>> {
        let mut seen = Bitmap::none(self.links.rows() as u32);
        seen.insert(start);
        let mut found = Found { best: BinaryHeap::with_capacity(kept.min(LINKS_MAX) + 1), kept };
        let mut candidates = BinaryHeap::from([(Score(score), start)]);
        if ask.allowed.contains(start) {
            found.offer(score, start);
        }
        while let Some((Score(score), row)) = candidates.pop() {
            if found.least().is_some_and(|least| score < least) {
                break;
            }
            if self.compared >= compared_max(ask.matching) {
                return None;
            }
            self.block.clear();
            for link in self.links.links(0, row) {
                if !seen.contains(link) {
                    seen.insert(link);
                    self.block.push(link);
                }
            }
            self.compare();
            for (row, score) in self.block.iter().zip(&self.scores) {
                if found.least().is_none_or(|least| *score > least) {
                    candidates.push((Score(*score), *row));
                    if ask.allowed.contains(*row) {
                        found.offer(*score, *row);
                    }
                }
            }
        }
        Some(found.best.into_iter().map(|Reverse((Score(score), row))| (row, score)).collect())
    }

    fn compare(&mut self) {
        self.scores.clear();
        self.scores.resize(self.block.len(), 0.0);
        Kernel::best().dots(self.query, self.vectors.numbers(), &self.block, &mut self.scores);
        self.compared += self.block.len() as u64;
    }
}

/// The best so far.
struct Found {
    best: BinaryHeap<Reverse<(Score, u32)>>,
    kept: usize,
}

impl Found {
    fn offer(&mut self, score: f32, row: u32) {
        self.best.push(Reverse((Score(score), row)));
        if self.best.len() > self.kept {
            self.best.pop();
        }
    }

    /// What a row must reach to be among the best; absent until there are as many as are kept.
    fn least(&self) -> Option<f32> {
        let full = self.best.len() >= self.kept;
        self.best.peek().filter(|_| full).map(|Reverse((Score(score), _))| *score)
    }
}
