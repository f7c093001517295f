//! Keeping what may still be among the best, when scores are known only between bounds.
//!
//! Each row comes with an upper and a lower bound of its score. The `k`-th best lower bound so far is the threshold: a row
//! whose upper bound lies below it is out for certain. What is left at the end is scored exactly, the most promising
//! first, until no upper bound reaches the `k`-th best exact score.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::kernel::Kernel;
use crate::segment::VectorFile;

/// Candidates that are kept before those below the threshold are dropped for the first time.
const PRUNE_FROM: usize = 4_096;

/// Rows scored exactly at a time.
const EXACT_ROWS: usize = 32;

/// A number that is ordered. Scores are never NaN; if one were, it would come last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score(pub(super) f32);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What may still be among the best `k`.
pub(super) struct Candidates {
    k: usize,
    lower: BinaryHeap<Reverse<Score>>,
    threshold: f32,
    kept: Vec<(f32, u32)>,
    prune_at: usize,
}

impl Candidates {
    /// Keeps what may be among the best `k` and reaches `floor`.
    pub(super) fn new(k: usize, floor: f32) -> Self {
        Self {
            k,
            lower: BinaryHeap::with_capacity(k + 1),
            threshold: floor,
            kept: Vec::with_capacity(2 * k),
            prune_at: PRUNE_FROM.max(4 * k),
        }
    }

    /// What an upper bound must reach.
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Takes in a row with its bounds.
    pub(super) fn offer(&mut self, row: u32, lower: f32, upper: f32) {
        if upper < self.threshold {
            return;
        }
        self.kept.push((upper, row));
        if self.lower.len() < self.k {
            self.lower.push(Reverse(Score(lower)));
        } else if let Some(mut least) = self.lower.peek_mut()
            && least.0.0 < lower
        {
            *least = Reverse(Score(lower));
        }
        self.raise();
        if self.kept.len() >= self.prune_at {
            let threshold = self.threshold;
            self.kept.retain(|(upper, _)| *upper >= threshold);
            self.prune_at = PRUNE_FROM.max(2 * self.kept.len());
        }
    }

    /// The rows whose exact score reaches the `k`-th best, all that equal it among them, with their scores; and how many
    /// rows were scored for it. In no promised order.
    pub(super) fn resolve(self, query: &[f32], vectors: &VectorFile) -> (Vec<(u32, f32)>, u64) {
        let Self { k, threshold: floor, mut kept, .. } = self;
        kept.retain(|(upper, _)| *upper >= floor);
        kept.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut best: BinaryHeap<Reverse<Score>> = BinaryHeap::with_capacity(k + 1);
        let mut found = Vec::with_capacity(kept.len().min(2 * k));
        let (mut rows, mut scores) = (Vec::with_capacity(EXACT_ROWS), [0.0; EXACT_ROWS]);
        let mut exact = 0;
        for part in kept.chunks(EXACT_ROWS) {
            let least = if best.len() < k { f32::NEG_INFINITY } else { best.peek().map_or(floor, |least| least.0.0) };
            if part[0].0 < least {
                break;
            }
            rows.clear();
            rows.extend(part.iter().map(|(_, row)| *row));
            Kernel::best().dots(query, vectors.numbers(), &rows, &mut scores[..rows.len()]);
            exact += rows.len() as u64;
            for (row, score) in rows.iter().zip(scores) {
                found.push((*row, score));
                best.push(Reverse(Score(score)));
                if best.len() > k {
                    best.pop();
                }
            }
        }
        if best.len() == k
            && let Some(Reverse(Score(least))) = best.peek()
        {
            found.retain(|(_, score)| score >= least);
        }
        (found, exact)
    }

    /// The rows that were offered with their exact scores and reach the `k`-th best.
    pub(super) fn scored(mut self) -> Vec<(u32, f32)> {
        self.kept.retain(|(score, _)| *score >= self.threshold);
        self.kept.into_iter().map(|(score, row)| (row, score)).collect()
    }

    fn raise(&mut self) {
        if self.lower.len() >= self.k
            && let Some(Reverse(Score(least))) = self.lower.peek()
        {
            self.threshold = self.threshold.max(*least);
        }
    }
}
