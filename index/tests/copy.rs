//! Promise: a copy made while appends go on holds everything that was acknowledged before it was asked for, whole batches
//! only, opens as an index of its own, and is not touched by what becomes of the original.
//!
//! Method: a thread appends, seals and merges without pause; copies are made beside it and opened.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use forebay_index::{Index, Options, Search};

const SEED: u64 = 14;
const BATCH: u64 = 7;
const COPIES: u64 = 6;

fn options() -> Options {
    Options { seal_events: 50, hot_events_max: 400, ..common::options() }
}

#[test]
fn copies_made_under_way_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), options()).unwrap();
    let (acknowledged, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut least = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for batch in 0.. {
                let (from, to) = (batch * BATCH, (batch + 1) * BATCH);
                index.append(&common::events(SEED, from, to), &common::vectors(SEED, from, to)).unwrap();
                acknowledged.store(to, Ordering::Release);
                if done.load(Ordering::Acquire) {
                    break;
                }
            }
        });
        for number in 0..COPIES {
            // Some more each time, so that copies meet the log, segments and merges in different states.
            while acknowledged.load(Ordering::Acquire) < 90 * number + BATCH {
                std::thread::yield_now();
            }
            let before = acknowledged.load(Ordering::Acquire);
            index.copy_to(&copies.path().join(number.to_string())).unwrap();
            least.push(before);
        }
        done.store(true, Ordering::Release);
    });
    drop(index);
    // The original goes; the copies stay what they are.
    dir.close().unwrap();
    for (number, least) in least.iter().enumerate() {
        let index = Index::open(&copies.path().join(number.to_string()), options()).unwrap();
        let stats = index.stats();
        assert!(stats.damaged.is_empty(), "{:?}", stats.damaged);
        assert!(
            stats.events >= *least && stats.events.is_multiple_of(BATCH),
            "{} events, {least} acknowledged",
            stats.events
        );
        for event in common::events(SEED, 0, stats.events) {
            assert!(index.event(event.event_id).unwrap().is_some());
        }
        assert_eq!(index.search(&Search::default()).unwrap().matching, stats.events);
        // It takes events as any index does.
        let to = stats.events + BATCH;
        index.append(&common::events(SEED, to - BATCH, to), &common::vectors(SEED, to - BATCH, to)).unwrap();
    }
}

#[test]
fn a_copy_never_replaces_anything() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let index = common::index(dir.path(), options(), SEED, &[10]);
    assert!(index.copy_to(other.path()).unwrap_err().to_string().contains("there already"));
    let copied = index.copy_to(&other.path().join("copy")).unwrap();
    assert_eq!(copied.segments, 0);
    assert!(copied.copied_bytes > 0, "the log holds the events");
}
