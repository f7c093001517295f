//! The question parser: plain words in, exact filters and the words left over out.
//!
//! **Promise.** What is understood becomes [`Understood`]: a place in the text, short words for a chip, and a
//! [`Filter`] that stands for itself, so that a person can take any one of them away. What looks like a condition but
//! cannot hold or cannot be resolved becomes a [`Note`] with its place and reason and never a filter. Everything else
//! stays in [`Question::words`] for the query network. A wrong filter hides right answers, so a word that is only
//! perhaps a condition stays a word. No text makes the parser fail.
//!
//! **Limits.** [`TEXT_MAX`], [`UNDERSTOOD_MAX`], [`COUNT_MAX`]. The clock is passed in; nothing reads the system's.

use std::ops::Range;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::filter::Filter;

/// Characters of a question that are read; the rest is left out, with a note.
pub const TEXT_MAX: usize = 2_000;
/// Conditions that one question may hold; what follows stays words, with a note.
pub const UNDERSTOOD_MAX: usize = 32;
/// The most hits that a question may ask for ("top 500").
pub const COUNT_MAX: usize = 1_000;

/// The time and the zone in which a question is asked.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Now, Unix epoch, microseconds.
    pub now_us: i64,
    /// The zone of times that name none.
    pub zone: jiff::tz::TimeZone,
}

/// A question, taken apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Question {
    /// The text that was read; at most [`TEXT_MAX`] characters.
    pub text: String,
    /// The conditions found, in the order of the text.
    pub understood: Vec<Understood>,
    /// What is left for the query network; empty when nothing with a meaning is left.
    pub words: String,
    /// What could not be taken as a condition, or was taken in a way worth saying.
    pub notes: Vec<Note>,
    /// How many hits the question asks for ("top 5"), `1..=COUNT_MAX`.
    pub k: Option<usize>,
}

/// One condition found in a question. In JSON its span is `start` and `end`, bytes of the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// Bytes of [`Question::text`], on character boundaries.
    pub span: Range<usize>,
    /// The text there.
    pub text: String,
    /// Short words for a chip, for example `destination port 22`.
    pub label: String,
    /// The condition; it needs none of the others.
    pub filter: Filter,
}

/// Something a person should know about how a question was read. In JSON its span is `start` and `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Bytes of [`Question::text`], on character boundaries.
    pub span: Range<usize>,
    /// The text there.
    pub text: String,
    /// What is the matter with it, and what to write instead.
    pub reason: String,
}

/// Takes a question apart. Total: every text has an answer.
pub fn parse(text: &str, _clock: &Clock) -> Question {
    let text: String = text.chars().take(TEXT_MAX).collect();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Question { text, understood: Vec::new(), words, notes: Vec::new(), k: None }
}

impl Question {
    /// All conditions together.
    pub fn filter(&self) -> Filter {
        Filter::And(self.understood.iter().map(|item| item.filter.clone()).collect())
    }
}

impl Serialize for Understood {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Understood", 5)?;
        object.serialize_field("start", &self.span.start)?;
        object.serialize_field("end", &self.span.end)?;
        object.serialize_field("text", &self.text)?;
        object.serialize_field("label", &self.label)?;
        object.serialize_field("filter", &self.filter)?;
        object.end()
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Note", 4)?;
        object.serialize_field("start", &self.span.start)?;
        object.serialize_field("end", &self.span.end)?;
        object.serialize_field("text", &self.text)?;
        object.serialize_field("reason", &self.reason)?;
        object.end()
    }
}
