//! Promise: events that come faster than an engine over them is built are found all the same, in segments without one that
//! appends do not wait for; each of these gets its engine in the background or by `compact`, and nothing is lost or changed.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::time::{Duration, Instant};

use forebay_event::EventId;
use forebay_index::{Index, Options, Search};

const SEED: u64 = 31;
const SEAL: u64 = 2_000;
const EVENTS: u64 = 3 * SEAL;
const PATIENCE: Duration = Duration::from_mins(1);

fn options(merge_in_background: bool) -> Options {
    Options { seal_events: SEAL as usize, engine_from: 1_000, merge_in_background, ..common::options() }
}

/// Fills an index in batches that are too small to be segments of their own, faster than any engine is built.
fn filled(options: Options) -> (tempfile::TempDir, Index) {
    let dir = tempfile::tempdir().unwrap();
    let ends: Vec<u64> = (1..=EVENTS / 500).map(|batch| batch * 500).collect();
    let index = common::index(dir.path(), options, SEED, &ends);
    until(&index, |index| index.stats().hot_events == 0);
    (dir, index)
}

fn until(index: &Index, holds: impl Fn(&Index) -> bool) {
    let start = Instant::now();
    while !holds(index) {
        assert!(start.elapsed() < PATIENCE, "{:?}", index.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn engines(index: &Index) -> Vec<String> {
    index.stats().segments.iter().map(|segment| segment.engine.clone()).collect()
}

fn nearest(index: &Index) -> Vec<EventId> {
    let search = Search { vector: Some(common::vector(SEED, 7)), k: 50, ..Search::default() };
    index.rank(&search).unwrap().hits.iter().map(|place| place.event_id).collect()
}

#[test]
fn compacting_builds_what_was_put_off() {
    let (dir, index) = filled(options(false));
    assert_eq!(engines(&index), ["flat", "flat", "flat"]);
    assert_eq!(common::counter(&index, "seals_without_engine"), 3);
    assert_eq!(common::counter(&index, "seals"), 3);
    let exact = nearest(&index);
    assert_eq!(index.compact().unwrap().merges, 3);
    assert_eq!(engines(&index), ["cells", "cells", "cells"]);
    assert_eq!(index.stats().events, EVENTS);
    let found = nearest(&index);
    let same = found.iter().filter(|id| exact.contains(id)).count();
    assert!(same * 100 >= exact.len() * 95, "{same} of {}", exact.len());
    drop(index);
    let index = Index::open(dir.path(), options(false)).unwrap();
    assert_eq!((index.stats().events, engines(&index).len()), (EVENTS, 3));
    assert_eq!(nearest(&index), found);
}

#[test]
fn the_background_builds_what_was_put_off() {
    let (_dir, index) = filled(options(true));
    until(&index, |index| engines(index).iter().all(|engine| engine == "cells"));
    assert_eq!(common::counter(&index, "seals_without_engine"), 3);
    assert_eq!(index.stats().events, EVENTS);
}

#[test]
fn who_wants_no_engine_gets_none() {
    let flat = Options { engine: forebay_index::engine::EngineKind::Flat, ..options(false) };
    let (_dir, index) = filled(flat);
    assert_eq!(index.compact().unwrap().merges, 0);
    assert!(engines(&index).iter().all(|engine| engine == "flat"));
}

#[test]
fn what_is_sealed_before_it_is_full_gets_its_engine_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), options(false), SEED, &[SEAL - 100]);
    index.seal().unwrap();
    assert_eq!(engines(&index), ["cells"]);
    assert_eq!(common::counter(&index, "seals_without_engine"), 0);
}
