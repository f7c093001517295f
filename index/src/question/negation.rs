//! Words that turn a condition round: "not", "without", "except", "anything but".

use super::item::Cursor;
use super::token::Sep;

/// How far a negation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Negator {
    /// "not", "no", "except": over what follows, with what hangs on it ("except dns to 10.0.0.53").
    Wide,
    /// "without", "non-": over the next condition (or list) alone.
    Narrow,
    /// "excluded", "leave ... out": over what stands before it.
    After,
}

/// After it, tokens that may stand before the condition.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "any", "all", "the", "traffic", "flows", "flow", "connections", "come", "comes", "coming", "go", "goes",
    "going", "originate", "originates", "originating", "arrive", "arriving", "involve", "using", "use", "involving",
    "by", "of", "being", "via", "for", "over", "on", "in", "those", "ones", "with", "a", "an", "flagged", "having",
    "based", "other",
    // What is asked for, or not: "do not show", "never want to see".
    "show", "showing", "shows", "include", "includes", "including", "included", "list", "listing", "want", "wanted",
    "need", "needed", "display", "displaying", "return", "returning", "match", "matches", "matching", "count",
    "counting", "report", "give", "get", "find", "see", "me", "us", "to", "anything", "something", "ever", "even",
    "interested", "care", "about", "look", "at", "contain", "contains", "containing", "has", "have", "be", "more",
    "related",
    // What a flow does: "never contacted 10.0.0.1".
    "used", "uses", "contact", "contacts", "contacted", "contacting", "talk", "talks", "talked", "talking", "touch",
    "touched", "touching", "hit", "visit", "visited", "visiting", "send", "sends", "sent", "sending", "communicate",
    "communicates", "communicated", "communicating", "speak", "speaks", "speaking", "involves", "involved",
    "originated", "came", "went", "seen", "run", "running",
];
/// Those that after "not" say something of what stands before it.
#[rustfmt::skip]
const PASSIVES: &[&str] = &[
    "used", "seen", "wanted", "needed", "included", "involved", "contacted", "reached", "touched", "hit", "visited",
    "accessed", "opened",
];
/// Those that a flow may have tried in vain.
#[rustfmt::skip]
const UNCLEAR: &[&str] = &[
    "reach", "reached", "reaching", "connect", "connects", "connected", "connecting", "open", "opened", "access",
    "accessed", "accessing",
];
/// How many of them.
const FILLERS_MAX: usize = 6;

#[rustfmt::skip]
const WIDE: &[&str] = &[
    "other than", "get rid of", "unrelated to", "apart from", "aside from", "except for", "anything but",
    "everything but", "all but", "rather than", "instead of", "with the exception of", "without showing",
    "without including", "leave out", "leaving out", "leaving aside", "filter out", "filtering out", "does not",
    "do not", "did not", "is not", "are not", "was not", "were not", "has not", "have not", "should not",
    "must not", "no longer", "no one", "not", "no", "nor", "never", "nothing", "none", "nobody", "except",
    "excepting", "excluding", "exclude", "excludes", "omit", "omits", "omitting", "ignoring", "ignore", "skip",
    "minus", "sans", "barring", "besides", "isn't", "aren't", "doesn't", "don't", "didn't", "wasn't", "weren't",
    "hasn't", "haven't", "shouldn't", "mustn't", "dont", "neither",
];
const NARROW: &[&str] = &["without", "lacking", "non"];
/// Orders that are ordinary words elsewhere: "packet drop", "malware that hides".
const ORDERS: &[&str] = &["hide", "drop", "remove", "discard", "suppress"];
/// Before an order, besides the start of a sentence.
const BEFORE_ORDERS: &[&str] =
    &["and", "but", "please", "then", "to", "also", "not", "don't", "never", "just", "you", "i", "would", "should"];
/// Asking for what seems to be negated: "not only ssh", "nothing but dns".
const NO_NEGATION: &[&str] = &["not only", "not just", "nothing but", "none but", "no one but", "nobody but"];
const AFTER: &[&str] = &["excluded", "omitted", "hidden", "ignored", "skipped", "left out", "filtered out", "unused"];
/// "leave dns out": how far back the verb may stand.
const OUT_REACH: usize = 8;

/// A negation at the cursor and its tokens. What follows decides whether it stands: the composer takes one that no
/// condition follows back among the words.
pub(super) fn negator(c: &Cursor) -> Option<(usize, Negator)> {
    // Whoever "could not connect to 10.0.0.1" tried to.
    if c.phrase(NO_NEGATION).is_some() || matches!(c.before(1), "can" | "could") {
        return None;
    }
    if let Some(len) = c.phrase(WIDE) {
        // "everything but hide dns" negates once.
        let joins = c.word(len - 1) == "but" && negator(&c.skip(len)).is_some();
        return (!joins).then_some((len, Negator::Wide));
    }
    if c.any(0, ORDERS) && (c.sep(0) != Sep::None || c.before(1).is_empty() || BEFORE_ORDERS.contains(&c.before(1))) {
        return Some((1, Negator::Wide));
    }
    let apart = || (2..=OUT_REACH).any(|back| matches!(c.before(back), "leave" | "filter" | "take" | "keep" | "cut"));
    if c.word(0) == "out" && apart() {
        return Some((1, Negator::After));
    }
    if let Some(len) = c.phrase(AFTER) {
        return Some((len, Negator::After));
    }
    c.phrase(NARROW).map(|len| (len, Negator::Narrow))
}

/// Whether the token `word` may stand between a negation and its condition.
pub(super) fn is_filler(word: &str, so_far: usize) -> bool {
    so_far < FILLERS_MAX && (FILLERS.contains(&word) || super::scan::FILLERS.contains(&word))
}

/// Whether it is unclear after a negation if a flow was meant to be or not: one that "did not reach port 22" tried to.
pub(super) fn is_unclear(word: &str) -> bool {
    UNCLEAR.contains(&word)
}

/// Whether a negation that ends in `word` may say something of what stands before it: "port 22 is not used".
pub(super) fn looks_back(word: &str) -> bool {
    matches!(word, "not" | "never" | "longer") || word.ends_with("n't")
}

/// "not used", "isn't wanted": token `at` says of what stands before the negation that it is absent; "never used" does
/// not.
pub(super) fn is_passive(c: &Cursor, at: usize) -> bool {
    let word = |at: usize| c.tokens.get(at).map_or("", |token| token.low.as_str());
    let negation = at.checked_sub(1).map_or("", word);
    (negation == "not" || negation == "longer" || negation.ends_with("n't")) && PASSIVES.contains(&word(at))
}
