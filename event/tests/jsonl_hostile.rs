//! Promise: no bytes whatever make the reader panic, and what it accepts is a valid event that it would write again.
//!
//! Method: arbitrary bytes, arbitrary JSON-like text, and valid lines with bytes changed, cut or repeated.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use forebay_event::{Event, jsonl};
use proptest::prelude::*;

/// Reads `line`; if it is accepted, the event must survive another round.
fn read(parser: &mut jsonl::Parser, line: &[u8]) {
    let (mut event, mut again) = (Event::default(), Event::default());
    if parser.parse(line, &mut event).is_ok() {
        let mut written = Vec::new();
        jsonl::write(&event, &mut written);
        parser.parse(&written, &mut again).unwrap();
        assert!(support::same(&event, &again), "{event:?}\n{again:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_are_refused_or_read(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..5)) {
        let mut parser = jsonl::Parser::default();
        for line in lines {
            read(&mut parser, &line);
        }
    }

    #[test]
    fn json_like_text_is_refused_or_read(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "\\ud800", "\\udc00", "null", "true", "1", "-", "1e9",
                "9999999999999999999999", "0.1", "1e999", "\"flow\"", "\"start_us\"", "\"features\"", "\"src_ip\"", " ",
                "\"schema_version\":\"1\"", "\u{0}", "\u{fffd}", "\"\"",
            ]),
            0..60,
        )
    ) {
        let text: String = parts.concat();
        read(&mut jsonl::Parser::default(), text.as_bytes());
        read(&mut jsonl::Parser::default(), format!("{{{text}}}").as_bytes());
    }

    #[test]
    fn damaged_lines_are_refused_or_read(
        event in support::event(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
    ) {
        let mut line = Vec::new();
        jsonl::write(&event, &mut line);
        for (place, byte, kind) in edits {
            if line.is_empty() {
                break;
            }
            let place = place.index(line.len());
            match kind {
                0 => line[place] = byte,
                1 => line.truncate(place),
                2 => line.insert(place, byte),
                _ => { line.remove(place); }
            }
        }
        read(&mut jsonl::Parser::default(), &line);
    }
}
