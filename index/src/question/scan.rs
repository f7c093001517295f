//! From tokens to pieces: at each place the first recogniser that finds something decides.

use super::item::{Cursor, Found, Item};
use super::negation::{self, Negator};
use super::{address, count, feature, flag, host, port, protocol, quantity, reply, service, time, verdict};

/// A stretch of tokens and what it is.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// First token.
    pub(super) at: usize,
    /// Tokens.
    pub(super) len: usize,
    pub(super) what: What,
}

/// What a stretch of tokens is.
#[derive(Clone, Debug)]
pub(super) enum What {
    Item(Box<Item>),
    /// Why it is no condition, and whether it stays out of the words.
    Note(String, bool),
    Count(usize),
    Negator(Negator),
    Or,
    And,
    /// A word that only names what is asked for ("flows"), so conditions around it still belong together.
    Filler,
    Word,
}

/// In this order: what is longer or more certain first. A lead such as "from" or "between" is tried by several.
const RECOGNISERS: &[fn(&Cursor) -> Option<Found>] = &[
    count::recognise,
    reply::recognise,
    time::recognise,
    feature::recognise,
    quantity::recognise,
    port::recognise,
    address::recognise,
    host::recognise,
    flag::recognise,
    protocol::recognise,
    service::recognise,
    verdict::recognise,
];

pub(super) const FILLERS: &[&str] = &[
    "flow",
    "flows",
    "traffic",
    "connection",
    "connections",
    "session",
    "sessions",
    "event",
    "events",
    "that",
    "which",
    "is",
    "are",
    "was",
    "were",
    "the",
    "all",
    "any",
    "a",
    "an",
    "also",
    "both",
    "either",
    "packets",
    "communication",
    "going",
    "coming",
    "with",
    "only",
    "using",
    "on",
    "in",
];

/// Cuts the tokens from the cursor on into pieces.
pub(super) fn pieces(mut c: Cursor) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while !c.is_end() {
        let found = RECOGNISERS.iter().find_map(|recognise| recognise(&c));
        let (len, what) = match found {
            Some(Found::Item(item)) => (item.len, What::Item(Box::new(item))),
            Some(Found::Note { len, reason, empty }) => (len, What::Note(reason, empty)),
            Some(Found::Count { len, k }) => (len, What::Count(k)),
            None => word(&c),
        };
        // A recogniser that covers nothing, or more than there is, would be a mistake in it; a word never is.
        let len = len.clamp(1, c.tokens.len() - c.at);
        pieces.push(Piece { at: c.at, len, what });
        c = c.skip(len);
    }
    pieces
}

fn word(c: &Cursor) -> (usize, What) {
    if let Some((len, negator)) = negation::negator(c) {
        return (len, What::Negator(negator));
    }
    let what = match c.word(0) {
        "or" => What::Or,
        "and" | "but" | "," => What::And,
        word if FILLERS.contains(&word) => What::Filler,
        _ => What::Word,
    };
    (1, what)
}
