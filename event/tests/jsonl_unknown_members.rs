//! Promise: a member whose name the schema does not know changes nothing about the event, and is counted.
//!
//! Method: lines with such members at every level, with `null` among them, and one that is no event.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::io::Cursor;

use forebay_event::jsonl::Parser;
use forebay_event::source::Item;
use forebay_event::{Event, import};

const PLAIN: &str = r#"{"schema_version":"1","event_id":"018bcfe5-6800-7000-8000-000000000001","start_us":1,"end_us":2,"flow":{"src_ip":"10.0.0.1","dst_ip":"10.0.0.2","protocol":6},"app":{},"scores":{"ml":0.9},"class":{"verdict":null,"family":"scan"},"label":{},"features":{"sbytes":1.0},"integrity":{"seq":1}}"#;

/// One unknown member with a value in each of the eight objects, and unknown ones without.
const MORE: &str = r#"{"schema_version":"1","event_id":"018bcfe5-6800-7000-8000-000000000001","start_us":1,"end_us":2,"started":{"a":1,"b":2},"none":null,"flow":{"src_ip":"10.0.0.1","dst_ip":"10.0.0.2","protocol":6,"tos":0},"app":{"sni":"x"},"scores":{"ml":0.9,"other":0.1,"none":null},"class":{"verdict":null,"family":"scan","kind":"x","none":null},"label":{"by":"me"},"features":{"sbytes":1.0,"source_bytes":1.0,"none":null},"integrity":{"seq":1,"alg":"x"}}"#;

#[test]
fn they_are_counted_at_every_level_and_change_nothing() {
    let mut parser = Parser::default();
    let (mut plain, mut more) = (Event::default(), Event::default());
    parser.parse(PLAIN.as_bytes(), &mut plain).unwrap();
    assert_eq!(parser.unknown_members(), 0);
    parser.parse(MORE.as_bytes(), &mut more).unwrap();
    assert_eq!(parser.unknown_members(), 8);
    assert_eq!(serde_json::to_value(&plain).unwrap(), serde_json::to_value(&more).unwrap());
    let broken = MORE.replace("\"start_us\":1,", "");
    parser.parse(broken.as_bytes(), &mut more).unwrap_err();
    assert_eq!(parser.unknown_members(), 8, "a line that is rejected loses nothing silently");
}

#[test]
fn an_import_shows_the_count() {
    let text = format!("{PLAIN}\n{MORE}\n{MORE}\n");
    let mut source = import::open_reader("test", Box::new(Cursor::new(text.into_bytes())), None).unwrap();
    while source.read(&mut Event::default()).unwrap() != Item::End {}
    assert_eq!(source.counters(), [("unknown_members", 16)]);
}
