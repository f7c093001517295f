//! Ranking: which matching events come first.
//!
//! ```text
//! vector and words   score = (1 - w) * cosine + w * text      w = text_weight, at most 0.5
//! vector alone       score = cosine
//! words alone        score = text
//! neither            newest first
//! ```
//!
//! Both parts have a fixed scale: a cosine of 1 is the same direction, a text score of 1 has every word. Neither is
//! stretched to what else was found, so an event scores the same under any filter and on any page. Equal scores are
//! ordered by identifier, the newer first.

mod key;
mod plan;
mod segment;
mod top;

pub(crate) use key::Key;
pub(crate) use plan::{Choice, Planned, plan};
pub(crate) use segment::rank_segment;
pub(crate) use top::{Ranked, Top};

use crate::bm25::WordQuery;

/// Text score from which an event is kept although it lies below `min_similarity`: most of the words stand in it.
pub(crate) const TEXT_KEEPS_FROM: f32 = 0.5;

/// Fewest candidates an index is asked for where words count too.
pub(crate) const CANDIDATES_MIN: usize = 200;

/// Candidates an index is asked for, for each hit wanted, where words count too.
pub(crate) const CANDIDATES_PER_HIT: usize = 4;

/// A search as ranking needs it.
pub(crate) struct Question {
    /// Unit length.
    pub(crate) vector: Option<Vec<f32>>,
    /// Absent where no word of the question stands in any event, or none was given.
    pub(crate) words: Option<WordQuery>,
    /// Whether words were given at all: then events are ranked by them even if none has any.
    pub(crate) by_words: bool,
    /// Weight of the text score where both are given.
    pub(crate) text_weight: f32,
    /// Least cosine.
    pub(crate) floor: Option<f32>,
    /// Where the page before ended.
    pub(crate) resume: Option<Resume>,
    /// Hits wanted on the page.
    pub(crate) k: usize,
    /// Hits on the pages before.
    pub(crate) depth: usize,
}

/// Where a page ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resume {
    /// Everything from the best to here has been shown.
    pub(crate) after: Option<Key>,
    /// Beyond `after`, these have been shown too: the low halves of their identifiers. A page that came from an index may
    /// have missed events better than its last, so its hits are named one by one.
    pub(crate) shown: Vec<u64>,
}

impl Question {
    /// Whether anything but time orders the events.
    pub(crate) fn by_score(&self) -> bool {
        self.vector.is_some() || self.by_words
    }

    /// The score of an event from its parts.
    pub(crate) fn score(&self, cosine: Option<f32>, text: Option<f32>) -> f32 {
        match (cosine, text) {
            (Some(cosine), Some(text)) => (1.0 - self.text_weight) * cosine + self.text_weight * text,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => 0.0,
        }
    }

    /// Whether `min_similarity` leaves the event out.
    pub(crate) fn is_below_floor(&self, cosine: Option<f32>, text: Option<f32>) -> bool {
        match (self.floor, cosine) {
            (Some(floor), Some(cosine)) => cosine < floor && text.is_none_or(|text| text < TEXT_KEEPS_FROM),
            _ => false,
        }
    }
}

impl Resume {
    /// Whether an event has been on an earlier page.
    pub(crate) fn has_shown(&self, key: Key) -> bool {
        self.after.is_some_and(|after| key >= after) || self.shown.contains(&key.low_id())
    }
}
