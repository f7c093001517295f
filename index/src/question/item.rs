//! What recognisers find, and the cursor they look through.

use super::Clock;
use super::token::{Sep, Token};
use crate::filter::{End, Filter};

/// What a recogniser found at the cursor.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// A condition.
    Item(Item),
    /// Something meant as a condition that cannot be one: how many tokens, why, and whether they mean nothing as words.
    Note { len: usize, reason: String, empty: bool },
    /// How many hits are wanted.
    Count { len: usize, k: usize },
}

/// A condition on its way to a chip.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Tokens it covers.
    pub(super) len: usize,
    pub(super) slot: Slot,
    pub(super) label: String,
    pub(super) filter: Filter,
    /// The words say something to the query network too, so they stay among the words.
    pub(super) echo: bool,
    /// A preposition led to it ("from ..."), so it hangs on what stands before it.
    pub(super) directed: bool,
    /// Something to say about how it was read.
    pub(super) hint: Option<String>,
}

/// What a condition is about. Two conditions in one slot exclude each other, so "and" between them lists alternatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Address(End),
    Port(End),
    Protocol,
    Service,
    Verdict,
    Family,
    Host,
    Quantity,
    Flag,
    Time,
}

impl Item {
    pub(super) fn new(len: usize, slot: Slot, label: impl Into<String>, filter: Filter) -> Self {
        Self { len, slot, label: label.into(), filter, echo: false, directed: false, hint: None }
    }

    pub(super) fn echoed(mut self) -> Self {
        self.echo = true;
        self
    }

    pub(super) fn directed(mut self, directed: bool) -> Self {
        self.directed = directed;
        self
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// As a recogniser returns it.
    #[allow(clippy::unnecessary_wraps)]
    pub(super) fn found(self) -> Option<Found> {
        Some(Found::Item(self))
    }
}

/// As a recogniser returns it.
#[allow(clippy::unnecessary_wraps)]
pub(super) fn note(len: usize, reason: impl Into<String>) -> Option<Found> {
    Some(Found::Note { len, reason: reason.into(), empty: false })
}

/// A note on something that says nothing to the query network, such as an address that there cannot be.
#[allow(clippy::unnecessary_wraps)]
pub(super) fn empty_note(len: usize, reason: impl Into<String>) -> Option<Found> {
    Some(Found::Note { len, reason: reason.into(), empty: true })
}

/// A place among the tokens. Places are relative to it; outside the text everything is empty.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) at: usize,
    pub(super) clock: &'a Clock,
}

impl<'a> Cursor<'a> {
    /// The cursor `by` tokens further on.
    pub(super) fn skip(mut self, by: usize) -> Self {
        self.at = self.at.saturating_add(by).min(self.tokens.len());
        self
    }

    pub(super) fn token(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at.saturating_add(ahead))
    }

    /// The token `ahead`, lower case.
    pub(super) fn word(&self, ahead: usize) -> &'a str {
        self.token(ahead).map_or("", |token| token.low.as_str())
    }

    /// The token `ahead` as it was written.
    pub(super) fn raw(&self, ahead: usize) -> &'a str {
        self.token(ahead).map_or("", |token| &self.text[token.span.clone()])
    }

    /// What separates the token `ahead` from the one before it.
    pub(super) fn sep(&self, ahead: usize) -> Sep {
        self.token(ahead).map_or(Sep::Stop, |token| token.sep)
    }

    /// The token `behind` places before, lower case; 1 is the one right before.
    pub(super) fn before(&self, behind: usize) -> &'a str {
        self.at.checked_sub(behind).and_then(|at| self.tokens.get(at)).map_or("", |token| token.low.as_str())
    }

    pub(super) fn is_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn any(&self, ahead: usize, words: &[&str]) -> bool {
        words.contains(&self.word(ahead))
    }

    /// The length of the first of `phrases` (words with single spaces) that stands here.
    pub(super) fn phrase(&self, phrases: &[&str]) -> Option<usize> {
        phrases.iter().find_map(|phrase| {
            let mut len = 0;
            let all = phrase.split(' ').all(|word| {
                len += 1;
                self.word(len - 1) == word
            });
            all.then_some(len)
        })
    }

    /// The length of the first of `phrases` that stands `ahead`, 0 where none does.
    pub(super) fn phrase_after(&self, ahead: usize, phrases: &[&str]) -> usize {
        self.skip(ahead).phrase(phrases).unwrap_or(0)
    }

    /// How many of the next tokens are among `words`, at most `max`.
    pub(super) fn run(&self, words: &[&str], max: usize) -> usize {
        (0..max).take_while(|&ahead| self.any(ahead, words)).count()
    }

    /// The length of what joins two things of a list here: a comma or a slash, "or", "and", or both. 0 with only a
    /// comma; `None` where nothing joins.
    pub(super) fn joint(&self) -> Option<usize> {
        let separated = matches!(self.sep(0), Sep::Comma | Sep::Slash);
        if self.sep(0) == Sep::Stop {
            return None;
        }
        if self.any(0, &["or", "and", "nor"]) {
            return Some(1);
        }
        separated.then_some(0)
    }
}

/// All of `filters`; one stands without a wrapper.
pub(super) fn all(mut filters: Vec<Filter>) -> Filter {
    match filters.pop() {
        Some(only) if filters.is_empty() => only,
        Some(last) => {
            filters.push(last);
            Filter::And(filters)
        }
        None => Filter::And(filters),
    }
}

/// Any of `filters`; one stands without a wrapper, and an "or" inside an "or" comes apart.
pub(super) fn any_of(filters: Vec<Filter>) -> Filter {
    let mut flat = Vec::with_capacity(filters.len());
    for filter in filters {
        match filter {
            Filter::Or(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.pop() {
        Some(only) if flat.is_empty() => only,
        Some(last) => {
            flat.push(last);
            Filter::Or(flat)
        }
        None => Filter::Or(flat),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn listed(labels: &[String]) -> String {
    match labels {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}
