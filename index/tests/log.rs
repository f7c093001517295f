//! Promise: an append that no segment holds yet is in the log and comes back from it; what a crash cut short is left out
//! and counted; damage to what was acknowledged is named, and costs the batch it hit and no other.
//!
//! Method: few events, so that nothing is sealed; the log file is looked at, cut and damaged between two openings.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::path::{Path, PathBuf};

use forebay_index::{Index, Search};

const SEED: u64 = 12;
const ENDS: [u64; 3] = [10, 25, 40];

fn log_file(dir: &Path) -> PathBuf {
    common::only_file(&dir.join("log"))
}

fn events_found(index: &Index) -> u64 {
    let found = index.search(&Search { k: 1_000, ..Search::default() }).unwrap();
    assert_eq!(found.hits.len() as u64, found.matching);
    found.matching
}

/// A folder with three appends that are only in the log.
fn logged() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), common::options(), SEED, &ENDS);
    let stats = index.stats();
    assert_eq!((stats.events, stats.hot_events, stats.segments.len()), (40, 40, 0));
    dir
}

#[test]
fn what_is_only_in_the_log_comes_back_and_can_be_sealed() {
    let dir = logged();
    for _ in 0..2 {
        let index = Index::open(dir.path(), common::options()).unwrap();
        assert_eq!(common::counter(&index, "log_events_replayed"), 40);
        assert_eq!(events_found(&index), 40);
    }
    let index = Index::open(dir.path(), common::options()).unwrap();
    let again = index.append(&common::events(SEED, 30, 50), &common::vectors(SEED, 30, 50)).unwrap();
    assert_eq!((again.added, again.duplicates), (10, 10));
    index.seal().unwrap();
    let stats = index.stats();
    assert_eq!((stats.events, stats.hot_events, stats.segments.len(), stats.log_bytes), (50, 0, 1, 0));
    assert_eq!(fs_err::read_dir(dir.path().join("log")).unwrap().count(), 0, "what is sealed leaves the log");
    drop(index);
    let index = Index::open(dir.path(), common::options()).unwrap();
    assert_eq!(common::counter(&index, "log_events_replayed"), 0);
    assert_eq!(events_found(&index), 50);
}

#[test]
fn a_torn_end_is_left_out_and_counted() {
    let dir = logged();
    let file = log_file(dir.path());
    let whole = fs_err::read(&file).unwrap();
    fs_err::write(&file, &whole[..whole.len() - 100]).unwrap();
    let index = Index::open(dir.path(), common::options()).unwrap();
    assert_eq!(events_found(&index), 25);
    assert!(common::counter(&index, "log_bytes_torn") > 0);
    assert!(index.stats().damaged.is_empty());
    // The events that were cut off can be stored again.
    let again = index.append(&common::events(SEED, 0, 40), &common::vectors(SEED, 0, 40)).unwrap();
    assert_eq!((again.added, again.duplicates), (15, 25));
    drop(index);
    let index = Index::open(dir.path(), common::options()).unwrap();
    assert_eq!(events_found(&index), 40);
}

#[test]
fn damage_to_what_was_acknowledged_is_named_and_kept() {
    let dir = logged();
    let file = log_file(dir.path());
    let mut bytes = fs_err::read(&file).unwrap();
    bytes[400] ^= 1; // in the first batch
    fs_err::write(&file, &bytes).unwrap();
    for opening in 0..2 {
        let index = Index::open(dir.path(), common::options()).unwrap();
        assert_eq!(events_found(&index), 30, "the two batches after the damaged one serve");
        let damaged = index.stats().damaged;
        assert_eq!(damaged.len(), 1, "opening {opening}: {damaged:?}");
        assert_eq!(damaged[0].events, 10);
        assert!(damaged[0].name.contains("log") && damaged[0].reason.contains("checksum"), "{damaged:?}");
        assert_eq!(fs_err::read(dir.path().join(damaged[0].aside.as_ref().unwrap())).unwrap(), bytes);
    }
}

#[test]
fn a_log_of_another_space_is_not_read() {
    let dir = logged();
    let other = tempfile::tempdir().unwrap();
    let options = forebay_index::Options { model_space: "other-32-v1".to_owned(), ..common::options() };
    drop(common::index(other.path(), options, 99, &[5]));
    fs_err::copy(log_file(other.path()), log_file(dir.path())).unwrap();
    let index = Index::open(dir.path(), common::options()).unwrap();
    assert_eq!(events_found(&index), 0);
    assert!(index.stats().damaged[0].reason.contains("vector space"), "{:?}", index.stats().damaged);
}

#[test]
fn a_log_beyond_the_bound_is_sealed_and_appends_go_on() {
    let dir = logged();
    // The bound is lower now than when the log was written.
    let options = forebay_index::Options { seal_events: 10, hot_events_max: 30, ..common::options() };
    let index = Index::open(dir.path(), options).unwrap();
    index.append(&common::events(SEED, 40, 45), &common::vectors(SEED, 40, 45)).unwrap();
    assert_eq!(events_found(&index), 45);
    assert_eq!(index.stats().segments.len(), 1);
}
