//! Promise: a segment whose file of cells is of an earlier layout is searched as exactly as before, and gets a new one in the
//! background or by `compact`.
//!
//! Method: a segment of today with the magic of the earlier layout, and the checksum that belongs to it.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::path::{Path, PathBuf};

use forebay_event::EventId;
use forebay_index::{Index, Options, Search};
use fs_err as fs;
use sha2::{Digest as _, Sha256};

const SEED: u64 = 37;
const EVENTS: u64 = 2_000;
const EARLIER: &[u8; 8] = b"FBCELL01";

fn options() -> Options {
    Options { seal_events: EVENTS as usize, engine_from: 1_000, merge_in_background: false, ..common::options() }
}

/// The folder of the only segment.
fn segment(index: &Path) -> PathBuf {
    let mut folders = fs::read_dir(index.join("segments")).unwrap();
    let only = folders.next().unwrap().unwrap().path();
    assert!(folders.next().is_none());
    only
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn make_earlier(segment: &Path) {
    let cells = segment.join("vectors.cells");
    let mut bytes = fs::read(&cells).unwrap();
    let before = sha256(&bytes);
    bytes[..8].copy_from_slice(EARLIER);
    fs::write(&cells, &bytes).unwrap();
    let manifest = segment.join("segment.json");
    let text = fs::read_to_string(&manifest).unwrap();
    // The first line is the checksum of the others.
    let (_, body) = text.split_once('\n').unwrap();
    assert_eq!(body.matches(&before).count(), 1, "{body}");
    let body = body.replace(&before, &sha256(&bytes));
    fs::write(&manifest, format!("{}\n{body}", sha256(body.as_bytes()))).unwrap();
}

fn engines(index: &Index) -> Vec<String> {
    index.stats().segments.iter().map(|segment| segment.engine.clone()).collect()
}

fn nearest(index: &Index) -> Vec<EventId> {
    let search = Search { vector: Some(common::vector(SEED, 7)), k: 50, ..Search::default() };
    index.rank(&search).unwrap().hits.iter().map(|place| place.event_id).collect()
}

#[test]
fn an_engine_of_an_earlier_layout_is_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), options(), SEED, &[EVENTS]);
    index.seal().unwrap();
    let before = nearest(&index);
    assert_eq!(engines(&index), ["cells"]);
    drop(index);

    make_earlier(&segment(dir.path()));
    let index = Index::open(dir.path(), options()).unwrap();
    assert!(index.stats().damaged.is_empty(), "{:?}", index.stats().damaged);
    assert_eq!((index.stats().events, engines(&index)), (EVENTS, vec!["flat".to_owned()]));
    let exact = nearest(&index);
    let same = before.iter().filter(|id| exact.contains(id)).count();
    assert!(same * 100 >= exact.len() * 95, "{same} of {}", exact.len());

    assert_eq!(index.compact().unwrap().merges, 1);
    assert_eq!(engines(&index), ["cells"]);
    assert_eq!(nearest(&index), before);
    drop(index);
    let index = Index::open(dir.path(), options()).unwrap();
    assert_eq!((index.stats().events, nearest(&index)), (EVENTS, before));
}
