//! What is asked of an index.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::IndexError;
use crate::filter::Filter;
use crate::limits::{CURSOR_CHARS_MAX, HITS_MAX, TEXT_WEIGHT_DEFAULT, TEXT_WEIGHT_MAX, WORDS_BYTES_MAX};

/// What is asked of an index. `Search::default()` is the ten newest events.
///
/// With a vector or words, hits come by score; with neither, newest first.
#[derive(Clone, Debug)]
pub struct Search {
    /// What must hold of every hit.
    pub filter: Filter,
    /// The question in the vector space of the index, unit length. Absent: no similarity.
    pub vector: Option<Vec<f32>>,
    /// Words for BM25 over the rendered events. Empty: no text score.
    pub words: String,
    /// Hits wanted, 1 to [`HITS_MAX`]; exactly as many come whenever as many events match.
    pub k: usize,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// Weight of the text score beside the similarity, 0 to [`TEXT_WEIGHT_MAX`]. Means nothing unless both are asked.
    pub text_weight: f32,
    /// Hits less similar than this are left out, unless most of the words stand in them. Absent: none is left out.
    pub min_similarity: Option<f32>,
    /// Whether each hit says why it matched.
    pub explain: bool,
    /// Whether timeline and facets are counted. They cost a pass over everything that matches.
    pub summary: bool,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            filter: Filter::And(Vec::new()),
            vector: None,
            words: String::new(),
            k: 10,
            cursor: None,
            text_weight: TEXT_WEIGHT_DEFAULT,
            min_similarity: None,
            explain: true,
            summary: true,
        }
    }
}

impl Search {
    /// Refuses what is outside the limits or does not fit an index of `dimension`.
    pub(crate) fn check(&self, dimension: usize) -> Result<(), IndexError> {
        self.filter.check()?;
        if self.k == 0 || self.k > HITS_MAX {
            return Err(IndexError::Search(format!("k = {} is not in 1..={HITS_MAX}", self.k)));
        }
        if self.words.len() > WORDS_BYTES_MAX {
            return Err(IndexError::Search(format!("more than {WORDS_BYTES_MAX} bytes of words")));
        }
        if !(0.0..=TEXT_WEIGHT_MAX).contains(&self.text_weight) {
            return Err(IndexError::Search(format!(
                "text_weight {} is not in 0..={TEXT_WEIGHT_MAX}",
                self.text_weight
            )));
        }
        if self.min_similarity.is_some_and(|floor| !(-1.0..=1.0).contains(&floor)) {
            return Err(IndexError::Search("min_similarity is not in -1..=1".to_owned()));
        }
        let Some(vector) = &self.vector else { return Ok(()) };
        if vector.len() != dimension {
            return Err(IndexError::Search(format!("a vector of {} numbers, not {dimension}", vector.len())));
        }
        if vector.iter().any(|x| !x.is_finite()) {
            return Err(IndexError::Search("a vector with a number that is not finite".to_owned()));
        }
        Ok(())
    }
}

/// Where a page ended: an opaque string, good for the same search on the same index only.
///
/// It survives restarts and merges. Events added since do not show up in its pages, so nothing shifts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor(pub(crate) String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Cursor {
    type Error = IndexError;

    fn try_from(text: String) -> Result<Self, IndexError> {
        if text.len() > CURSOR_CHARS_MAX {
            return Err(IndexError::Cursor(format!("longer than {CURSOR_CHARS_MAX} characters")));
        }
        Ok(Self(text))
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.0
    }
}
