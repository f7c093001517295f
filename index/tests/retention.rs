//! Promise: what is too old, or too much, goes by whole segments, the oldest first; nothing newer goes with it; it is
//! counted, its files are removed, and it stays gone.
//!
//! Method: segments of one hour each, dropped by time, by count and by size, by the call and in the background.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use forebay_event::{Event, EventId};
use forebay_index::{Index, Options, Retention, Search};

const HOUR_US: i64 = 3_600_000_000;
const A_SEGMENT: i64 = 20;

fn options(retention: Retention) -> Options {
    Options { seal_events: 1, merge_in_background: false, retention, ..common::options() }
}

/// The events of an hour, counted from the epoch of the tests.
fn hour(number: i64) -> Vec<Event> {
    let event = |i: i64| {
        let start_us = common::EPOCH_US + number * HOUR_US + i * HOUR_US / A_SEGMENT;
        let event_id = EventId::derive(start_us, &[b"hour", &number.to_le_bytes(), &i.to_le_bytes()]);
        Event { event_id, start_us, end_us: start_us, ..common::event(3, i as u64) }
    };
    (0..A_SEGMENT).map(event).collect()
}

/// An index with a segment for each of eight hours.
fn hours(dir: &Path, retention: Retention) -> Index {
    let index = Index::open(dir, options(retention)).unwrap();
    for number in 0..8 {
        index.append(&hour(number), &common::vectors(3, 0, A_SEGMENT as u64)).unwrap();
    }
    index
}

fn first_us(index: &Index) -> i64 {
    index.stats().time_range_us.unwrap().0
}

#[test]
fn time_drops_whole_segments_and_they_stay_gone() {
    let dir = tempfile::tempdir().unwrap();
    let index = hours(dir.path(), Retention::default());
    // The middle of the third hour: two segments are older, the third has newer events too.
    let dropped = index.delete_before(common::EPOCH_US + 2 * HOUR_US + HOUR_US / 2).unwrap();
    assert_eq!((dropped.segments, dropped.events), (2, 2 * A_SEGMENT as u64));
    assert!(dropped.bytes > 0);
    assert_eq!(first_us(&index), common::EPOCH_US + 2 * HOUR_US);
    assert_eq!(common::counter(&index, "events_dropped"), 2 * A_SEGMENT as u64);
    assert_eq!(index.event(hour(0)[3].event_id).unwrap(), None);
    assert_eq!(fs_err::read_dir(dir.path().join("segments")).unwrap().count(), 6);
    // What is gone may come again.
    assert_eq!(index.append(&hour(0), &common::vectors(3, 0, A_SEGMENT as u64)).unwrap().added, A_SEGMENT as usize);
    index.delete_before(common::EPOCH_US + 2 * HOUR_US).unwrap();
    drop(index);
    let index = Index::open(dir.path(), options(Retention::default())).unwrap();
    let stats = index.stats();
    assert_eq!((stats.events, stats.segments.len(), stats.damaged.len()), (6 * A_SEGMENT as u64, 6, 0));
}

#[test]
fn count_and_size_drop_the_oldest() {
    let dir = tempfile::tempdir().unwrap();
    let index = hours(dir.path(), Retention::default());
    let most = |max_events, max_bytes| Retention { max_age: None, max_events, max_bytes };
    assert_eq!(index.retain(&most(Some(200), None), 0).unwrap().segments, 0);
    assert_eq!(index.retain(&most(Some(130), None), 0).unwrap().segments, 2);
    assert_eq!(first_us(&index), common::EPOCH_US + 2 * HOUR_US);
    let bytes = index.stats().bytes;
    assert_eq!(index.retain(&most(None, Some(bytes)), 0).unwrap().segments, 0);
    assert_eq!(index.retain(&most(None, Some(bytes - 1)), 0).unwrap().segments, 1);
    assert_eq!(first_us(&index), common::EPOCH_US + 3 * HOUR_US);
}

#[test]
fn age_is_counted_from_now_and_kept_in_the_background() {
    let dir = tempfile::tempdir().unwrap();
    let index = hours(dir.path(), Retention::default());
    let day = Retention { max_age: Some(Duration::from_hours(24)), ..Retention::default() };
    let now_us = common::EPOCH_US + 27 * HOUR_US;
    assert_eq!(index.retain(&day, now_us).unwrap().segments, 3);
    drop(index);
    // The events of the tests are years old.
    let index = Index::open(dir.path(), options(day)).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while index.stats().events > 0 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(index.search(&Search::default()).unwrap().matching, 0);
}

#[test]
fn segments_of_different_windows_are_not_merged() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Retention { max_age: Some(Duration::from_hours(1_000_000)), ..Retention::default() };
    let index = hours(dir.path(), keep);
    assert_eq!(index.compact().unwrap().segments_after, 1, "eight hours lie in one window of 125,000");
    let dir = tempfile::tempdir().unwrap();
    let keep = Retention { max_age: Some(Duration::from_hours(8)), ..Retention::default() };
    // A window of an hour, and retention that has not come by yet.
    let index = Index::open(dir.path(), options(Retention::default())).unwrap();
    for number in 0..8 {
        index.append(&hour(number), &common::vectors(3, 0, A_SEGMENT as u64)).unwrap();
    }
    drop(index);
    let index = Index::open(dir.path(), options(keep)).unwrap();
    assert_eq!(index.compact().unwrap().merges, 0);
}
