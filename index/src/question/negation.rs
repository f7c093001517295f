//! Words that turn a condition round: "not", "without", "except", "anything but".

use super::item::Cursor;

/// How far a negation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Negator {
    /// "not", "no", "except": over what follows, with what hangs on it ("except dns to 10.0.0.53").
    Wide,
    /// "without", "non-": over the next condition (or list) alone.
    Narrow,
}

/// After it, tokens that may stand before the condition.
const FILLERS: &[&str] = &[
    "any",
    "all",
    "the",
    "traffic",
    "flows",
    "flow",
    "connections",
    "come",
    "comes",
    "coming",
    "go",
    "goes",
    "going",
    "originate",
    "originates",
    "originating",
    "arrive",
    "arriving",
    "involve",
    "using",
    "use",
    "involving",
    "by",
    "of",
    "being",
    "via",
    "for",
    "over",
    "on",
    "in",
    "those",
    "ones",
    "with",
    "a",
    "an",
    "flagged",
    "having",
    "based",
    "other",
];
/// How many of them.
const FILLERS_MAX: usize = 3;

const WIDE: &[&str] = &[
    "other than",
    "apart from",
    "aside from",
    "except for",
    "anything but",
    "everything but",
    "all but",
    "does not",
    "do not",
    "did not",
    "is not",
    "are not",
    "was not",
    "were not",
    "not",
    "no",
    "except",
    "excepting",
    "excluding",
    "exclude",
    "excludes",
    "ignoring",
    "ignore",
    "skip",
    "minus",
    "isn't",
    "aren't",
    "doesn't",
    "don't",
    "didn't",
    "isn’t",
    "aren’t",
    "doesn’t",
    "don’t",
    "wasn't",
    "weren't",
    "neither",
];
const NARROW: &[&str] = &["without", "lacking", "non"];

/// A negation at the cursor and its tokens. What follows decides whether it stands: the composer takes one that no
/// condition follows back among the words.
pub(super) fn negator(c: &Cursor) -> Option<(usize, Negator)> {
    // "not only ssh" asks for ssh.
    if c.phrase(&["not only", "not just", "no longer", "no one"]).is_some() {
        return None;
    }
    if let Some(len) = c.phrase(WIDE) {
        return Some((len, Negator::Wide));
    }
    c.phrase(NARROW).map(|len| (len, Negator::Narrow))
}

/// Whether the token `word` may stand between a negation and its condition.
pub(super) fn is_filler(word: &str, so_far: usize) -> bool {
    so_far < FILLERS_MAX && FILLERS.contains(&word)
}
