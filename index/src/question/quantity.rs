//! Amounts: "over 10 MB", "at least 5 GiB uploaded", "longer than 5 minutes", "between 1 and 5 MB", "one packet".

use super::amount;
use super::compare::{About, Op, comparison, comparison_after, shown};
use super::item::{Cursor, Found, Item, Slot, all, note};
use super::measure::{compared, feature, way_after, way_before};
use super::number;
use super::unit::{Measure, Unit};
use super::value::{Value, value};
use crate::filter::{Compare, Filter};

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    amount::unreadable(c)
        .or_else(|| range(c))
        .or_else(|| comparative(c))
        .or_else(|| trailing(c))
        .or_else(|| nothing(c))
        .or_else(|| few_packets(c))
}

/// A comparative, a number, a unit, perhaps a direction.
fn comparative(c: &Cursor) -> Option<Found> {
    let lead = c.run(&["lasting", "lasted", "lasts", "running", "taking"], 1);
    let comparison = comparison(&c.skip(lead))?;
    let timed = comparison.about == About::Time || lead > 0;
    let at = lead + comparison.len;
    let value = value(&c.skip(at), timed)?;
    let unit = value.unit?;
    let len = at + value.len;
    if let Some(found) = refused(c, len, &value, unit, timed) {
        return found;
    }
    match comparison.op {
        Op::About if is_measured(unit) => note(len, "“about” has no exact meaning; write “between ... and ...”"),
        Op::About => None,
        Op::Is(op) => built(c, len, &[(op, value.number, unit)]),
        Op::Differs => match built(c, len, &[(Compare::Eq, value.number, unit)]) {
            Some(Found::Item(item)) => {
                let label = format!("not {}", item.label);
                let filter = Filter::Not(Box::new(item.filter.clone()));
                Item { label, filter, ..item }.found()
            }
            other => other,
        },
    }
}

fn is_measured(unit: Unit) -> bool {
    matches!(unit.measure, Measure::Bytes | Measure::Micros | Measure::BytesPerSecond | Measure::BitsPerSecond)
}

/// Why a value with a unit is not a condition here: `Some(None)` leaves it to the words.
#[allow(clippy::option_option)]
fn refused(c: &Cursor, len: usize, value: &Value, unit: Unit, timed: bool) -> Option<Option<Found>> {
    if unit.unclear {
        return Some(note(len, "this could be bits or bytes; write MB or Mbit"));
    }
    if c.any(len, &["ago", "old", "earlier", "window", "windows", "apart"]) || value.number < 0.0 {
        return Some(None);
    }
    let behind: Vec<&str> = (1..=2).map(|back| c.before(back)).collect();
    let about = |words: &[&str]| behind.iter().find(|word| words.contains(word)).copied();
    if unit.measure == Measure::Micros {
        // "over 2 days" more often names a period than the length of a flow.
        let period = unit.shown == "d" && !timed;
        let recurring = about(&["every", "each", "last", "past", "next", "within"]).is_some();
        if period || recurring {
            return Some(None);
        }
        if let Some(word) =
            about(&["gap", "gaps", "interval", "intervals", "pause", "pauses", "delay", "delays", "latency", "jitter"])
        {
            return Some(note(
                len,
                format!("“{word}” names no single feature; compare flow_iat_max, fwd_iat_mean or idle_max"),
            ));
        }
    }
    if unit.measure == Measure::Bytes && c.any(len, &["per"]) {
        return None;
    }
    if unit.measure == Measure::Bytes
        && let Some(word) =
            about(&["packet", "packets", "window", "header", "headers", "segment", "segments", "payload", "mtu"])
    {
        let reason =
            format!("“{word}” names no single feature; compare packet_len_max, packet_len_mean or another by name");
        return Some(note(len, reason));
    }
    None
}

/// The condition for one bound or two.
fn built(c: &Cursor, len: usize, bounds: &[(Compare, f64, Unit)]) -> Option<Found> {
    let &(_, _, unit) = bounds.first()?;
    let after = c.skip(len);
    let (tail, way) = match way_after(&after) {
        Some((tail, way)) if unit.measure != Measure::Micros => (tail, way),
        _ => (after.phrase(&["in total", "altogether", "long", "in size"]).unwrap_or(0), way_before(c)),
    };
    let (mut name, mut factor) = feature(unit.measure, way);
    let mut len = len + tail;
    if unit.measure == Measure::Bytes
        && let Some(per) = c.skip(len).phrase(&["per packet", "a packet", "each packet"])
    {
        (name, factor) = ("packet_len_mean", 1.0);
        len += per;
    }
    if unit.measure == Measure::Micros && (1..=2).any(|back| matches!(c.before(back), "idle" | "quiet" | "silent")) {
        name = "idle_max";
    }
    let label = label(bounds, name);
    let filters = bounds.iter().map(|&(op, value, unit)| compared(name, op, value * unit.factor * factor)).collect();
    Item::new(len, Slot::Quantity, label, all(filters)).found()
}

/// "over 10 MB uploaded", "duration from 5 to 10 s".
fn label(bounds: &[(Compare, f64, Unit)], name: &str) -> String {
    let amount = |value: f64, unit: Unit| {
        let unit = if value == 1.0 && unit.shown == "packets" { "packet" } else { unit.shown };
        format!("{} {unit}", number::shown(value))
    };
    let amounts = match bounds {
        [(_, from, low), (_, to, high), ..] if low == high => {
            format!("{} to {}", number::shown(*from), amount(*to, *high))
        }
        [(_, from, low), (_, to, high), ..] => format!("{} to {}", amount(*from, *low), amount(*to, *high)),
        [(op, value, unit)] => format!("{} {}", shown(*op), amount(*value, *unit)),
        [] => String::new(),
    };
    match name {
        "duration" => format!("duration {amounts}"),
        "idle_max" => format!("idle for {amounts}"),
        "packet_len_mean" => format!("{amounts} per packet on average"),
        "sbytes" | "spkts" | "sload" | "srate" => format!("{amounts} sent"),
        "dbytes" | "dpkts" | "dload" | "drate" => format!("{amounts} received"),
        _ => amounts,
    }
}

/// "between 1 and 5 MB", "from 1 to 5 MB", "1-5 MB", "5 to 10 seconds".
fn range(c: &Cursor) -> Option<Found> {
    let start = c.run(&["between", "from"], 1);
    if matches!(c.before(1), "last" | "past" | "next" | "every" | "previous" | "within" | "port" | "ports") {
        return None;
    }
    let (low, high, len) = if let Some((low, high, len)) = dashed(&c.skip(start)) {
        (low, high, start + len)
    } else {
        let low = value(&c.skip(start), false)?;
        let joint = start + low.len;
        if !c.any(joint, &["and", "to", "-", "–"]) || (start == 0 && c.word(joint) == "and") {
            return None;
        }
        let high = value(&c.skip(joint + 1), false)?;
        (low, high, joint + 1 + high.len)
    };
    let high_unit = high.unit?;
    let low_unit = low.unit.unwrap_or(high_unit);
    if low_unit.measure != high_unit.measure {
        return None;
    }
    if let Some(found) = refused(c, len, &high, high_unit, false) {
        return found;
    }
    if low.number * low_unit.factor > high.number * high_unit.factor {
        return note(len, "the range ends before it starts");
    }
    built(c, len, &[(Compare::Ge, low.number, low_unit), (Compare::Le, high.number, high_unit)])
}

/// "1-5 MB", "1-5MB".
fn dashed(c: &Cursor) -> Option<(Value, Value, usize)> {
    let (from, to) = c.raw(0).split_once(['-', '–'])?;
    let (low, "") = number::split(from)? else { return None };
    let (high, suffix) = number::split(to)?;
    let (unit, len) =
        if suffix.is_empty() { (super::unit::parse(c.raw(1))?, 2) } else { (super::unit::parse(suffix)?, 1) };
    let side = |number| Value { len: 0, number, unit: Some(unit), open: false };
    Some((side(low), side(high), len))
}

/// "10 MB or more", "10+ packets".
fn trailing(c: &Cursor) -> Option<Found> {
    let value = value(c, false)?;
    let unit = value.unit?;
    let (len, op) = match comparison_after(&c.skip(value.len)) {
        Some((len, op)) => (value.len + len, op),
        None if value.open => (value.len, Compare::Ge),
        None => return None,
    };
    if let Some(found) = refused(c, len, &value, unit, false) {
        return found;
    }
    built(c, len, &[(op, value.number, unit)])
}

/// "0 bytes received", "with zero packets back": nothing can only be meant exactly.
fn nothing(c: &Cursor) -> Option<Found> {
    let lead = c.run(&["with", "having", "exactly", "only"], 1);
    let value = value(&c.skip(lead), false).filter(|value| value.number == 0.0 && !value.open)?;
    let unit = value.unit.filter(|unit| matches!(unit.measure, Measure::Bytes | Measure::Packets) && !unit.unclear)?;
    let len = lead + value.len;
    if way_after(&c.skip(len)).is_none() && !amount::ends(&c.skip(len)) || c.before(1) == "than" {
        return None;
    }
    built(c, len, &[(Compare::Eq, 0.0, unit)])
}

/// "one packet", "a single packet", "with 3 packets": a count that can only be meant exactly.
fn few_packets(c: &Cursor) -> Option<Found> {
    let lead = c.run(&["with", "only", "just", "having", "containing", "a", "of"], 3);
    let stated = (0..lead).any(|at| c.any(at, &["with", "only", "just", "having", "containing"]));
    let value = value(&c.skip(lead), false)?;
    let unit = value.unit.filter(|unit| unit.measure == Measure::Packets)?;
    let single = c.any(lead, &["one", "single", "1"]);
    let len = lead + value.len;
    if !(stated || single)
        || c.any(len, &["loss", "capture", "per", "larger", "smaller", "of", "over"])
        || c.before(1) == "than"
    {
        return None;
    }
    built(c, len, &[(Compare::Eq, value.number, unit)])
}
