//! How many hits: "top 5", "first 20", "limit 50", "show me 10 flows".

use super::COUNT_MAX;
use super::item::{Cursor, Found, note};
use super::number;
use super::unit;

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    let asked = c.phrase(&["show me", "give me", "show", "list", "find", "get", "only"]);
    let head = match c.phrase(&["the top", "the first", "top", "first", "limit to", "limit", "at most"]) {
        Some(head) => head,
        None => asked?,
    };
    let limit = c.any(0, &["limit", "top"]) || c.any(1, &["top"]);
    let word = c.word(head);
    let value = number::split(c.raw(head))
        .filter(|(_, suffix)| suffix.is_empty())
        .map(|(value, _)| value)
        .or_else(|| number::word(word).filter(|_| !matches!(word, "a" | "an" | "single")))?;
    let noun =
        usize::from(c.any(head + 1, &["flows", "events", "hits", "results", "connections", "sessions", "matches"]));
    if unit::parse(c.raw(head + 1)).is_some() || c.any(head + 1, &["weeks", "months", "years", "percent", "%"]) {
        return None;
    }
    // "first 20" and "show 20" ask for hits only where hits are what is counted.
    let hits = limit || noun > 0 || (c.any(0, &["first"]) && head == 1 && c.at == 0);
    if !hits || value.fract() != 0.0 {
        return None;
    }
    // The noun stays a word: it may be all that names what is asked for.
    let len = head + 1;
    if value < 1.0 || value > COUNT_MAX as f64 {
        return note(len, format!("a question may ask for 1 to {COUNT_MAX} hits"));
    }
    Some(Found::Count { len, k: value as usize })
}
