//! Ports: "port 22", "destination ports 6000-7000", "port 80 or 443", ":443", "tcp/22", "high ports".

use super::item::{Cursor, Found, Item, Slot, any_of, listed, note};
use super::lead::{adjective, lead};
use super::protocol;
use crate::filter::{End, Filter};

/// Ports in one list.
const LIST_MAX: usize = 32;

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    named_range(c).or_else(|| written(c)).or_else(|| compact(c))
}

/// A lead, the word "port", and numbers.
fn written(c: &Cursor) -> Option<Found> {
    let lead = lead(c);
    let (end, word_len) = match c.word(lead.len) {
        "port" | "ports" => (lead.end.unwrap_or(End::Any), 1),
        "dport" | "dst_port" | "dstport" | "flow.dst_port" => (End::Dst, 1),
        "sport" | "src_port" | "srcport" | "flow.src_port" => (End::Src, 1),
        _ => return None,
    };
    let mut len = lead.len + word_len;
    len += c.skip(len).run(&["number", "numbers", "range", "ranges", "is", "are", "=", "in"], 2);
    let other = c.phrase_after(len, &["!=", "other than", "except", "not"]);
    let negative = other > 0;
    len += other;
    if let Some(found) = compared(c, len, end, lead.directed) {
        return Some(found);
    }
    let mut ranges = Vec::new();
    loop {
        match range(&c.skip(len), ranges.is_empty()) {
            Some((used, Ok(range))) => {
                len += used;
                ranges.push(range);
            }
            Some((used, Err(reason))) => return note(len + used, reason),
            None if ranges.is_empty() => return None,
            None => break,
        }
        match c.skip(len).joint() {
            Some(joint) if ranges.len() < LIST_MAX && continues(&c.skip(len + joint)) => len += joint,
            _ => break,
        }
    }
    let item = built(&ranges, end, len).directed(lead.directed);
    if negative {
        let label = format!("not {}", item.label);
        let filter = Filter::Not(Box::new(item.filter.clone()));
        return Item { label, filter, ..item }.found();
    }
    item.found()
}

fn built(ranges: &[Ports], end: End, len: usize) -> Item {
    let labels: Vec<String> =
        ranges.iter().map(|&(from, to)| if from == to { from.to_string() } else { format!("{from}–{to}") }).collect();
    let filter = any_of(ranges.iter().map(|&(from, to)| Filter::Port { end, from, to }).collect());
    Item::new(len, Slot::Port(end), format!("{}port {}", adjective(end), listed(&labels)), filter)
}

/// Whether a list of ports goes on here: a number that no unit follows.
fn continues(c: &Cursor) -> bool {
    let units = super::unit::parse(c.raw(1)).is_some() || c.any(1, &["packets", "packet", "am", "pm"]);
    !units && matches!(range(c, false), Some((_, Ok(_))))
}

/// Lowest and highest port.
type Ports = (u16, u16);

/// One port or one range of ports.
fn range(c: &Cursor, first: bool) -> Option<(usize, Result<Ports, String>)> {
    let skipped = if first { c.run(&["between", "from", "#"], 1) } else { 0 };
    let word = c.word(skipped).trim_start_matches(['#', ':']);
    if let Some((from, to)) = word.split_once(['-', '–'])
        && let (Some(from), Some(to)) = (number(from), number(to))
    {
        return Some((skipped + 1, ordered(from, to)));
    }
    let Some(from) = number(word) else {
        let numeric = word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        let digits = word.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.');
        return (first && numeric && digits)
            .then(|| (skipped + 1, Err("a port is a number from 0 to 65535".to_owned())));
    };
    let to = match c.word(skipped + 1) {
        "to" | "through" | "until" | "-" | "–" => number(c.word(skipped + 2)),
        "and" if skipped == 1 && c.word(0) == "between" => number(c.word(skipped + 2)),
        _ => None,
    };
    match to {
        Some(to) => Some((skipped + 3, ordered(from, to))),
        None if skipped > 0 && c.word(0) == "between" => None,
        None => Some((skipped + 1, ordered(from, from))),
    }
}

/// A number as a port might be written; the bound is checked by [`ordered`].
fn number(word: &str) -> Option<u64> {
    (!word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())).then(|| word.parse().unwrap_or(u64::MAX))
}

fn ordered(from: u64, to: u64) -> Result<Ports, String> {
    match (u16::try_from(from), u16::try_from(to)) {
        (Ok(from), Ok(to)) if from <= to => Ok((from, to)),
        (Ok(_), Ok(_)) => Err("the range of ports ends before it starts".to_owned()),
        _ => Err("a port is a number from 0 to 65535".to_owned()),
    }
}

/// "port above 1024", "port <= 1023".
fn compared(c: &Cursor, at: usize, end: End, directed: bool) -> Option<Found> {
    let (op, op_len) = match c.word(at) {
        ">" | "above" | "over" => (">", 1),
        "<" | "below" | "under" => ("<", 1),
        ">=" | "<=" => (c.word(at), 1),
        "higher" | "greater" if c.word(at + 1) == "than" => (">", 2),
        "lower" | "less" if c.word(at + 1) == "than" => ("<", 2),
        _ => return None,
    };
    let len = at + op_len + 1;
    let value = number(&c.word(at + op_len).replace(',', ""))?;
    let Ok(value) = u16::try_from(value) else {
        return note(len, "a port is a number from 0 to 65535");
    };
    let range = match op {
        ">" => value.checked_add(1).map(|from| (from, u16::MAX)),
        ">=" => Some((value, u16::MAX)),
        "<" => value.checked_sub(1).map(|to| (0, to)),
        _ => Some((0, value)),
    };
    match range {
        Some(range) => built(&[range], end, len).directed(directed).found(),
        None => note(len, "no port is on that side of it"),
    }
}

/// "high ports", "ephemeral ports", "well-known ports"; the destination's unless said otherwise.
fn named_range(c: &Cursor) -> Option<Found> {
    let lead = lead(c);
    let mut len = lead.len;
    let range = match c.word(len) {
        "high" | "unprivileged" => (1024, u16::MAX),
        "low" | "privileged" | "well-known" => (0, 1023),
        // The default of Linux; RFC 6335 names only the upper part of it.
        "ephemeral" => (32_768, u16::MAX),
        _ => return None,
    };
    len += 1;
    let end = match c.word(len) {
        "source" | "src" | "client" => Some(End::Src),
        "destination" | "dst" | "dest" | "server" => Some(End::Dst),
        _ => None,
    };
    len += usize::from(end.is_some());
    if !c.any(len, &["port", "ports"]) || c.any(len + 1, &["scan", "scans", "sweep", "scanning"]) {
        return None;
    }
    built(&[range], end.or(lead.end).unwrap_or(End::Dst), len + 1).directed(lead.directed).found()
}

/// ":443", "tcp/22", "22/udp", "tcp:22".
fn compact(c: &Cursor) -> Option<Found> {
    let lead = lead(c);
    let word = c.word(lead.len);
    let len = lead.len + 1;
    let end = lead.end.unwrap_or(End::Any);
    if let Some(port) = word.strip_prefix(':').and_then(number) {
        return match ordered(port, port) {
            Ok(range) => built(&[range], end, len).directed(lead.directed).found(),
            Err(reason) => note(len, reason),
        };
    }
    let (left, right) = word.split_once(['/', ':'])?;
    let (name, port) = if number(right).is_some() { (left, number(right)?) } else { (right, number(left)?) };
    let protocol = protocol::number_of(name).filter(|_| matches!(name, "tcp" | "udp" | "sctp" | "dccp"))?;
    match ordered(port, port) {
        Ok(range) => {
            let item = built(&[range], end, len);
            let filter = Filter::And(vec![Filter::Protocol(protocol), item.filter]);
            Item::new(len, Slot::Port(end), format!("{name} {}", item.label), filter).directed(lead.directed).found()
        }
        Err(reason) => note(len, reason),
    }
}
