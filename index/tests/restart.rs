//! Promise: everything is there again after a restart, to the last bit and under the same identifiers; what was stored is
//! not stored twice; an index is open once at a time.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::time::{Duration, Instant};

use forebay_event::{Event, EventId};
use forebay_index::{Index, IndexError, Search};

const SEED: u64 = 5;

/// The event as it comes back: numbers that are not finite are unknown.
fn canonical(mut event: Event) -> Event {
    event.features.0.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = f64::NAN);
    event
}

fn same(a: &Event, b: &Event) -> bool {
    let bits = |event: &Event| event.features.0.map(f64::to_bits);
    let without = |event: &Event| Event { features: forebay_event::Features([0.0; 83]), ..event.clone() };
    bits(a) == bits(b) && without(a) == without(b)
}

#[test]
fn every_event_comes_back_by_its_identifier() {
    let dir = tempfile::tempdir().unwrap();
    let search = Search { vector: Some(common::vector(9, 1)), words: "ssh".to_owned(), k: 100, ..Search::default() };
    let index = common::index(dir.path(), common::options(), SEED, &[1_000, 1_100]);
    let before = index.search(&search).unwrap();
    drop(index);
    for _ in 0..2 {
        let index = Index::open(dir.path(), common::options()).unwrap();
        let after = index.search(&search).unwrap();
        let ids = |found: &forebay_index::Found| -> Vec<(EventId, u32)> {
            found.hits.iter().map(|hit| (hit.event.event_id, hit.score.to_bits())).collect()
        };
        assert_eq!(ids(&before), ids(&after));
        for event in common::events(SEED, 0, 1_100) {
            let back = index.event(event.event_id).unwrap().unwrap();
            assert!(same(&back, &canonical(event)));
        }
        assert_eq!(index.event(EventId::NIL).unwrap(), None);
        // Merging changes no event and no score.
        index.compact().unwrap();
        assert_eq!(ids(&before), ids(&index.search(&search).unwrap()));
    }
}

#[test]
fn merging_keeps_every_event_and_score() {
    let dir = tempfile::tempdir().unwrap();
    let options = forebay_index::Options { seal_events: 1, merge_in_background: false, ..common::options() };
    let ends: Vec<u64> = (1..=20).map(|i| i * 13).collect();
    let index = common::index(dir.path(), options.clone(), SEED, &ends);
    let search =
        Search { vector: Some(common::vector(9, 1)), words: "example".to_owned(), k: 260, ..Search::default() };
    let ids = |index: &Index| -> Vec<(EventId, u32)> {
        let found = index.search(&search).unwrap();
        found.hits.iter().map(|hit| (hit.event.event_id, hit.score.to_bits())).collect()
    };
    let before = ids(&index);
    let done = index.compact().unwrap();
    assert_eq!((done.merges, done.segments_before, done.segments_after), (2, 20, 6));
    assert_eq!(ids(&index), before);
    drop(index);
    let index = Index::open(dir.path(), options).unwrap();
    assert_eq!(index.stats().segments.len(), 6);
    assert_eq!(ids(&index), before);
    for event in common::events(SEED, 0, 260) {
        assert!(same(&index.event(event.event_id).unwrap().unwrap(), &canonical(event)));
    }
}

#[test]
fn small_segments_are_merged_in_the_background() {
    let dir = tempfile::tempdir().unwrap();
    // Every append becomes a segment at once.
    let options = forebay_index::Options { seal_events: 1, ..common::options() };
    let index = common::index(dir.path(), options, SEED, &(1..=30).collect::<Vec<_>>());
    let deadline = Instant::now() + Duration::from_mins(1);
    while index.stats().segments.len() >= 10 {
        assert!(Instant::now() < deadline, "{} segments are left", index.stats().segments.len());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(index.stats().events, 30);
    drop(index);
    let index = Index::open(dir.path(), common::options()).unwrap();
    let on_disk = fs_err::read_dir(dir.path().join("segments")).unwrap().count();
    assert_eq!(on_disk, index.stats().segments.len(), "merged segments are removed");
    assert_eq!(index.stats().events, 30);
}

#[test]
fn an_event_is_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), common::options(), SEED, &[50]);
    let again = index.append(&common::events(SEED, 40, 60), &common::vectors(SEED, 40, 60)).unwrap();
    assert_eq!((again.added, again.duplicates), (10, 10));
    let (twice, vectors) = (vec![common::event(SEED, 99); 3], common::vector(SEED, 99).repeat(3));
    assert_eq!(index.append(&twice, &vectors).unwrap().duplicates, 2);
    assert_eq!(index.search(&Search { k: 1_000, ..Search::default() }).unwrap().matching, 61);
    assert_eq!(index.append(&[], &[]).unwrap().added, 0);
}

#[test]
fn a_batch_that_cannot_be_stored_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), common::options(), SEED, &[5]);
    let mut events = common::events(SEED, 5, 7);
    events[1].app.host = Some("h".repeat(256));
    let refused = |result: Result<_, IndexError>| assert!(result.unwrap_err().is_callers_fault());
    refused(index.append(&events, &common::vectors(SEED, 5, 7)));
    events[1].app.host = None;
    refused(index.append(&events, &common::vectors(SEED, 5, 6)));
    let mut vectors = common::vectors(SEED, 5, 7);
    vectors[common::DIMENSION] = f32::NAN;
    refused(index.append(&events, &vectors));
    vectors[common::DIMENSION] = 3.0;
    refused(index.append(&events, &vectors));
    assert_eq!(index.stats().events, 5);
}

#[test]
fn an_index_is_open_once_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), common::options()).unwrap();
    assert!(matches!(Index::open(dir.path(), common::options()), Err(IndexError::Locked { .. })));
    drop(index);
    assert!(Index::open(dir.path(), common::options()).is_ok());
}
