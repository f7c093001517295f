//! Promise: damage to any file of a segment is noticed before anything reads it; the segment is set aside and named, and
//! the rest serves. A lost manifest is made anew.
//!
//! Method: an index of three segments; each file of the middle one is in turn changed in one byte (start, middle, end),
//! cut, emptied and deleted, in a fresh copy each time.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::path::{Path, PathBuf};

use forebay_index::{Index, IndexError, Options, Search};

const SEED: u64 = 4;
const ENDS: [u64; 3] = [100, 180, 300];

/// With a graph in every segment, so that its file is among those damaged.
fn options() -> Options {
    Options { engine_from: 50, seal_events: 1, merge_in_background: false, ..common::options() }
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs_err::copy(entry.path(), to).unwrap();
        }
    }
}

/// The files of a folder and those below it, relative to it.
fn files(dir: &Path, below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(dir.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            files(dir, &path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn a_damaged_segment_is_named_and_the_rest_serves() {
    let tried = damage_files(options(), |_| true);
    assert!(tried >= 10, "{tried} files");
}

#[cfg(feature = "hnsw")]
#[test]
fn a_damaged_file_of_links_is_named_and_the_rest_serves() {
    let options = Options { engine: "hnsw@m=4,efc=16,ef=16".parse().unwrap(), ..options() };
    assert_eq!(damage_files(options, |path| path.ends_with("vectors.hnsw")), 1);
}

/// Damages the files of a segment, one after the other; gives how many.
fn damage_files(options: Options, which: impl Fn(&Path) -> bool) -> usize {
    let original = tempfile::tempdir().unwrap();
    drop(common::index(original.path(), options, SEED, &ENDS));
    let segment = "segment-0000000001";
    let mut paths = Vec::new();
    files(&original.path().join("segments").join(segment), Path::new(""), &mut paths);
    paths.retain(|path| path.extension().is_none_or(|extension| extension != "lock") && which(path));
    let mut tried = 0;
    for path in &paths {
        let good = fs_err::read(original.path().join("segments").join(segment).join(path)).unwrap();
        for damage in damages(&good) {
            let copied = tempfile::tempdir().unwrap();
            copy(original.path(), copied.path());
            let target = copied.path().join("segments").join(segment).join(path);
            match damage {
                Some(bytes) => fs_err::write(&target, bytes).unwrap(),
                None => fs_err::remove_file(&target).unwrap(),
            }
            check_rest_serves(copied.path(), segment, path);
            tried += 1;
        }
    }
    eprintln!("{tried} ways of damage over {} files", paths.len());
    paths.len()
}

/// The ways to damage a file: one changed byte in three places, cut, emptied, deleted.
fn damages(good: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut damages = vec![None];
    if !good.is_empty() {
        for place in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.to_vec();
            bad[place] ^= 0x40;
            damages.push(Some(bad));
        }
        damages.push(Some(good[..good.len() - 1].to_vec()));
        damages.push(Some(Vec::new()));
    }
    damages
}

fn check_rest_serves(dir: &Path, segment: &str, path: &Path) {
    for opening in 0..2 {
        let index = Index::open(dir, options()).unwrap();
        let stats = index.stats();
        assert_eq!(stats.damaged.len(), 1, "{}", path.display());
        assert_eq!((stats.damaged[0].name.as_str(), stats.damaged[0].events), (segment, 80));
        if opening == 0 {
            let file = path.file_name().unwrap().to_str().unwrap();
            assert!(stats.damaged[0].reason.contains(file), "{} does not name {file}", stats.damaged[0].reason);
        }
        assert!(dir.join(stats.damaged[0].aside.as_ref().unwrap()).is_dir());
        let search = Search { vector: Some(common::vector(9, 9)), k: 1_000, ..Search::default() };
        assert_eq!(index.search(&search).unwrap().hits.len(), 220);
        let (lost, kept) = (common::event(SEED, 120).event_id, common::event(SEED, 20).event_id);
        assert!(index.event(lost).unwrap().is_none() && index.event(kept).unwrap().is_some());
        if opening == 1 {
            // What was lost can be stored again.
            let added = index.append(&common::events(SEED, 0, 300), &common::vectors(SEED, 0, 300)).unwrap();
            assert_eq!((added.added, added.duplicates), (80, 220));
        }
    }
}

#[test]
fn a_deleted_segment_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(common::index(dir.path(), options(), SEED, &ENDS));
    fs_err::remove_dir_all(dir.path().join("segments/segment-0000000002")).unwrap();
    let index = Index::open(dir.path(), options()).unwrap();
    let stats = index.stats();
    assert_eq!((stats.events, stats.damaged[0].name.as_str()), (180, "segment-0000000002"));
    assert_eq!(stats.damaged[0].aside, None);
}

#[test]
fn a_lost_manifest_is_made_anew_from_the_segments() {
    for change in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let index = common::index(dir.path(), options(), SEED, &(1..=9).map(|i| i * 60).collect::<Vec<_>>());
        index.compact().unwrap();
        drop(index);
        let manifest = dir.path().join("index.json");
        match change {
            0 => fs_err::remove_file(&manifest).unwrap(),
            1 => fs_err::write(&manifest, b"{}").unwrap(),
            _ => {
                fs_err::remove_file(&manifest).unwrap();
                let vectors = dir.path().join("segments/segment-0000000008/vectors.f32");
                let mut bytes = fs_err::read(&vectors).unwrap();
                bytes[1_000] ^= 1;
                fs_err::write(&vectors, bytes).unwrap();
            }
        }
        let index = Index::open(dir.path(), options()).unwrap();
        let stats = index.stats();
        let lost = if change == 2 { 60 } else { 0 };
        assert_eq!((stats.events, stats.damaged.len() as u64), (540 - lost, lost / 60));
        // Numbers go on after those in use.
        index.append(&common::events(SEED, 600, 610), &common::vectors(SEED, 600, 610)).unwrap();
        drop(index);
        assert_eq!(Index::open(dir.path(), options()).unwrap().stats().events, 550 - lost);
    }
}

#[test]
fn an_index_of_another_space_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    drop(common::index(dir.path(), options(), SEED, &ENDS));
    for other in [Options::new(common::DIMENSION, "other-v1"), Options::new(common::DIMENSION + 1, common::SPACE)] {
        let error = Index::open(dir.path(), other.clone()).err().unwrap();
        assert!(matches!(error, IndexError::OtherSpace { .. }), "{error}");
        assert!(error.to_string().contains(common::SPACE), "{error}");
        fs_err::remove_file(dir.path().join("index.json")).unwrap();
        assert!(matches!(Index::open(dir.path(), other), Err(IndexError::OtherSpace { .. })));
        drop(Index::open(dir.path(), options()).unwrap());
    }
    assert_eq!(Index::open(dir.path(), options()).unwrap().stats().events, 300);
}
