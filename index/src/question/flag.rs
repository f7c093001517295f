//! TCP flags: "with RST", "with the SYN flag", "syn only", "flags: fin".
//!
//! "syn scan" and "fin flood" name attacks, not flags of one flow, and stay words.

use super::item::{Cursor, Found, Item, Slot, all};
use super::measure::compared;
use crate::filter::Compare;

const FLAGS: &[(&str, &str)] = &[
    ("syn", "syn_flag_count"),
    ("fin", "fin_flag_count"),
    ("rst", "rst_flag_count"),
    ("reset", "rst_flag_count"),
    ("resets", "rst_flag_count"),
    ("psh", "psh_flag_count"),
    ("push", "psh_flag_count"),
    ("ack", "ack_flag_count"),
    ("urg", "urg_flag_count"),
    ("ece", "ece_flag_count"),
    ("cwr", "cwr_flag_count"),
];
/// What follows a flag's name when the name of an attack or something else is meant.
const OTHER: &[&str] = &[
    "scan",
    "scans",
    "scanning",
    "flood",
    "floods",
    "flooding",
    "attack",
    "attacks",
    "cookie",
    "cookies",
    "probe",
    "probes",
    "storm",
    "sweep",
    "injection",
    "by",
    "button",
    "notification",
    "notifications",
    "number",
    "numbers",
];

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    only_syn(c).or_else(|| written(c))
}

/// "with RST", "with a RST flag", "RST flag set", "flags SYN".
fn written(c: &Cursor) -> Option<Found> {
    let with = usize::from(c.any(0, &["with", "having", "containing", "without"]) && c.word(0) != "without");
    let article = c.skip(with).run(&["a", "an", "the", "any", "tcp"], 2);
    let marker = c.skip(with + article).run(&["flag", "flags", "="], 2);
    let at = with + article + marker;
    let (name, feature) = *FLAGS.iter().find(|(name, _)| *name == c.word(at))?;
    let tail = c.skip(at + 1).run(&["flag", "flags", "packet", "packets", "set", "bit"], 2);
    let plain = with > 0 || marker > 0 || c.any(at + 1, &["flag", "flags", "set"]) || negated(c);
    // "push" and "reset" are ordinary words unless a flag is spoken of.
    let word =
        matches!(name, "push" | "reset") && marker == 0 && !c.any(at + 1, &["flag", "flags", "packet", "packets"]);
    if !plain || word || c.any(at + 1 + tail, OTHER) {
        return None;
    }
    let label = format!("with {}", feature[..3].to_uppercase());
    Item::new(at + 1 + tail, Slot::Flag, label, compared(feature, Compare::Ge, 1.0)).found()
}

/// "without RST" and "no FIN" need no "with".
fn negated(c: &Cursor) -> bool {
    matches!(c.before(1), "without" | "no") || (matches!(c.before(1), "any" | "a") && c.before(2) == "without")
}

/// "syn only", "only SYNs": opened, never acknowledged by either side.
fn only_syn(c: &Cursor) -> Option<Found> {
    let with = c.run(&["with"], 1);
    let at = with;
    let len = match (c.word(at), c.word(at + 1)) {
        ("syn", "only") => 2 + c.skip(at + 2).run(&["packets", "packet"], 1),
        ("only", "syn" | "syns") => 2 + c.skip(at + 2).run(&["packets", "packet", "flag", "flags"], 1),
        _ => return None,
    };
    if c.any(at + len, OTHER) {
        return None;
    }
    let filter = all(vec![
        compared("syn_flag_count", Compare::Ge, 1.0),
        compared("ack_flag_count", Compare::Eq, 0.0),
        compared("fin_flag_count", Compare::Eq, 0.0),
        compared("rst_flag_count", Compare::Eq, 0.0),
    ]);
    Item::new(at + len, Slot::Flag, "only SYN", filter).found()
}
