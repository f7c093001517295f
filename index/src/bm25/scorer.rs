//! Text scores of rows of one segment, without a number for every row.
//!
//! A scorer goes through the postings of the question's words side by side, always forward. It scores the rows it is
//! asked about, or finds the best ones by itself: words are ordered by the most they can add, and once rows with common
//! words alone can no longer get in (`MaxScore`; Turtle and Flood 1995), only the postings of rarer words are walked and the
//! common ones are looked up. Either way a row's score is summed in the order of the question's words, so it is the same
//! to the last bit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{B, K1, WordQuery};
use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::segment::{TextIndex, WordPostings};

/// Scores rows of one segment, in ascending order.
pub(crate) struct Scorer<'a> {
    words: Vec<Word<'a>>,
    lengths: Box<dyn Fn(u32) -> u32 + 'a>,
    mean_length: f32,
    scale: f32,
    /// The greatest score there is.
    ceiling: f32,
}

/// A word and where its postings have been followed to.
struct Word<'a> {
    postings: WordPostings<'a>,
    /// The row the postings are at, and how often the word stands there.
    at: Option<(u32, u32)>,
    idf: f32,
}

impl Word<'_> {
    fn seek(&mut self, row: u32) {
        if self.at.is_some_and(|(at, _)| at < row) {
            self.at = self.postings.seek(row);
        }
    }

    /// More than it can add to a score.
    fn most(&self) -> f32 {
        self.idf * (K1 + 1.0)
    }
}

impl<'a> Scorer<'a> {
    pub(super) fn new(query: &WordQuery, text: &'a TextIndex) -> Result<Self, IndexError> {
        let mut words = Vec::with_capacity(query.terms.len());
        for (term, idf) in &query.terms {
            if let Some(mut postings) = text.postings(term)? {
                let at = postings.seek(0);
                words.push(Word { postings, at, idf: *idf });
            }
        }
        let ceiling = query.scale * query.terms.iter().map(|(_, idf)| idf).sum::<f32>();
        let lengths = Box::new(text.lengths()?);
        Ok(Self { words, lengths, mean_length: query.mean_length, scale: query.scale, ceiling })
    }

    /// The score of a row, 0..=1. Rows must ascend.
    pub(crate) fn score(&mut self, row: u32) -> f32 {
        (self.sum(row) * self.scale).min(self.ceiling)
    }

    /// The score of every one of `rows` rows: cheaper than asking row by row where most are asked for.
    pub(crate) fn all(mut self, rows: usize) -> Vec<f32> {
        let mut sums = vec![0.0f32; rows];
        for word in &mut self.words {
            while let Some((row, times)) = word.at {
                if let Some(sum) = sums.get_mut(row as usize) {
                    *sum += word.idf * weight(times, damping((self.lengths)(row), self.mean_length));
                }
                word.at = word.postings.seek(row + 1);
            }
        }
        for sum in &mut sums {
            *sum = (*sum * self.scale).min(self.ceiling);
        }
        sums
    }

    /// About the `wanted` rows of `allowed` that score best; only such as have a word at all.
    pub(crate) fn best(mut self, allowed: &Bitmap, wanted: usize) -> Vec<u32> {
        let mut rarest_last: Vec<usize> = (0..self.words.len()).collect();
        rarest_last.sort_unstable_by(|a, b| self.words[*a].most().total_cmp(&self.words[*b].most()));
        let mut best: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::with_capacity(wanted + 1);
        // Words before this one in `rarest_last` cannot bring a row in by themselves.
        let mut first = 0;
        let mut row = 0;
        while let Some(next) = rarest_last[first..].iter().filter_map(|word| self.words[*word].at).map(|at| at.0).min()
        {
            row = row.max(next);
            if allowed.contains(row) {
                // A sum is never negative, so its bits order like it.
                best.push(Reverse((self.sum(row).to_bits(), row)));
                if best.len() > wanted {
                    best.pop();
                    first = self.first_needed(&rarest_last, best.peek().map_or(0.0, |least| f32::from_bits(least.0.0)));
                }
            }
            row += 1;
            rarest_last[first..].iter().for_each(|word| self.words[*word].seek(row));
        }
        best.into_iter().map(|Reverse((_, row))| row).collect()
    }

    /// How many of the words with the least to add cannot together exceed `least`.
    fn first_needed(&self, rarest_last: &[usize], least: f32) -> usize {
        let mut sum = 0.0;
        rarest_last
            .iter()
            .take_while(|word| {
                sum += self.words[**word].most();
                sum <= least
            })
            .count()
    }

    fn sum(&mut self, row: u32) -> f32 {
        let mut sum = 0.0;
        let mut known = None;
        for word in &mut self.words {
            word.seek(row);
            let Some((_, times)) = word.at.filter(|(at, _)| *at == row) else { continue };
            let damping = *known.get_or_insert_with(|| damping((self.lengths)(row), self.mean_length));
            sum += word.idf * weight(times, damping);
        }
        sum
    }
}

/// How much a text's length is held against it.
fn damping(length: u32, mean_length: f32) -> f32 {
    K1 * (1.0 - B + B * length as f32 / mean_length)
}

/// What a word adds that stands `times` times in a text, for each unit of its idf.
fn weight(times: u32, damping: f32) -> f32 {
    let times = times as f32;
    times * (K1 + 1.0) / (times + damping)
}
