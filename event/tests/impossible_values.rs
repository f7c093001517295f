//! Promise: a time no clock shows and an amount below zero never become an event; the line is rejected with the field and
//! the reason, and the next one is read.
//!
//! Method: our own lines and a Zeek log with such values among good ones, through the face every importer shows.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::io::Cursor;

use forebay_event::limits::{TIME_US_MAX, TIME_US_MIN};
use forebay_event::source::Item;
use forebay_event::{Event, import};

/// What became of each record: the start of an event, or the reason of a rejection.
fn read(text: String) -> Vec<Result<i64, String>> {
    let mut source = import::open_reader("test", Box::new(Cursor::new(text.into_bytes())), None).unwrap();
    let (mut event, mut found) = (Event::default(), Vec::new());
    loop {
        match source.read(&mut event).unwrap() {
            Item::Event => found.push(Ok(event.start_us)),
            Item::Rejected(rejection) => found.push(Err(rejection.reason)),
            Item::End => return found,
        }
    }
}

fn line(start_us: i64, end_us: i64, features: &str) -> String {
    format!(
        "{{\"schema_version\":\"1\",\"start_us\":{start_us},\"end_us\":{end_us},\"flow\":{{\"src_ip\":\"10.0.0.1\",\
         \"dst_ip\":\"10.0.0.2\",\"protocol\":6}},\"features\":{{{features}}}}}\n"
    )
}

#[test]
fn times_outside_the_calendar_are_rejected() {
    let lines = [
        line(TIME_US_MIN, TIME_US_MAX, ""),
        line(i64::MIN, i64::MAX, ""),
        line(0, i64::MAX, ""),
        line(TIME_US_MIN - 1, 0, ""),
        line(5, 6, ""),
    ];
    let found = read(lines.concat());
    assert_eq!((&found[0], &found[4]), (&Ok(TIME_US_MIN), &Ok(5)));
    for (place, field) in [(1, "`start_us`"), (2, "`end_us`"), (3, "`start_us`")] {
        let reason = found[place].as_ref().unwrap_err();
        assert!(reason.starts_with(field) && reason.contains("1900"), "{reason}");
    }
}

#[test]
fn an_importer_is_held_to_the_same_times() {
    let header = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tproto\torig_pkts\n";
    let row = |seconds: i64| format!("{seconds}.5\t10.0.0.1\t10.0.0.2\ttcp\t1\n");
    let found = read([header.to_owned(), row(1), row(TIME_US_MAX / 1_000_000), row(2)].concat());
    assert_eq!((&found[0], &found[2]), (&Ok(1_500_000), &Ok(2_500_000)));
    assert!(found[1].as_ref().unwrap_err().starts_with("`start_us`"), "{found:?}");
}

#[test]
fn amounts_below_zero_are_rejected_by_name() {
    let lines =
        [line(1, 2, "\"sbytes\":-1"), line(1, 2, "\"rate\":-1e-9"), line(1, 2, "\"rate\":-0.0,\"sbytes\":null")];
    let expected = [Err("`sbytes`: below zero".to_owned()), Err("`rate`: below zero".to_owned()), Ok(1)];
    assert_eq!(read(lines.concat()), expected);
}
