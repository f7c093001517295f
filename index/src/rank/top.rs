//! The best of many, in bounded memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Key, Resume};

/// An event with its rank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranked {
    /// What it is ordered by.
    pub(crate) key: Key,
    /// Place of its segment in the snapshot.
    pub(crate) segment: usize,
    /// Its row there.
    pub(crate) row: u32,
    /// Its cosine with the question.
    pub(crate) cosine: Option<f32>,
    /// Its text score.
    pub(crate) text: Option<f32>,
    /// What came of them.
    pub(crate) score: f32,
}

/// The best so far, at most as many as wanted.
pub(crate) struct Top {
    heap: BinaryHeap<Reverse<ByKey>>,
    wanted: usize,
}

struct ByKey(Ranked);

impl Top {
    /// Keeps the best `wanted`.
    pub(crate) fn new(wanted: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(wanted + 1), wanted }
    }

    /// Whether something with this primary value could still get in; saves looking up its identifier.
    pub(crate) fn may_take(&self, primary: i64) -> bool {
        self.heap.len() < self.wanted || self.heap.peek().is_some_and(|Reverse(worst)| primary >= worst.0.key.primary)
    }

    /// Takes one in, if it is good enough and was not on an earlier page.
    pub(crate) fn offer(&mut self, ranked: Ranked, resume: Option<&Resume>) {
        if resume.is_some_and(|resume| resume.has_shown(ranked.key)) {
            return;
        }
        self.heap.push(Reverse(ByKey(ranked)));
        if self.heap.len() > self.wanted {
            self.heap.pop();
        }
    }

    /// What was kept, best first.
    pub(crate) fn into_sorted(self) -> Vec<Ranked> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(ByKey(ranked))| ranked).collect()
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for ByKey {}

impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.key.cmp(&other.0.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(primary: i64, id: u128) -> Ranked {
        Ranked { key: Key { primary, id }, segment: 0, row: 0, cosine: None, text: None, score: 0.0 }
    }

    #[test]
    fn the_best_come_first_and_shown_ones_not_again() {
        let resume = Resume { after: Some(Key { primary: 9, id: 1 }), shown: vec![5] };
        let mut top = Top::new(2);
        for (primary, id) in [(3, 1), (9, 1), (9, 0), (10, 4), (8, 5), (4, 2)] {
            assert!(top.may_take(9));
            top.offer(ranked(primary, id), Some(&resume));
        }
        assert!(!top.may_take(3));
        let keys: Vec<(i64, u128)> = top.into_sorted().iter().map(|r| (r.key.primary, r.key.id)).collect();
        assert_eq!(keys, [(9, 0), (4, 2)]);
    }
}
