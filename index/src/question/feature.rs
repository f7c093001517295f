//! Features by name: "smean > 500", `syn_flag_count >= 2`, "duration > 30s", "bytes sent over 5 MB".

use forebay_event::FEATURE_NAMES;

use super::amount;
use super::compare::{Op, comparison, shown};
use super::item::{Cursor, Found, Item, Slot, note};
use super::measure::{Way, compared, feature, measure_of, way};
use super::number;
use super::unit::{Measure, Unit};
use super::value::{Value, value};
use crate::filter::{Compare, Filter};

/// Words that a feature's name may be written in ("flow iat max").
const NAME_WORDS_MAX: usize = 5;

/// Names as people say them.
const SPOKEN: &[(&str, &str)] = &[
    ("average packet size", "packet_len_mean"),
    ("average packet length", "packet_len_mean"),
    ("mean packet size", "packet_len_mean"),
    ("mean packet length", "packet_len_mean"),
    ("largest packet", "packet_len_max"),
    ("biggest packet", "packet_len_max"),
    ("maximum packet size", "packet_len_max"),
    ("smallest packet", "packet_len_min"),
    ("minimum packet size", "packet_len_min"),
];

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    let (name_len, name) = name(c)?;
    if c.any(name_len, &["between", "from"]) {
        return between(c, name_len + 1, &name);
    }
    let comparison = comparison(&c.skip(name_len))?;
    let at = name_len + comparison.len;
    let symbolic = c.token(at - 1).is_some_and(|token| token.operator);
    let Some(value) = value(&c.skip(at), name == "duration").or_else(|| scaled(&c.skip(at))) else {
        return amount::impossible(c.raw(at)).and_then(|reason| note(at + 1, reason));
    };
    let len = at + value.len;
    if name == "rate" && value.unit.is_none() && !symbolic {
        // "a failure rate over 5" is not about packets per second.
        return None;
    }
    let op = match comparison.op {
        Op::Is(op) => op,
        Op::Differs => Compare::Eq,
        Op::About => return note(len, "“about” has no exact meaning; write “between ... and ...”"),
    };
    let (factor, name) = match fit(&name, value.unit) {
        Ok(fit) => fit,
        Err(reason) => return note(len, reason),
    };
    let (unit, hint) = match (value.unit, measure_of(&name)) {
        (Some(unit), _) => (format!(" {}", unit.shown), None),
        (None, Some(Measure::Micros)) => {
            (" µs".to_owned(), Some(format!("no unit: {name} is in microseconds; write s or ms for others")))
        }
        (None, _) => (String::new(), None),
    };
    let label = format!("{name} {} {}{unit}", shown(op), number::shown(value.number));
    let filter = compared(&name, op, value.number * factor);
    match comparison.op {
        Op::Differs => {
            let label = format!("{name} not {}{unit}", number::shown(value.number));
            Item::new(len, Slot::Quantity, label, Filter::Not(Box::new(filter))).hint(hint).found()
        }
        _ => Item::new(len, Slot::Quantity, label, filter).hint(hint).found(),
    }
}

/// "smean between 100 and 200".
fn between(c: &Cursor, at: usize, name: &str) -> Option<Found> {
    let low = value(&c.skip(at), name == "duration")?;
    let joint = at + low.len;
    if !c.any(joint, &["and", "to"]) {
        return None;
    }
    let high = value(&c.skip(joint + 1), name == "duration")?;
    let len = joint + 1 + high.len;
    let (low_fit, high_fit) = match (fit(name, low.unit.or(high.unit)), fit(name, high.unit)) {
        (Ok(low), Ok(high)) => (low, high),
        (Err(reason), _) | (_, Err(reason)) => return note(len, reason),
    };
    let (from, to) = (low.number * low_fit.0, high.number * high_fit.0);
    if from > to {
        return note(len, "the range ends before it starts");
    }
    let unit = high.unit.map(|unit| format!(" {}", unit.shown)).unwrap_or_default();
    let own = low
        .unit
        .filter(|unit| Some(unit.shown) != high.unit.map(|unit| unit.shown))
        .map(|unit| format!(" {}", unit.shown));
    let label = format!(
        "{} {}{} to {}{unit}",
        high_fit.1,
        number::shown(low.number),
        own.unwrap_or_default(),
        number::shown(high.number)
    );
    let bounds = vec![compared(&low_fit.1, Compare::Ge, from), compared(&high_fit.1, Compare::Le, to)];
    Item::new(len, Slot::Quantity, label, Filter::And(bounds)).found()
}

/// The name of a feature at the cursor, in one token or several.
fn name(c: &Cursor) -> Option<(usize, String)> {
    let word = c.word(0);
    let word = word.strip_prefix("features.").unwrap_or(word);
    let directed = |measure| match way(c.word(1)) {
        Some(way) => (2, feature(measure, way).0.to_owned()),
        None => (1, feature(measure, Way::Both).0.to_owned()),
    };
    match word {
        "bytes" => return Some(directed(Measure::Bytes)),
        "packets" => return Some(directed(Measure::Packets)),
        _ => {}
    }
    if let Some(found) = SPOKEN.iter().find_map(|(words, name)| c.phrase(&[words]).map(|len| (len, (*name).to_owned())))
    {
        return Some(found);
    }
    if FEATURE_NAMES.contains(&word) {
        return Some((1, word.to_owned()));
    }
    (2..=NAME_WORDS_MAX).rev().find_map(|len| {
        let joined = (0..len).map(|at| c.word(at)).collect::<Vec<_>>().join("_");
        FEATURE_NAMES.contains(&joined.as_str()).then_some((len, joined))
    })
}

/// "10M": a bare multiple, clear after the name of a feature and an operator.
fn scaled(c: &Cursor) -> Option<Value> {
    let (number, suffix) = number::split(c.raw(0))?;
    let factor = match suffix {
        "M" => 1e6,
        "G" => 1e9,
        _ => return None,
    };
    Some(Value { len: 1, number: number * factor, unit: None, open: false })
}

/// What one of `unit` is in the feature's own unit. A rate of bytes compared with "rate" means the rate of bytes.
fn fit(name: &str, unit: Option<Unit>) -> Result<(f64, String), String> {
    let Some(unit) = unit else { return Ok((1.0, name.to_owned())) };
    if unit.unclear {
        return Err("this could be bits or bytes; write MB or Mbit".to_owned());
    }
    let factor = match (measure_of(name), unit.measure) {
        (Some(own), given) if own == given => Some(1.0),
        (Some(Measure::BitsPerSecond), Measure::BytesPerSecond) => Some(8.0),
        (Some(Measure::BytesPerSecond), Measure::BitsPerSecond) => Some(0.125),
        _ => None,
    };
    if let Some(factor) = factor {
        return Ok((factor * unit.factor, name.to_owned()));
    }
    if name == "rate" && matches!(unit.measure, Measure::BitsPerSecond | Measure::BytesPerSecond) {
        let (name, factor) = feature(unit.measure, Way::Both);
        return Ok((factor * unit.factor, name.to_owned()));
    }
    Err(match measure_of(name) {
        Some(Measure::Packets) => {
            format!("{name} counts packets, not {}; to compare lengths write packet_len_max", unit.shown)
        }
        _ => format!("{name} is not measured in {}", unit.shown),
    })
}
