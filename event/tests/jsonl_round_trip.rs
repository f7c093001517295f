//! Promise: reading what was written gives the same event, every float to the bit.
//!
//! Method: arbitrary valid events (all of Unicode, control characters, extreme numbers) are written and read with one
//! reused parser; a second, independent reader (serde) must agree. Every f32 between 0 and 1 is tried by a test beside the
//! writer that is ignored by default.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use forebay_event::{Event, jsonl};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn reading_what_was_written_is_the_identity(events in prop::collection::vec(support::event(), 1..4)) {
        let mut parser = jsonl::Parser::default();
        let mut read = Event::default();
        for event in &events {
            let mut line = Vec::new();
            jsonl::write(event, &mut line);
            prop_assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
            parser.parse(&line, &mut read).unwrap();
            prop_assert!(support::same(event, &read), "{event:?}\n{read:?}");
        }
    }

    #[test]
    fn another_reader_understands_the_same(event in support::event()) {
        let mut line = Vec::new();
        jsonl::write(&event, &mut line);
        let read: Event = serde_json::from_slice(&line).unwrap();
        prop_assert!(support::same(&event, &read), "{event:?}\n{read:?}");
    }
}
