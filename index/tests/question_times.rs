//! Promise: times are resolved by the clock and zone that are passed in, also where clocks change.
//!
//! Goal and method: the same questions at chosen moments in a zone with summer time (the rule of central Europe, written
//! out, so that no zone database is needed), with the window each must give in UTC.

use forebay_index::filter::Filter;
use forebay_index::question::{Clock, parse};
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn window(question: &str, now: &str) -> Option<(Option<String>, Option<String>)> {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
    let now: Timestamp = now.parse().expect("a moment");
    let read = parse(question, &Clock { now_us: now.as_microsecond(), zone });
    let shown = |at: Option<i64>| at.map(|us| Timestamp::from_microsecond(us).expect("in range").to_string());
    match read.understood.as_slice() {
        [chip] => match &chip.filter {
            Filter::Time { from_us, to_us } => Some((shown(*from_us), shown(*to_us))),
            _ => None,
        },
        _ => None,
    }
}

fn assert_window(question: &str, now: &str, from: &str, to: &str) {
    let bound = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    assert_eq!(window(question, now), Some((bound(from), bound(to))), "{question} at {now}");
}

#[test]
fn days_have_the_hours_that_the_zone_gives_them() {
    // The clocks went forward on 2024-03-31 and back on 2024-10-27.
    assert_window("yesterday", "2024-04-01T10:00:00Z", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z");
    assert_window("yesterday", "2024-10-28T10:00:00Z", "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z");
    assert_window("last night", "2024-03-31T10:00:00Z", "2024-03-30T17:00:00Z", "2024-03-31T04:00:00Z");
    assert_window("past 2 days", "2024-04-01T10:00:00Z", "2024-03-30T11:00:00Z", "");
    assert_window("past 48 hours", "2024-04-01T10:00:00Z", "2024-03-30T10:00:00Z", "");
}

#[test]
fn an_hour_that_the_clocks_show_twice_is_taken_whole() {
    assert_window(
        "between 02:00 and 03:00 on 2024-10-27",
        "2024-10-28T10:00:00Z",
        "2024-10-27T00:00:00Z",
        "2024-10-27T02:00:00Z",
    );
    assert_window("2024-10-27 02:15 to 02:45", "2024-10-28T10:00:00Z", "2024-10-27T00:15:00Z", "2024-10-27T01:45:00Z");
}

#[test]
fn an_hour_that_the_clocks_skip_is_a_note() {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
    let now: Timestamp = "2024-04-01T10:00:00Z".parse().expect("a moment");
    let read = parse("ssh between 02:00 and 03:00 on 2024-03-31", &Clock { now_us: now.as_microsecond(), zone });
    assert_eq!(read.understood.len(), 1, "{read:?}");
    assert!(read.notes[0].reason.contains("clocks skipped"), "{read:?}");
    // A window that reaches out of the gap begins where the gap ends.
    let to = "2024-03-31T02:00:00Z";
    assert_window("between 02:30 and 04:00 on 2024-03-31", "2024-04-01T10:00:00Z", "2024-03-31T01:00:00Z", to);
}

#[test]
fn a_time_without_a_day_is_the_most_recent_that_has_begun() {
    let to = "2024-03-06T02:00:00Z";
    assert_window("between 02:00 and 03:00", "2024-03-06T09:30:00Z", "2024-03-06T01:00:00Z", to);
    assert_window("between 02:00 and 03:00", "2024-03-06T01:30:00Z", "2024-03-06T01:00:00Z", to);
    let yesterday = "2024-03-05T01:00:00Z";
    assert_window("between 02:00 and 03:00", "2024-03-06T00:30:00Z", yesterday, "2024-03-05T02:00:00Z");
    assert_window("between 22:00 and 02:00", "2024-03-06T09:30:00Z", "2024-03-05T21:00:00Z", "2024-03-06T01:00:00Z");
    assert_window("before 10:15", "2024-03-06T09:30:00Z", "", "2024-03-06T09:15:00Z");
    assert_window("after 10:45", "2024-03-06T09:30:00Z", "2024-03-05T09:45:00Z", "");
}

#[test]
fn a_stated_zone_wins_and_decides_which_day_it_is() {
    assert_window(
        "between 02:00 and 03:00 UTC",
        "2024-03-06T09:30:00Z",
        "2024-03-06T02:00:00Z",
        "2024-03-06T03:00:00Z",
    );
    assert_window("at 23:00 -08:00", "2024-03-06T09:30:00Z", "2024-03-06T07:00:00Z", "2024-03-06T07:01:00Z");
    assert_window("since 2024-03-05T10:00:00Z", "2024-03-06T09:30:00Z", "2024-03-05T10:00:00Z", "");
    assert_window("since 2024-03-05T10:00", "2024-03-06T09:30:00Z", "2024-03-05T09:00:00Z", "");
}

#[test]
fn a_zone_may_be_named_where_the_machine_knows_zones() {
    if TimeZone::get("Europe/Berlin").is_err() {
        eprintln!("SKIPPED: this machine has no zone database (package tzdata)");
        return;
    }
    let question = "between 02:00 and 03:00 Europe/Berlin on 2024-07-01";
    assert_window(question, "2024-07-02T09:30:00Z", "2024-07-01T00:00:00Z", "2024-07-01T01:00:00Z");
}

#[test]
fn the_night_under_way_is_last_night_until_it_is_over() {
    let night = ("2024-03-05T17:00:00Z", "2024-03-06T05:00:00Z");
    assert_window("last night", "2024-03-06T02:00:00Z", night.0, night.1);
    assert_window("last night", "2024-03-06T09:30:00Z", night.0, night.1);
    assert_window("last night", "2024-03-06T20:00:00Z", night.0, night.1);
    assert_window("last night at 1am", "2024-03-06T09:30:00Z", "2024-03-06T00:00:00Z", "2024-03-06T01:00:00Z");
}

#[test]
fn weekdays_are_the_latest() {
    // 2024-03-06 is a Wednesday.
    let now = "2024-03-06T09:30:00Z";
    assert_window("on Wednesday", now, "2024-03-05T23:00:00Z", "2024-03-06T23:00:00Z");
    assert_window("last Wednesday", now, "2024-02-27T23:00:00Z", "2024-02-28T23:00:00Z");
    assert_window("since Monday", now, "2024-03-03T23:00:00Z", "");
    assert_window("from Friday to Tuesday", now, "2024-02-29T23:00:00Z", "2024-03-05T23:00:00Z");
    assert_window("last week", now, "2024-02-25T23:00:00Z", "2024-03-03T23:00:00Z");
}

#[test]
fn the_ends_of_the_calendar_are_no_trouble() {
    for now_us in [i64::MIN, -377_705_023_201_000_000, 0, 253_402_207_200_000_000, i64::MAX] {
        let clock = Clock { now_us, zone: TimeZone::UTC };
        for question in [
            "yesterday",
            "last night",
            "last 5 years",
            "since Monday",
            "at 10:15",
            "tonight",
            "this year",
            "last month",
        ] {
            let _ = parse(question, &clock);
        }
    }
}
