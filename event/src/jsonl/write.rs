//! From an event to a line.

use std::io::Write as _;
use std::net::IpAddr;

use crate::{Event, FEATURE_NAMES, Features};

/// Whole numbers up to here are written without a point: every one of them is exact in an f64.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Appends `event` to `out` as one line of JSON, without a line end.
///
/// Allocates nothing but what `out` needs to grow. A feature that is not finite is written as `null`.
pub fn write(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"schema_version\":");
    text(&event.schema_version, out);
    out.extend_from_slice(b",\"event_id\":\"");
    out.extend_from_slice(event.event_id.0.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).as_bytes());
    out.extend_from_slice(b"\",\"start_us\":");
    integer(event.start_us, out);
    out.extend_from_slice(b",\"end_us\":");
    integer(event.end_us, out);
    out.extend_from_slice(b",\"node_id\":");
    text(&event.node_id, out);
    out.extend_from_slice(b",\"sensor\":");
    text(&event.sensor, out);
    out.extend_from_slice(b",\"interface\":");
    text(&event.interface, out);
    write_flow(event, out);
    write_judgement(event, out);
    write_features(&event.features, out);
    write_integrity(event, out);
    out.push(b'}');
}

fn write_flow(event: &Event, out: &mut Vec<u8>) {
    let flow = &event.flow;
    out.extend_from_slice(b",\"flow\":{\"src_ip\":\"");
    address(flow.src_ip, out);
    out.extend_from_slice(b"\",\"dst_ip\":\"");
    address(flow.dst_ip, out);
    out.extend_from_slice(b"\",\"src_port\":");
    integer(flow.src_port, out);
    out.extend_from_slice(b",\"dst_port\":");
    integer(flow.dst_port, out);
    out.extend_from_slice(b",\"protocol\":");
    integer(flow.protocol, out);
    out.extend_from_slice(b",\"vlan\":");
    match flow.vlan {
        Some(vlan) => integer(vlan, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"segment\":");
    integer(flow.segment, out);
    out.extend_from_slice(b",\"community_id\":");
    text(&flow.community_id, out);
    out.push(b'}');
}

fn write_judgement(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"app\":{\"protocol\":");
    optional(event.app.protocol.as_deref(), out);
    out.extend_from_slice(b",\"host\":");
    optional(event.app.host.as_deref(), out);
    out.extend_from_slice(b"},\"scores\":{\"fast\":");
    score(event.scores.fast, out);
    out.extend_from_slice(b",\"ml\":");
    score(event.scores.ml, out);
    out.extend_from_slice(b",\"final\":");
    score(event.scores.r#final, out);
    out.extend_from_slice(b",\"divergence\":");
    score(event.scores.divergence, out);
    out.extend_from_slice(b"},\"class\":{\"verdict\":");
    optional(event.class.verdict.map(crate::Verdict::as_str), out);
    out.extend_from_slice(b",\"family\":");
    optional(event.class.family.as_deref(), out);
    out.extend_from_slice(b",\"technique\":");
    optional(event.class.technique.as_deref(), out);
    out.extend_from_slice(b"},\"label\":{\"truth\":");
    optional(event.label.truth.as_deref(), out);
    out.extend_from_slice(b",\"validated\":");
    out.extend_from_slice(if event.label.validated { b"true" } else { b"false" });
    out.push(b'}');
}

fn write_features(features: &Features, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"features\":{");
    for (place, (name, value)) in FEATURE_NAMES.iter().zip(&features.0).enumerate() {
        out.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        number(*value, out);
    }
    out.push(b'}');
}

fn write_integrity(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"integrity\":");
    let Some(seal) = &event.integrity else {
        out.extend_from_slice(b"null");
        return;
    };
    out.extend_from_slice(b"{\"seq\":");
    integer(seal.seq, out);
    out.extend_from_slice(b",\"prev\":");
    text(&seal.prev, out);
    out.extend_from_slice(b",\"mac\":");
    text(&seal.mac, out);
    out.push(b'}');
}

/// Appends a number in the shortest form that reads back as the same bits.
pub(crate) fn number(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(b"null");
    } else if value.abs() <= WHOLE_MAX && (value as i64 as f64).to_bits() == value.to_bits() {
        // Bits and not values are compared, because the sign of -0.0 would be lost.
        integer(value as i64, out);
    } else {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    }
}

/// Appends a score in the shortest form that reads back as the same bits.
///
/// A reader takes it as f64 and narrows it. Rounding twice gives another value for a few of the thousand million scores
/// (7.038531e-26 is one); those are written with all the digits of their f64.
fn score(value: Option<f32>, out: &mut Vec<u8>) {
    let Some(value) = value.filter(|value| value.is_finite()) else {
        out.extend_from_slice(b"null");
        return;
    };
    let mut buffer = zmij::Buffer::new();
    let short = buffer.format_finite(value);
    if read_back(short).is_some_and(|read| read.to_bits() == value.to_bits()) {
        out.extend_from_slice(short.as_bytes());
    } else {
        out.extend_from_slice(zmij::Buffer::new().format_finite(f64::from(value)).as_bytes());
    }
}

/// What the reader makes of a written score.
fn read_back(text: &str) -> Option<f32> {
    text.parse::<f64>().ok().map(|wide| wide as f32)
}

fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn address(value: IpAddr, out: &mut Vec<u8>) {
    write!(out, "{value}").expect("writing into a Vec cannot fail");
}

fn optional(value: Option<&str>, out: &mut Vec<u8>) {
    match value {
        Some(value) => text(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends a JSON string: quotes, backslashes and control characters are escaped, everything else stands as it is.
pub(crate) fn text(value: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = value.as_bytes();
    let mut from = 0;
    for (place, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[from..place]);
        from = place + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives(value: f32) {
        let mut out = Vec::new();
        score(Some(value), &mut out);
        let text = std::str::from_utf8(&out).unwrap();
        assert_eq!(read_back(text).unwrap().to_bits(), value.to_bits(), "{text}");
    }

    #[test]
    fn a_score_that_rounding_twice_would_change_survives() {
        let value = f32::from_bits(363_742_205);
        assert_ne!(read_back(zmij::Buffer::new().format_finite(value)), Some(value), "the fallback is needed");
        survives(value);
        survives(0.1);
    }

    /// `cargo test --release -p forebay-event --lib -- --ignored`
    #[test]
    #[ignore = "a thousand million values; minutes in release mode"]
    fn every_score_survives() {
        (0..=1.0f32.to_bits()).for_each(|bits| survives(f32::from_bits(bits)));
    }
}
