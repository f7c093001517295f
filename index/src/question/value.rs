//! A value with its unit: "10 MB", "5m", "1,000 packets per second", "an hour".

use super::item::Cursor;
use super::number::{Number, number};
use super::unit::{self, Unit};

/// A number and the unit after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// Tokens.
    pub(super) len: usize,
    /// In the unit as written.
    pub(super) number: f64,
    pub(super) unit: Option<Unit>,
    /// A plus after it: "10+ packets".
    pub(super) open: bool,
}

/// Reads a value at the cursor. With `minutes`, a bare `m` is minutes.
pub(super) fn value(c: &Cursor, minutes: bool) -> Option<Value> {
    let Number { mut len, value, suffix, article } = number(c)?;
    let (suffix, mut open) = suffix.strip_suffix('+').map_or((suffix, false), |suffix| (suffix, true));
    let mut unit = None;
    if suffix.is_empty() {
        // In "bytes>1000 packets<5" the next word is the next comparison's.
        let compared = c.token(len + 1).is_some_and(|token| token.operator);
        if let Some(found) = read(c.raw(len).trim_end_matches('+'), minutes).filter(|_| !compared) {
            open |= c.raw(len).ends_with('+');
            unit = Some(found);
            len += 1;
        }
    } else {
        unit = Some(read(suffix, minutes)?);
    }
    if article && !unit.is_some_and(|unit| takes_article(c, len, unit)) {
        return None;
    }
    if unit.is_some()
        && let Some(per) = c.skip(len).phrase(&["per second", "per sec", "a second", "each second"])
    {
        let bare = if suffix.is_empty() { c.word(len - 1).to_owned() } else { suffix.to_lowercase() };
        unit = unit::per_second(&bare);
        unit?;
        len += per;
    } else if unit.is_some() && c.any(len, &["per", "each", "every"]) && c.word(len + 1) != "packet" {
        // "packets per minute" is a rate that no feature holds.
        return None;
    }
    Some(Value { len, number: value, unit, open })
}

fn read(raw: &str, minutes: bool) -> Option<Unit> {
    if minutes && raw == "m" { unit::time("min") } else { unit::parse(raw) }
}

/// "an hour", "a megabyte"; but not "a byte", nor "a gigabit link".
fn takes_article(c: &Cursor, len: usize, unit: Unit) -> bool {
    let named = c.any(len, &["link", "links", "line", "network", "interface", "connection", "port", "file", "files"]);
    let amount = matches!(unit.shown, "kB" | "MB" | "GB" | "TB" | "KiB" | "MiB" | "GiB" | "TiB");
    unit.measure == unit::Measure::Micros || (amount && !named)
}
