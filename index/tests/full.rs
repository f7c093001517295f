//! Promise: when segments cannot be written, what was acknowledged stays searchable and in the log, appends go on up to the
//! bound of the hot part and are refused from there with the reason; when segments can be written again, all goes on.
//!
//! Method: a file stands where the folder for building segments should be, and is taken away again.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::time::{Duration, Instant};

use forebay_index::{Index, IndexError, Options, Search};

const SEED: u64 = 16;
const BATCH: u64 = 10;

#[test]
fn a_hot_part_that_cannot_be_sealed_refuses_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let building = dir.path().join("building");
    let index = Index::open(dir.path(), Options { seal_events: 20, hot_events_max: 60, ..common::options() }).unwrap();
    fs_err::remove_dir(&building).unwrap();
    fs_err::write(&building, "").unwrap();

    let append = |batch: u64| {
        let (from, to) = (batch * BATCH, (batch + 1) * BATCH);
        index.append(&common::events(SEED, from, to), &common::vectors(SEED, from, to))
    };
    let refused = (0..100).find(|batch| append(*batch).is_err()).unwrap();
    assert!((2..=7).contains(&refused), "refused at batch {refused}");
    let error = append(refused).unwrap_err();
    assert!(matches!(&error, IndexError::Full(reason) if !reason.is_empty()), "{error}");
    assert!(common::counter(&index, "seals_failed") > 0);
    assert_eq!(index.search(&Search::default()).unwrap().matching, refused * BATCH);

    fs_err::remove_file(&building).unwrap();
    fs_err::create_dir(&building).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while append(refused).is_err() {
        assert!(Instant::now() < deadline, "segments can be written again");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(index.search(&Search::default()).unwrap().matching, (refused + 1) * BATCH);
    drop(index);
    let index = Index::open(dir.path(), common::options()).unwrap();
    assert_eq!(index.stats().events, (refused + 1) * BATCH);
    assert!(index.stats().damaged.is_empty());
}
