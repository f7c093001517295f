//! Dead letters: what was no event, one JSON object a line, so that nothing is lost and everything can be read again.
//!
//! A line holds `source`, `line`, `reason`, `bytes` (base64, the item byte for byte) and, where the bytes are UTF-8, `text`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::source::Rejection;

#[derive(Serialize)]
struct Letter<'a> {
    source: &'a str,
    line: u64,
    reason: &'a str,
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// Appends the line of `rejection` to `out`, with its line end.
pub fn write(rejection: &Rejection, out: &mut Vec<u8>) {
    let letter = Letter {
        source: &rejection.source,
        line: rejection.line,
        reason: &rejection.reason,
        bytes: STANDARD.encode(&rejection.bytes),
        text: std::str::from_utf8(&rejection.bytes).ok(),
    };
    serde_json::to_writer(&mut *out, &letter).expect("strings and numbers always have a JSON form");
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_and_text_only_where_it_is_text() {
        let line_of = |bytes: &[u8]| {
            let rejection = Rejection { source: "-".into(), line: 7, reason: "no event".into(), bytes: bytes.to_vec() };
            let mut out = Vec::new();
            write(&rejection, &mut out);
            serde_json::from_slice::<serde_json::Value>(&out).unwrap()
        };
        assert_eq!(line_of(b"{}")["text"], "{}");
        let binary = line_of(&[0xff, 0x00]);
        assert_eq!(binary["bytes"], "/wA=");
        assert!(binary.get("text").is_none());
    }
}
