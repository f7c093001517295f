//! The question parser: plain words in, exact filters and the words left over out.
//!
//! **Promise.** What is understood becomes [`Understood`]: a place in the text, short words for a chip, and a
//! [`Filter`] that stands for itself, so that a person can take any one of them away. What looks like a condition but
//! cannot hold or cannot be resolved becomes a [`Note`] with its place and reason and never a filter. Everything else
//! stays in [`Question::words`] for the query network. A wrong filter hides right answers, so a word that is only
//! perhaps a condition stays a word. No text makes the parser fail.
//!
//! **Layout.** `token` cuts the text; `scan` asks the recognisers (one file each: `address`, `port`, `protocol`, `service`,
//! `quantity`, `feature`, `flag`, `reply`, `time`, `host`, `verdict`, `count`) at each place; `compose` joins lists and
//! applies negations, `stray` gives back what one could not be applied to; `words` keeps what is left. `docs/questions.md` has the grammar, with examples.
//!
//! **Limits.** [`TEXT_MAX`], [`UNDERSTOOD_MAX`], [`COUNT_MAX`]. The clock is passed in; nothing reads the system's.

mod address;
mod amount;
mod compare;
mod compose;
mod count;
mod feature;
mod flag;
mod host;
mod item;
mod lead;
mod measure;
mod negation;
mod network;
mod number;
mod port;
mod protocol;
mod quantity;
mod reply;
mod scan;
mod service;
mod stray;
mod time;
mod tld;
mod token;
mod unit;
mod value;
mod verdict;
mod words;

use std::ops::Range;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use self::compose::Chip;
use self::item::Cursor;
use self::scan::What;
use self::token::Token;
use crate::filter::Filter;

/// Characters of a question that are read; the rest is left out, with a note.
pub const TEXT_MAX: usize = 2_000;
/// Conditions that one question may hold; what follows stays words, with a note.
pub const UNDERSTOOD_MAX: usize = 32;
/// The most hits that a question may ask for ("top 500").
pub const COUNT_MAX: usize = 1_000;

/// Nodes and depth that the conditions of one question may have together; below the limits of a filter, so that a
/// caller can still add a filter of its own.
const NODES_MAX: usize = 192;
const DEPTH_MAX: usize = 12;
const _: () = assert!(NODES_MAX < crate::limits::FILTER_NODES_MAX && DEPTH_MAX < crate::limits::FILTER_DEPTH_MAX);

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
pub fn parse(text: &str, clock: &Clock) -> Question {
    let (text, rest) = text.split_at(text.char_indices().nth(TEXT_MAX).map_or(text.len(), |(at, _)| at));
    let tokens = token::tokens(text);
    let cursor = Cursor { text, tokens: &tokens, at: 0, clock };
    let pieces = scan::pieces(cursor);
    let (chips, given_up) = compose::compose(&cursor, &pieces);
    let mut reading = Reading {
        text,
        tokens: &tokens,
        kept: vec![true; tokens.len()],
        understood: Vec::new(),
        notes: Vec::new(),
        nodes: 1,
    };
    let mut k = None;
    for piece in &pieces {
        match &piece.what {
            What::Note(reason, empty) => {
                let tokens = piece.at..piece.at + piece.len;
                reading.note(tokens.clone(), reason);
                if *empty {
                    reading.kept[tokens].fill(false);
                }
            }
            What::Count(hits) => {
                reading.count(piece.at..piece.at + piece.len, k.is_some());
                k.get_or_insert(*hits);
            }
            _ => {}
        }
    }
    for given in given_up {
        reading.note(given.tokens, given.reason);
    }
    for chip in chips {
        reading.chip(chip);
    }
    if !rest.is_empty() {
        let reason = format!("a question has at most {TEXT_MAX} characters; what follows was not read");
        reading.notes.push(Note { span: text.len()..text.len(), text: String::new(), reason });
    }
    let words = words::words(text, &tokens, &reading.kept);
    reading.notes.sort_by_key(|note| note.span.start);
    Question { text: text.to_owned(), understood: reading.understood, words, notes: reading.notes, k }
}

/// A question on its way from chips to what is returned.
struct Reading<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// Per token, whether it stays among the words.
    kept: Vec<bool>,
    understood: Vec<Understood>,
    notes: Vec<Note>,
    /// Nodes of the filters so far.
    nodes: usize,
}

impl Reading<'_> {
    fn chip(&mut self, chip: Chip) {
        if self.understood.len() >= UNDERSTOOD_MAX {
            let reason = format!("a question may hold {UNDERSTOOD_MAX} conditions; this one was left out");
            return self.note(chip.tokens, &reason);
        }
        let (nodes, depth) = size(&chip.filter);
        if self.nodes + nodes > NODES_MAX || depth > DEPTH_MAX {
            return self.note(chip.tokens, "the conditions together are too large; this one was left out");
        }
        self.nodes += nodes;
        for hint in &chip.hints {
            self.note(chip.tokens.clone(), hint);
        }
        for at in chip.tokens.clone() {
            self.kept[at] = chip.echoes.iter().any(|echo| echo.contains(&at));
        }
        let span = self.span(&chip.tokens);
        let text = self.text[span.clone()].to_owned();
        self.understood.push(Understood { span, text, label: chip.label, filter: chip.filter });
    }

    fn note(&mut self, tokens: Range<usize>, reason: &str) {
        let span = self.span(&tokens);
        let text = self.text[span.clone()].to_owned();
        self.notes.push(Note { span, text, reason: reason.to_owned() });
    }

    fn count(&mut self, tokens: Range<usize>, is_second: bool) {
        if is_second {
            self.note(tokens.clone(), "the number of hits was given before; that one counts");
        }
        self.kept[tokens].fill(false);
    }

    /// The bytes that a stretch of tokens covers.
    fn span(&self, tokens: &Range<usize>) -> Range<usize> {
        let start = self.tokens.get(tokens.start).map_or(self.text.len(), |token| token.span.start);
        let end =
            tokens.end.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |token| token.span.end);
        start..end.max(start)
    }
}

/// Nodes and depth of a filter. Chips are built from bounded lists, so the recursion is as shallow as they are.
fn size(filter: &Filter) -> (usize, usize) {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            let sizes: Vec<(usize, usize)> = parts.iter().map(size).collect();
            let deepest = sizes.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
            (1 + sizes.iter().map(|(nodes, _)| nodes).sum::<usize>(), 1 + deepest)
        }
        Filter::Not(part) => {
            let (nodes, depth) = size(part);
            (1 + nodes, 1 + depth)
        }
        _ => (1, 1),
    }
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
