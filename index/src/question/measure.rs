//! Which feature a measured value belongs to, and in which direction.

use super::item::Cursor;
use super::unit::Measure;
use crate::filter::{Compare, Filter};

/// The direction a value was counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the source: uploaded, sent.
    Up,
    /// To the source: downloaded, received.
    Down,
    /// Both together.
    Both,
}

const UP: &[&str] = &[
    "upload",
    "uploads",
    "uploaded",
    "uploading",
    "sent",
    "send",
    "sends",
    "sending",
    "transmitted",
    "outbound",
    "outgoing",
    "egress",
    "exfiltrated",
    "request",
    "requests",
];
const DOWN: &[&str] = &[
    "download",
    "downloads",
    "downloaded",
    "downloading",
    "received",
    "receive",
    "receives",
    "receiving",
    "inbound",
    "incoming",
    "ingress",
    "returned",
    "reply",
    "replies",
    "response",
    "responses",
    "answer",
    "answers",
    "answered",
    "back",
];

/// The direction that one word names.
pub(super) fn way(word: &str) -> Option<Way> {
    if UP.contains(&word) {
        return Some(Way::Up);
    }
    DOWN.contains(&word).then_some(Way::Down)
}

/// The direction named right before the cursor; the words for it stay words.
pub(super) fn way_before(c: &Cursor) -> Way {
    for behind in 1..=4 {
        let word = c.before(behind);
        if let Some(way) = way(word) {
            return way;
        }
        if !matches!(
            word,
            "of" | "data" | "a" | "total" | "with" | "were" | "was" | "is" | "are" | "traffic" | "that" | "bytes"
        ) {
            break;
        }
    }
    noun_before(c).unwrap_or(Way::Both)
}

/// "uploads to the outside over 10 MB": a noun that an address or another condition parts from its amount.
fn noun_before(c: &Cursor) -> Option<Way> {
    let from = c.at.saturating_sub(NOUN_REACH);
    c.tokens.get(from..c.at)?.iter().rev().take_while(|token| token.sep == super::token::Sep::None).find_map(|token| {
        match token.low.as_str() {
            "upload" | "uploads" | "uploading" => Some(Way::Up),
            "download" | "downloads" | "downloading" => Some(Way::Down),
            _ => None,
        }
    })
}

/// Tokens between a noun such as "uploads" and its amount.
const NOUN_REACH: usize = 8;

/// The direction named right after the value, and the tokens it takes: "uploaded", "of data sent".
pub(super) fn way_after(c: &Cursor) -> Option<(usize, Way)> {
    let filler = c.run(&["of", "in", "data", "were", "was", "being", "is", "as", "worth", "total", "been"], 3);
    let way = way(c.word(filler)).filter(|_| c.sep(0) == super::token::Sep::None)?;
    let noun = c.skip(filler + 1).run(&["data", "bytes"], 1);
    Some((filler + 1 + noun, way))
}

/// The feature that holds a measure in a direction, and what one base unit of the measure is in it.
pub(super) fn feature(measure: Measure, way: Way) -> (&'static str, f64) {
    match (measure, way) {
        (Measure::Bytes, Way::Up) => ("sbytes", 1.0),
        (Measure::Bytes, Way::Down) => ("dbytes", 1.0),
        (Measure::Bytes, Way::Both) => ("bytes", 1.0),
        (Measure::Packets, Way::Up) => ("spkts", 1.0),
        (Measure::Packets, Way::Down) => ("dpkts", 1.0),
        (Measure::Packets, Way::Both) => ("packets", 1.0),
        (Measure::Micros, _) => ("duration", 1.0),
        (Measure::BytesPerSecond, Way::Both) => ("flow_bytes_per_sec", 1.0),
        (Measure::BitsPerSecond, Way::Both) => ("flow_bytes_per_sec", 0.125),
        (Measure::BytesPerSecond, Way::Up) => ("sload", 8.0),
        (Measure::BytesPerSecond, Way::Down) => ("dload", 8.0),
        (Measure::BitsPerSecond, Way::Up) => ("sload", 1.0),
        (Measure::BitsPerSecond, Way::Down) => ("dload", 1.0),
        (Measure::PacketsPerSecond, Way::Both) => ("rate", 1.0),
        (Measure::PacketsPerSecond, Way::Up) => ("srate", 1.0),
        (Measure::PacketsPerSecond, Way::Down) => ("drate", 1.0),
        (Measure::Flags(name), _) => (name, 1.0),
    }
}

/// The comparison of a feature with a value.
pub(super) fn compared(name: &str, op: Compare, value: f64) -> Filter {
    Filter::Feature { name: name.to_owned(), op, value }
}

/// What a feature is measured in; `None` for a ratio or a plain count.
pub(super) fn measure_of(name: &str) -> Option<Measure> {
    let is = |part: &str| name.contains(part);
    if name == "duration"
        || is("_iat_")
        || name.starts_with("active_")
        || name.starts_with("idle_")
        || is("bulk_duration")
    {
        Some(Measure::Micros)
    } else if matches!(name, "sload" | "dload") {
        Some(Measure::BitsPerSecond)
    } else if name == "flow_bytes_per_sec" || is("bulk_rate") {
        Some(Measure::BytesPerSecond)
    } else if matches!(name, "rate" | "srate" | "drate" | "flow_pkts_per_sec") {
        Some(Measure::PacketsPerSecond)
    } else if matches!(name, "packets" | "spkts" | "dpkts")
        || name.ends_with("_packets")
        || name.ends_with("packets_bulk")
    {
        Some(Measure::Packets)
    } else if is("ratio") || is("flag") || name == "packet_len_var" {
        None
    } else {
        Some(Measure::Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_the_unit_of_the_schema() {
        use forebay_event::FEATURE_NAMES;
        let count = |measure: Option<Measure>| FEATURE_NAMES.iter().filter(|name| measure_of(name) == measure).count();
        // Counted in the table of the schema.
        assert_eq!(count(Some(Measure::Micros)), 21);
        assert_eq!(count(Some(Measure::BitsPerSecond)), 2);
        assert_eq!(count(Some(Measure::BytesPerSecond)), 3);
        assert_eq!(count(Some(Measure::PacketsPerSecond)), 4);
        assert_eq!(count(Some(Measure::Packets)), 6);
        assert_eq!(count(None), 16);
        assert_eq!(measure_of("down_up_ratio"), None);
        assert_eq!(measure_of("init_fwd_win_bytes"), Some(Measure::Bytes));
    }
}
