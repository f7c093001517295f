//! Promise: with `resident_bytes_max` the mapped files of an index do not stay resident above it, and searches find the same.
//!
//! Method: an index larger than the bound, all of which is read; the kernel says how much is resident. On a disk, because
//! files in memory (tmpfs) can be given back nowhere.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::time::{Duration, Instant};

use forebay_event::EventId;
use forebay_index::{Index, Options, Search};

const SEED: u64 = 33;
const EVENTS: u64 = 40_000;
const PATIENCE: Duration = Duration::from_mins(1);

fn resident() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// Reads every event and compares every vector; what is nearest.
fn read_all(index: &Index) -> Vec<EventId> {
    for number in 0..EVENTS {
        assert!(index.event(common::event(SEED, number).event_id).unwrap().is_some());
    }
    let search = Search { vector: Some(common::vector(SEED, 7)), k: 1_000, ..Search::default() };
    index.rank(&search).unwrap().hits.iter().map(|place| place.event_id).collect()
}

#[test]
fn what_is_above_the_bound_is_given_back() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = Options { seal_events: 1, ..common::options() };
    drop(common::index(dir.path(), options.clone(), SEED, &[EVENTS]));

    let index = Index::open(dir.path(), options.clone()).unwrap();
    let nearest = read_all(&index);
    let unbounded = resident();
    drop(index);
    let without = resident();
    let own = unbounded.saturating_sub(without);
    assert!(own > 8 << 20, "the index takes {own} bytes");

    let bound = without + own / 2;
    let index = Index::open(dir.path(), Options { resident_bytes_max: Some(bound), ..options }).unwrap();
    assert_eq!(read_all(&index), nearest);
    let start = Instant::now();
    // Pages are given back before they are counted.
    while resident() > bound || common::counter(&index, "bytes_paged_out") == 0 {
        assert!(start.elapsed() < PATIENCE, "{} resident, {bound} wanted, {without} without", resident());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(read_all(&index), nearest);
}
