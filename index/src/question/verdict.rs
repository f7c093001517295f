//! Judgements and families: "malicious flows", "verdict suspicious", "family beacon".
//!
//! Where no detector ran, no event has a verdict, so the words count as a condition only where the judgement itself is
//! asked for; "suspicious uploads" and "a malicious document" stay words.

use forebay_event::Verdict;

use super::item::{Cursor, Found, Item, Slot, any_of, listed, note};
use super::token::Sep;
use crate::filter::Filter;

/// Families in one list.
const LIST_MAX: usize = 16;

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    unjudged(c).or_else(|| judged(c)).or_else(|| family(c))
}

const VERDICTS: &[(&str, Verdict)] =
    &[("benign", Verdict::Benign), ("suspicious", Verdict::Suspicious), ("malicious", Verdict::Malicious)];

/// Nouns that a verdict belongs to, and words after which nothing of its own follows.
const JUDGED: &[&str] = &[
    "flow",
    "flows",
    "traffic",
    "event",
    "events",
    "connection",
    "connections",
    "session",
    "sessions",
    "verdict",
    "verdicts",
    "ones",
    "activity",
    "",
    "from",
    "to",
    "and",
    "or",
    "in",
    "on",
    "last",
    "yesterday",
    "today",
    "since",
    "between",
    "tcp",
    "udp",
    "icmp",
    "over",
    "with",
    "during",
];
/// Before it, these show that the word is used loosely.
const LOOSE: &[&str] =
    &["anything", "something", "looks", "look", "looking", "very", "most", "more", "seems", "a", "an", "any"];

fn judged(c: &Cursor) -> Option<Found> {
    let marker = marker(c);
    let (word, verdict) = *VERDICTS.iter().find(|(word, _)| *word == c.word(marker))?;
    let ends = c.sep(marker + 1) != Sep::None;
    if marker == 0 && (LOOSE.contains(&c.before(1)) || !(ends || c.any(1, JUDGED))) {
        return None;
    }
    Item::new(marker + 1, Slot::Verdict, format!("verdict {word}"), Filter::Verdict(verdict)).found()
}

/// "verdict is", "judged", "classified as": tokens before a verdict.
fn marker(c: &Cursor) -> usize {
    let head = match c.word(0) {
        "verdict" | "class.verdict" | "judged" | "classified" | "labelled" | "labeled" | "flagged" | "marked"
        | "rated" | "considered" => 1,
        _ => return 0,
    };
    head + c.skip(head).run(&["is", "was", "=", "as", "of"], 2)
}

/// "without a verdict", "unjudged".
fn unjudged(c: &Cursor) -> Option<Found> {
    let len = c.phrase(&["without a verdict", "without verdict", "with no verdict", "no verdict", "unjudged"])?;
    let any = any_of(VERDICTS.iter().map(|&(_, verdict)| Filter::Verdict(verdict)).collect());
    Item::new(len, Slot::Verdict, "no verdict", Filter::Not(Box::new(any))).found()
}

/// "family beacon", "class.family = beacon".
fn family(c: &Cursor) -> Option<Found> {
    let head = c.phrase(&["attack family", "of family", "of the family", "class.family", "family"])?;
    let equals = c.skip(head).run(&["is", "=", "called", "named"], 1);
    let len = head + equals + 1;
    let name = c.word(len - 1);
    if name.is_empty() || (equals == 0 && (c.sep(len - 1) != Sep::None || is_prose(name))) {
        return None;
    }
    if name.len() > forebay_event::limits::WORD_BYTES_MAX
        || !name.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c))
    {
        return note(len, "a family is one short word, such as port_scan");
    }
    let mut names = vec![name];
    let mut len = len;
    while let Some(other) = alternative(&c.skip(len)).filter(|_| names.len() < LIST_MAX) {
        names.push(other);
        len += 2;
    }
    let labels: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let filter = any_of(labels.iter().cloned().map(Filter::Family).collect());
    Item::new(len, Slot::Family, format!("family {}", listed(&labels)), filter).found()
}

/// "or c2" after "family beacon": one more plain word, where nothing belongs to that word.
fn alternative<'a>(c: &Cursor<'a>) -> Option<&'a str> {
    let word = c.word(1);
    let ends =
        c.sep(2) != Sep::None || c.any(2, &["or", "from", "to", "on", "last", "yesterday", "today", "over", "not"]);
    let plain = word.chars().all(|c| c.is_alphanumeric() || c == '_') && word.len() <= 32 && !word.is_empty();
    let service = forebay_event::service::place_of(word).is_some();
    (c.word(0) == "or" && c.sep(0) == Sep::None && ends && plain && !service).then_some(word)
}

fn is_prose(word: &str) -> bool {
    matches!(
        word,
        "of" | "and"
            | "or"
            | "is"
            | "from"
            | "to"
            | "with"
            | "in"
            | "on"
            | "the"
            | "a"
            | "that"
            | "members"
            | "name"
            | "names"
    )
}
