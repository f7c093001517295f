//! Amounts that are meant as such but cannot be read: "over -5 MB", "over 1.000.000 bytes", "over 5K". Each is a note.

use super::compare::{comparison, comparison_after};
use super::item::{Cursor, Found, note};
use super::measure::way_after;
use super::number;
use super::token::Sep;
use super::unit::{self, Measure, Unit};
use super::value::value;

/// Bytes of a token that may be an amount; longer ones are words.
const TOKEN_MAX: usize = 64;

const NEGATIVE: &str = "an amount is not negative";
const TOO_LARGE: &str = "this number is larger than any flow has";

/// A comparative before or after a number that is no amount.
pub(super) fn unreadable(c: &Cursor) -> Option<Found> {
    if let Some(len) = negative_range(c) {
        return note(len, NEGATIVE);
    }
    let lead = comparison(c).map_or(0, |comparison| comparison.len);
    let (digits, suffix) = split(c.raw(lead))?;
    let grown = unit::parse(suffix);
    let own = if suffix.is_empty() { unit::parse(c.raw(lead + 1)) } else { None };
    let len = lead + 1 + usize::from(own.is_some());
    let after = c.skip(len);
    let tail = comparison_after(&after).map_or(0, |(tail, _)| tail);
    if lead == 0 && tail == 0 {
        return None;
    }
    let reason = match grown.or(own) {
        Some(unit) => wrong_number(digits, unit)?,
        None if matches!(suffix, "k" | "K" | "M" | "G") && ends(&after) => {
            format!("{} of what? Write a unit, as in 5 kB, 5 MB or 5000 packets", c.raw(lead))
        }
        None => return None,
    };
    note(len + tail, reason)
}

/// The length of "between -5 and 10 MB".
fn negative_range(c: &Cursor) -> Option<usize> {
    let (digits, "") = split(c.raw(1))? else { return None };
    let negative = c.word(0) == "between" && digits.starts_with(['-', '−']) && c.word(2) == "and";
    let high = value(&c.skip(3), false).filter(|value| negative && value.unit.is_some())?;
    Some(3 + high.len)
}

/// Why `raw` can be no value of any feature; `None` where it can, or is no number.
pub(super) fn impossible(raw: &str) -> Option<&'static str> {
    let (digits, _) = split(raw)?;
    if digits.starts_with(['-', '−']) {
        return Some(NEGATIVE);
    }
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b',');
    (plain && number::split(digits).is_none_or(|(value, _)| value > number::VALUE_MAX)).then_some(TOO_LARGE)
}

/// Why `digits` are no number of `unit`; `None` where they are one.
fn wrong_number(digits: &str, unit: Unit) -> Option<String> {
    if digits.starts_with(['-', '−']) {
        return Some(NEGATIVE.to_owned());
    }
    let groups: Vec<&str> = digits.split('.').collect();
    let threes = groups.len() > 1 && groups.iter().skip(1).all(|group| group.len() == 3);
    let whole = unit.shown == "B" || matches!(unit.measure, Measure::Packets | Measure::Flags(_));
    if groups.len() > 2 || (threes && whole) {
        return Some("points do not group digits here; write 1,000,000".to_owned());
    }
    match number::split(digits) {
        Some((value, "")) if value <= number::VALUE_MAX => None,
        _ => Some(TOO_LARGE.to_owned()),
    }
}

/// A number with its sign, and what follows its digits in the same token.
fn split(raw: &str) -> Option<(&str, &str)> {
    let unsigned = raw.trim_start_matches(['-', '−', '+']);
    if raw.len() > TOKEN_MAX || !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '_');
    let end = unsigned.find(|c: char| !is_number(c)).unwrap_or(unsigned.len());
    raw.split_at_checked(raw.len() - unsigned.len() + end)
}

/// Whether nothing follows that the amount could be of: the end, or a word that begins something else.
pub(super) fn ends(c: &Cursor) -> bool {
    let next = [
        "",
        "from",
        "to",
        "and",
        "or",
        "but",
        "on",
        "in",
        "at",
        "over",
        "with",
        "without",
        "via",
        "by",
        "last",
        "since",
        "between",
        "yesterday",
        "today",
        "not",
    ];
    c.any(0, &next) || c.sep(0) != Sep::None || way_after(c).is_some()
}
