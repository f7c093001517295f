//! Promise: what `append` acknowledged is there after the process was killed at any moment, and a killed append leaves
//! either nothing or itself whole.
//!
//! Method: the test runs itself again as a child that appends batch after batch and prints the number of each batch once
//! it is acknowledged; the hot part is small, so that segments are sealed and merged all the while. The parent kills it with
//! SIGKILL after a while that differs each time, opens what is left, and lets the next child go on from there.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use forebay_index::{Index, Options, Search};

const SEED: u64 = 6;
const BATCH: u64 = 5;
const KILLS: u64 = 12;
const CHILD_DIR: &str = "FOREBAY_TEST_CRASH_DIR";

fn options() -> Options {
    Options { seal_events: 60, hot_events_max: 240, ..common::options() }
}

/// The child: does nothing unless the parent asks.
#[test]
fn child_appends_until_killed() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let index = Index::open(Path::new(&dir), options()).unwrap();
    for batch in index.stats().events / BATCH.. {
        let (from, to) = (batch * BATCH, (batch + 1) * BATCH);
        index.append(&common::events(SEED, from, to), &common::vectors(SEED, from, to)).unwrap();
        println!("acknowledged {batch}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = common::Random(7);
    let (mut batches, mut leftovers, mut replayed, mut sealed) = (0, 0, 0, 0);
    for _ in 0..KILLS {
        let acknowledged = run_and_kill(dir.path(), Duration::from_millis(150 + random.below(500)));
        let index = Index::open(dir.path(), options()).unwrap();
        let stats = index.stats();
        assert!(stats.damaged.is_empty(), "{:?}", stats.damaged);
        assert_eq!(stats.events % BATCH, 0, "a batch is stored whole or not at all");
        let stored = stats.events / BATCH;
        if let Some(last) = acknowledged {
            assert!(stored > last, "batch {last} was acknowledged, {stored} are there");
            assert!(stored <= last + 2, "at most one batch was under way");
        }
        assert!(stored >= batches, "what was there once stays");
        batches = stored;
        for number in 0..stats.events {
            assert!(index.event(common::event(SEED, number).event_id).unwrap().is_some(), "event {number}");
        }
        assert_eq!(index.search(&Search { k: 1, ..Search::default() }).unwrap().matching, stats.events);
        leftovers += common::counter(&index, "leftovers_removed");
        replayed += common::counter(&index, "log_events_replayed");
        sealed += stats.segments.len();
    }
    assert!(batches > KILLS, "the children got somewhere");
    assert!(replayed > 0 && sealed > 0, "the log was read {replayed} times, {sealed} segments were there");
    eprintln!(
        "{batches} batches, {KILLS} kills, {leftovers} half-written segments removed, {replayed} events replayed"
    );
}

/// Runs the child, kills it after `time`, and gives the last batch it said was acknowledged.
fn run_and_kill(dir: &Path, time: Duration) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_appends_until_killed", "--exact", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        let numbers = lines.filter_map(|line| line.rsplit("acknowledged ").next()?.trim().parse().ok());
        numbers.last()
    });
    std::thread::sleep(time);
    child.kill().unwrap(); // SIGKILL on Unix
    child.wait().unwrap();
    reader.join().unwrap()
}
