//! How well words fit a rendered event: BM25 (Robertson and Zaragoza 2009), scaled to 0..1 for each question.
//!
//! ```text
//! idf(t)    = ln(1 + (N - n_t + 0.5) / (n_t + 0.5))          N events, n_t of them with t
//! bm25(e)   = sum over t of idf(t) * f * (K1 + 1) / (f + K1 * (1 - B + B * length / mean length))
//! text(e)   = min(1, bm25(e) / sum of idf(known t)) * known words / all words
//! ```
//!
//! An event of mean length that has every known word once scores 1 before the last factor. The scale depends on the
//! question and the index alone, never on what else was found: with a scale taken from the best hit, a filter or a
//! page would change the score of the same event. The last factor makes a question whose words mostly stand nowhere
//! weigh little. Statistics are those of the whole index, and a cursor carries them, so later events change no score.

mod scorer;

pub(crate) use scorer::Scorer;

use crate::IndexError;
use crate::segment::{Segment, TextIndex};

/// How soon another occurrence of the same word stops counting.
const K1: f32 = 1.2;
/// How much a long text is held against it.
const B: f32 = 0.75;

/// What the scores of a question depend on beside the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WordStats {
    /// Events of the index.
    pub(crate) events: u64,
    /// Words in all of them together.
    pub(crate) tokens: u64,
    /// For each word of the question, the events it stands in.
    pub(crate) events_with: Vec<u64>,
}

/// The words of a question, weighed.
#[derive(Debug)]
pub(crate) struct WordQuery {
    /// The words with their idf; those that stand nowhere are left out.
    terms: Vec<(String, f32)>,
    mean_length: f32,
    scale: f32,
}

impl WordStats {
    /// Counts `terms` over the whole index.
    pub(crate) fn count<'a>(
        segments: impl Iterator<Item = &'a Segment> + Clone,
        terms: &[String],
    ) -> Result<Self, IndexError> {
        let mut stats = Self { events: 0, tokens: 0, events_with: vec![0; terms.len()] };
        if terms.is_empty() {
            return Ok(stats);
        }
        for segment in segments {
            stats.events += u64::from(segment.rows());
            stats.tokens += segment.text_tokens()?;
            for (count, term) in stats.events_with.iter_mut().zip(terms) {
                *count += u64::from(segment.text().rows_with(term)?);
            }
        }
        Ok(stats)
    }
}

impl WordQuery {
    /// Weighs `terms`; `None` where none of them stands in any event.
    pub(crate) fn new(terms: &[String], stats: &WordStats) -> Option<Self> {
        let idf = |with: u64| (1.0 + (stats.events.saturating_sub(with) as f32 + 0.5) / (with as f32 + 0.5)).ln();
        let known: Vec<(String, f32)> = terms
            .iter()
            .zip(&stats.events_with)
            .filter(|(_, with)| **with > 0)
            .map(|(term, with)| (term.clone(), idf(*with)))
            .collect();
        if known.is_empty() {
            return None;
        }
        let best: f32 = known.iter().map(|(_, idf)| idf).sum();
        let share = known.len() as f32 / terms.len() as f32;
        let mean_length = (stats.tokens as f32 / stats.events.max(1) as f32).max(1.0);
        Some(Self { terms: known, mean_length, scale: share / best })
    }

    /// What scores rows of a segment.
    pub(crate) fn scorer<'a>(&self, text: &'a TextIndex) -> Result<Scorer<'a>, IndexError> {
        Scorer::new(self, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_weigh_more_and_unknown_words_weaken_the_rest() {
        let terms = ["ssh", "tcp", "unicorn"].map(str::to_owned);
        let stats = WordStats { events: 1_000, tokens: 10_000, events_with: vec![10, 900, 0] };
        let query = WordQuery::new(&terms, &stats).unwrap();
        assert!(query.terms[0].1 > 10.0 * query.terms[1].1);
        assert_eq!(query.terms.len(), 2);
        let total: f32 = query.terms.iter().map(|(_, idf)| idf).sum();
        assert!((query.scale * total - 2.0 / 3.0).abs() < 1e-6);
        assert!(WordQuery::new(&terms[2..], &WordStats { events_with: vec![0], ..stats }).is_none());
    }
}
