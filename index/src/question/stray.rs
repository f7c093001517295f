//! Negations that the grammar could not apply: "port 22 is not used", "leave dns out".
//!
//! A condition next to one would ask for the opposite of what is meant, so it goes back to the words, with a note. A
//! negation that plainly belongs to a word after it ("ssh that did not finish", "tls without sni") leaves it alone.

use std::ops::Range;

use super::compose::{Chip, GivenUp, Part};
use super::item::Cursor;
use super::negation::{self, Negator};
use super::scan::{Piece, What};
use super::token::Sep;

const REASON: &str =
    "a negation next to this could not be applied, so it is not a filter; write “not” directly before a condition";

/// Words between a condition and a negation of it; after one of `NOUNS` the negation may be of something else.
const COPULAS: &[&str] = &["is", "are", "was", "were", "be", "being", "been", "has", "have", "should", "must"];
const NOUNS: &[&str] = &[
    "traffic",
    "connection",
    "connections",
    "flow",
    "flows",
    "session",
    "sessions",
    "packets",
    "requests",
    "queries",
    "that",
    "which",
];
/// After "not", these say that what stands before it is unwanted or absent.
const ABSENT: &[&str] = &[
    "used",
    "seen",
    "wanted",
    "shown",
    "included",
    "involved",
    "present",
    "needed",
    "required",
    "interesting",
    "relevant",
    "counted",
    "listed",
    "displayed",
    "matched",
    "returned",
    "there",
];
/// After "not", these begin what is negated.
const PREPOSITIONS: &[&str] = &[
    "from", "to", "on", "in", "by", "via", "over", "at", "with", "for", "through", "during", "between", "only", "just",
];
/// Pieces between a negation and a condition.
const REACH: usize = 12;

/// Turns the chips next to negations that stand alone into words.
pub(super) fn give_back(c: &Cursor, pieces: &[Piece], parts: &mut [(Part, Range<usize>)]) -> Vec<GivenUp> {
    let stray: Vec<usize> = (0..parts.len())
        .filter(|&at| match &parts[at].0 {
            Part::Chip(chip) => {
                negated_before(c, pieces, &parts[..at])
                    || negated_after(c, pieces, &parts[at + 1..])
                    || has_nor(c, chip)
            }
            _ => false,
        })
        .collect();
    let mut given_up = Vec::with_capacity(stray.len());
    for at in stray {
        if let Part::Chip(chip) = std::mem::replace(&mut parts[at].0, Part::Word) {
            given_up.push(GivenUp { tokens: chip.tokens, reason: REASON });
        }
    }
    given_up
}

/// A list with "nor" that no negation leads.
fn has_nor(c: &Cursor, chip: &Chip) -> bool {
    !chip.negative && c.tokens[chip.tokens.clone()].iter().any(|token| token.low == "nor")
}

/// Whether only fillers part a negation from what follows `parts`.
fn negated_before(c: &Cursor, pieces: &[Piece], parts: &[(Part, Range<usize>)]) -> bool {
    for (at, (part, range)) in parts.iter().enumerate().rev().take(REACH) {
        let Some(piece) = pieces.get(range.start) else { return false };
        match (part, &piece.what) {
            (Part::Stop | Part::Chip(_), _) => return false,
            (_, What::Negator(Negator::Wide | Negator::Narrow)) => {
                let is_taken = negation::is_passive(c, piece.at + piece.len) && follows_chip(c, pieces, &parts[..at]);
                return !is_taken;
            }
            _ if is_link(c, piece) => {}
            _ => return false,
        }
    }
    false
}

/// Whether a negation may be of a condition with this between them.
fn is_link(c: &Cursor, piece: &Piece) -> bool {
    let token = &c.tokens[piece.at];
    let links =
        negation::is_filler(&token.low, 0) || negation::is_unclear(&token.low) || negation::is_passive(c, piece.at);
    links && token.sep == Sep::None
}

/// Whether `parts` end in a condition, fillers aside: a negation after them is of that one.
fn follows_chip(c: &Cursor, pieces: &[Piece], parts: &[(Part, Range<usize>)]) -> bool {
    let is_between = |range: &Range<usize>| {
        pieces.get(range.start).is_some_and(|piece| {
            let word = c.tokens[piece.at].low.as_str();
            COPULAS.contains(&word) || NOUNS.contains(&word)
        })
    };
    let last = parts.iter().rev().find(|(part, range)| matches!(part, Part::Chip(_)) || !is_between(range));
    matches!(last, Some((Part::Chip(_), _)))
}

/// Whether a negation in `parts` is of what stands before them.
fn negated_after(c: &Cursor, pieces: &[Piece], parts: &[(Part, Range<usize>)]) -> bool {
    let mut direct = true;
    for (part, range) in parts.iter().take(REACH) {
        let Some(piece) = pieces.get(range.start) else { return false };
        let token = &c.tokens[piece.at];
        match (part, &piece.what) {
            (Part::Stop | Part::Chip(_), _) => return false,
            (_, What::Negator(Negator::After)) => return true,
            (_, What::Negator(_)) => return is_said_of_before(c, piece, direct && token.sep == Sep::None),
            _ if COPULAS.contains(&token.low.as_str()) => {}
            _ if NOUNS.contains(&token.low.as_str()) => direct = false,
            _ => return false,
        }
    }
    false
}

/// Whether the negation `piece` is of what stands before it; `direct` where nothing but "is" parts them.
fn is_said_of_before(c: &Cursor, piece: &Piece, direct: bool) -> bool {
    let end = piece.at + piece.len;
    if !negation::looks_back(&c.tokens[end - 1].low) {
        // "ssh yes, dns no".
        let last = c.tokens.get(end).is_none_or(|next| next.sep != Sep::None);
        return last && direct && c.tokens[end - 1].low == "no";
    }
    let Some(next) = c.tokens.get(end) else { return true };
    let word = next.low.as_str();
    let in_use = word == "in" && c.tokens.get(end + 1).is_some_and(|token| token.low == "use");
    in_use || ABSENT.contains(&word) || next.sep != Sep::None || (direct && !PREPOSITIONS.contains(&word))
}
