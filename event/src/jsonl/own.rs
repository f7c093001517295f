//! The short way through a line as our own writer makes it: every member there, in order, without spaces or escapes.
//!
//! **Promise.** What is read here is read as the general reader would; anything that is not exactly in that form is left to it
//! (`None`), also what is wrong: it says what is wrong. Numbers are rounded correctly by both.
// The outer option is "not in our form", the inner one a null.
#![allow(clippy::option_option)]

use std::sync::LazyLock;

use uuid::Uuid;

use crate::{Event, EventId, FEATURE_NAMES, Features, Flow, Integrity, Verdict};

/// Most digits of a whole number that is read here; every one fits an i64.
const WHOLE_DIGITS_MAX: usize = 18;

/// Reads all of `line` into `event`, whose strings are empty; `None` leaves a mixture behind.
pub(super) fn read(line: &[u8], event: &mut Event) -> Option<()> {
    let mut line = Cursor { rest: line };
    line.past(b"{\"schema_version\":")?;
    event.schema_version.clear();
    event.schema_version.push_str(line.text()?);
    line.past(b",\"event_id\":")?;
    event.event_id = EventId(Uuid::try_parse(line.text()?).ok()?);
    line.past(b",\"start_us\":")?;
    event.start_us = line.whole()?;
    line.past(b",\"end_us\":")?;
    event.end_us = line.whole()?;
    line.past(b",\"node_id\":")?;
    event.node_id.push_str(line.text()?);
    line.past(b",\"sensor\":")?;
    event.sensor.push_str(line.text()?);
    line.past(b",\"interface\":")?;
    event.interface.push_str(line.text()?);
    read_flow(&mut line, &mut event.flow)?;
    read_judgement(&mut line, event)?;
    read_features(&mut line, &mut event.features)?;
    line.past(b",\"integrity\":")?;
    event.integrity = read_integrity(&mut line)?;
    line.past(b"}")?;
    line.rest.is_empty().then_some(())
}

fn read_flow(line: &mut Cursor<'_>, flow: &mut Flow) -> Option<()> {
    line.past(b",\"flow\":{\"src_ip\":")?;
    flow.src_ip = line.text()?.parse().ok()?;
    line.past(b",\"dst_ip\":")?;
    flow.dst_ip = line.text()?.parse().ok()?;
    line.past(b",\"src_port\":")?;
    flow.src_port = line.small()?;
    line.past(b",\"dst_port\":")?;
    flow.dst_port = line.small()?;
    line.past(b",\"protocol\":")?;
    flow.protocol = line.small()?;
    line.past(b",\"vlan\":")?;
    flow.vlan = if line.null() { None } else { Some(line.small()?) };
    line.past(b",\"segment\":")?;
    flow.segment = line.small()?;
    line.past(b",\"community_id\":")?;
    flow.community_id.push_str(line.text()?);
    line.past(b"}")
}

fn read_judgement(line: &mut Cursor<'_>, event: &mut Event) -> Option<()> {
    line.past(b",\"app\":{\"protocol\":")?;
    event.app.protocol = line.optional_text()?;
    line.past(b",\"host\":")?;
    event.app.host = line.optional_text()?;
    line.past(b"},\"scores\":{\"fast\":")?;
    event.scores.fast = line.score()?;
    line.past(b",\"ml\":")?;
    event.scores.ml = line.score()?;
    line.past(b",\"final\":")?;
    event.scores.r#final = line.score()?;
    line.past(b",\"divergence\":")?;
    event.scores.divergence = line.score()?;
    line.past(b"},\"class\":{\"verdict\":")?;
    event.class.verdict = if line.null() { None } else { Some(Verdict::named(line.text()?)?) };
    line.past(b",\"family\":")?;
    event.class.family = line.optional_text()?;
    line.past(b",\"technique\":")?;
    event.class.technique = line.optional_text()?;
    line.past(b"},\"label\":{\"truth\":")?;
    event.label.truth = line.optional_text()?;
    line.past(b",\"validated\":")?;
    event.label.validated = line.rest.starts_with(b"t");
    line.past(if event.label.validated { b"true" } else { b"false" })?;
    line.past(b"}")
}

fn read_features(line: &mut Cursor<'_>, features: &mut Features) -> Option<()> {
    /// What stands before each value: `,"features":{"NAME":` before the first, `,"NAME":` before the others.
    static BEFORE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let before = |(place, name): (usize, &&str)| {
            let open = if place == 0 { ",\"features\":{" } else { "," };
            format!("{open}\"{name}\":").into_bytes()
        };
        FEATURE_NAMES.iter().enumerate().map(before).collect()
    });
    for (before, value) in BEFORE.iter().zip(&mut features.0) {
        line.past(before)?;
        *value = if line.null() { f64::NAN } else { line.number()? };
    }
    line.past(b"}")
}

fn read_integrity(line: &mut Cursor<'_>) -> Option<Option<Integrity>> {
    if line.null() {
        return Some(None);
    }
    line.past(b"{\"seq\":")?;
    let seq = line.small()?;
    line.past(b",\"prev\":")?;
    let prev = line.text()?.to_owned();
    line.past(b",\"mac\":")?;
    let mac = line.text()?.to_owned();
    line.past(b"}")?;
    Some(Some(Integrity { seq, prev, mac }))
}

/// What is left of a line.
struct Cursor<'l> {
    rest: &'l [u8],
}

impl<'l> Cursor<'l> {
    /// Goes past `bytes`, which must come next.
    fn past(&mut self, bytes: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(bytes)?;
        Some(())
    }

    /// Goes past `null`, if that comes next.
    fn null(&mut self) -> bool {
        self.past(b"null").is_some()
    }

    /// A string without escapes.
    fn text(&mut self) -> Option<&'l str> {
        let rest = self.rest.strip_prefix(b"\"")?;
        let plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
        let end = rest.iter().position(|byte| !plain(byte))?;
        self.rest = rest[end..].strip_prefix(b"\"")?;
        std::str::from_utf8(&rest[..end]).ok()
    }

    fn optional_text(&mut self) -> Option<Option<String>> {
        if self.null() { Some(None) } else { self.text().map(|text| Some(text.to_owned())) }
    }

    fn score(&mut self) -> Option<Option<f32>> {
        if self.null() { Some(None) } else { self.number().map(|score| Some(score as f32)) }
    }

    fn small<N: TryFrom<i64>>(&mut self) -> Option<N> {
        N::try_from(self.whole()?).ok()
    }

    /// A whole number; nothing that would make it a fraction may follow.
    fn whole(&mut self) -> Option<i64> {
        let (value, length) = whole(self.rest)?;
        if matches!(self.rest.get(length), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.rest = &self.rest[length..];
        Some(value)
    }

    fn number(&mut self) -> Option<f64> {
        let (value, length) = whole(self.rest)?;
        let end = fraction(self.rest, length)?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        if end == length {
            return Some(value as f64);
        }
        // All of it is ASCII; what is too large for a float is for the general reader to refuse.
        std::str::from_utf8(text).ok()?.parse().ok().filter(|value: &f64| value.is_finite())
    }
}

/// The whole number that `text` begins with, and its length. A leading zero must be the only digit.
fn whole(text: &[u8]) -> Option<(i64, usize)> {
    let negative = text.first() == Some(&b'-');
    let begin = usize::from(negative);
    let mut value = 0i64;
    let mut end = begin;
    while let Some(digit) = text.get(end).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        if end - begin == WHOLE_DIGITS_MAX {
            return None;
        }
        value = value * 10 + i64::from(digit);
        end += 1;
    }
    if end == begin || (text[begin] == b'0' && end > begin + 1) {
        return None;
    }
    Some((if negative { -value } else { value }, end))
}

/// Where the number ends whose whole part ends at `end`.
fn fraction(text: &[u8], mut end: usize) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if text.get(end) == Some(&b'.') {
        let count = digits(end + 1);
        end += 1 + count;
        if count == 0 {
            return None;
        }
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        end += 1;
        end += usize::from(matches!(text.get(end), Some(b'+' | b'-')));
        let count = digits(end.min(text.len()));
        end += count;
        if count == 0 {
            return None;
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<f64> {
        let mut line = Cursor { rest: text.as_bytes() };
        let value = line.number()?;
        line.rest.is_empty().then_some(value)
    }

    #[test]
    fn numbers_are_those_of_json() {
        for good in ["0", "-1", "10", "999999999999999999", "0.1", "-0.5e-3", "1E5", "2e+7", "123.456"] {
            assert_eq!(number(good), good.parse().ok(), "{good}");
        }
        assert_eq!(number("-0").map(f64::to_bits), Some(0), "a whole number has no negative zero");
        assert_eq!(number("-0.0").map(f64::to_bits), Some((-0.0f64).to_bits()));
        for bad in ["", "-", "01", "-01", "+1", ".5", "1.", "1.e3", "1e", "1e+", "1e999", "inf", "NaN", "0x1", "1_0"] {
            assert_eq!(number(bad), None, "{bad}");
        }
        assert_eq!(number("1000000000000000000"), None, "left to the general reader");
    }

    #[test]
    fn strings_with_escapes_are_left_to_the_general_reader() {
        let text = |text: &'static str| Cursor { rest: text.as_bytes() }.text();
        assert_eq!(text("\"gr\u{fc}n\""), Some("gr\u{fc}n"));
        for other in ["\"a\\n\"", "\"a\tb\"", "\"open", "x"] {
            assert_eq!(text(other), None, "{other}");
        }
        assert_eq!(Cursor { rest: b"\"\xff\"" }.text(), None);
    }
}
