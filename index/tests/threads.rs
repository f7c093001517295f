//! Promise: searches run side by side, and beside appends and merges; each sees whole batches only.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::sync::atomic::{AtomicBool, Ordering};

use forebay_index::{Index, Search};

const SEED: u64 = 9;
const BATCH: u64 = 20;
const BATCHES: u64 = 25;

#[test]
fn readers_see_whole_batches_while_a_writer_works() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), common::options()).unwrap();
    let done = AtomicBool::new(false);
    let searches = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                let (index, done) = (&index, &done);
                scope.spawn(move || {
                    let (mut searches, mut before) = (0u64, 0);
                    while !done.load(Ordering::Relaxed) {
                        let vector = Some(common::vector(reader, searches));
                        let search = Search { vector, words: "ssh".to_owned(), k: 50, ..Search::default() };
                        let found = index.search(&search).unwrap();
                        assert_eq!(found.matching % BATCH, 0);
                        assert!(found.matching >= before, "what was found once is found again");
                        assert_eq!(found.hits.len() as u64, found.matching.min(50));
                        before = found.matching;
                        searches += 1;
                    }
                    searches
                })
            })
            .collect();
        for batch in 0..BATCHES {
            let (from, to) = (batch * BATCH, (batch + 1) * BATCH);
            index.append(&common::events(SEED, from, to), &common::vectors(SEED, from, to)).unwrap();
            // What was appended is found by the next search.
            assert_eq!(index.search(&Search::default()).unwrap().matching, to);
        }
        done.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u64>()
    });
    assert!(searches > 0);
    eprintln!("{searches} searches beside {BATCHES} appends");
}
