//! Promise: appends from many threads store every event once, in whole batches; the hot part keeps to its bound by making
//! appends wait, which is counted; and no search waits for the sealing, merging or dropping of segments.
//!
//! Method: small bounds, so that a short run seals and merges often; the longest time between two answers is measured.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use forebay_index::{Index, Options, Search};

const SEED: u64 = 15;
const BATCH: u64 = 50;
const THREADS: u64 = 4;

#[test]
fn every_event_is_stored_once_whoever_brings_it() {
    let dir = tempfile::tempdir().unwrap();
    let index =
        Index::open(dir.path(), Options { seal_events: 400, hot_events_max: 1_600, ..common::options() }).unwrap();
    let (added, duplicates) = (AtomicU64::new(0), AtomicU64::new(0));
    // Each thread brings batches that overlap those of the next by half.
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (index, added, duplicates) = (&index, &added, &duplicates);
            scope.spawn(move || {
                for batch in 0..40 {
                    let from = batch * BATCH * THREADS / 2 + thread * BATCH / 2;
                    let to = from + BATCH;
                    let appended =
                        index.append(&common::events(SEED, from, to), &common::vectors(SEED, from, to)).unwrap();
                    // Acknowledged or a duplicate: either way it is there.
                    assert!(index.event(common::event(SEED, from).event_id).unwrap().is_some());
                    assert!(index.event(common::event(SEED, to - 1).event_id).unwrap().is_some());
                    added.fetch_add(appended.added as u64, Ordering::Relaxed);
                    duplicates.fetch_add(appended.duplicates as u64, Ordering::Relaxed);
                }
            });
        }
    });
    let events = 39 * BATCH * THREADS / 2 + (THREADS - 1) * BATCH / 2 + BATCH;
    assert_eq!(added.load(Ordering::Relaxed), events);
    assert_eq!(added.load(Ordering::Relaxed) + duplicates.load(Ordering::Relaxed), 40 * BATCH * THREADS);
    assert_eq!(index.search(&Search::default()).unwrap().matching, events);
    drop(index);
    let index = Index::open(dir.path(), common::options()).unwrap();
    assert_eq!(index.stats().events, events);
}

#[test]
fn appends_wait_at_the_bound_and_that_is_counted() {
    const HOT_MAX: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    let options = Options { seal_events: 100, hot_events_max: HOT_MAX as usize, ..common::options() };
    let index = Index::open(dir.path(), options).unwrap();
    let most = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (index, most) = (&index, &most);
            scope.spawn(move || {
                for batch in 0..30 {
                    let from = (thread * 30 + batch) * BATCH;
                    index
                        .append(&common::events(SEED, from, from + BATCH), &common::vectors(SEED, from, from + BATCH))
                        .unwrap();
                    most.fetch_max(index.stats().hot_events, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(index.stats().events, THREADS * 30 * BATCH);
    let most = most.load(Ordering::Relaxed);
    assert!(most <= HOT_MAX + THREADS * BATCH, "{most} hot events");
    assert!(common::counter(&index, "appends_waited") > 0);
    assert!(common::counter(&index, "appends_waited_us") > 0);
}

#[test]
fn no_search_waits_for_segments_to_be_made_merged_or_dropped() {
    // Far above what is measured on a quiet machine, for tests run on busy ones.
    const PAUSE_MAX: Duration = Duration::from_millis(500);
    let dir = tempfile::tempdir().unwrap();
    let options = Options { seal_events: 2_000, hot_events_max: 16_000, ..common::options() };
    let index = Index::open(dir.path(), options).unwrap();
    let done = AtomicBool::new(false);
    let (longest, searches) = std::thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let (mut longest, mut searches) = (Duration::ZERO, 0u64);
            let search = Search { vector: Some(common::vector(1, 1)), k: 10, ..Search::default() };
            while !done.load(Ordering::Acquire) {
                let start = Instant::now();
                index.search(&search).unwrap();
                longest = longest.max(start.elapsed());
                searches += 1;
            }
            (longest, searches)
        });
        for batch in 0..80 {
            let (from, to) = (batch * 500, (batch + 1) * 500);
            index.append(&common::events(SEED, from, to), &common::vectors(SEED, from, to)).unwrap();
        }
        index.compact().unwrap();
        index.delete_before(common::EPOCH_US + 86_400_000_000).unwrap();
        done.store(true, Ordering::Release);
        searcher.join().unwrap()
    });
    let [seals, merges] = ["seals", "merges"].map(|name| common::counter(&index, name));
    assert!(seals >= 10 && merges >= 2, "{seals} seals, {merges} merges");
    assert!(longest < PAUSE_MAX, "a search took {longest:?}");
    assert_eq!(index.stats().events, 0);
    eprintln!("{searches} searches beside {seals} seals and {merges} merges, the longest took {longest:?}");
}
