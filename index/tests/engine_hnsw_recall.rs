//! Promise: the engine `hnsw` with its default settings finds at least 0.95 of the best rows, walking its links, also under
//! a filter that lets half pass; where a walk would cost more than a scan, and where the graph has not proved itself, the
//! answer is a scan's.
//!
//! Method: 10,000 clustered vectors of 64 numbers, and 3,000 near-duplicates of five, asked as in `engine_recall`; an answer
//! that a scan gave says that it is certain.
#![cfg(feature = "hnsw")]
#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;
#[path = "common/vectors.rs"]
mod vectors;

use common::Random;
use forebay_index::Bitmap;
use forebay_index::engine::{Effort, VectorIndex};
use vectors::{Shape, filters, question};

const DIMENSION: usize = 64;
const QUERIES: usize = 24;
const RECALL: f64 = 0.95;

/// What came of questions under one filter.
#[derive(Default)]
struct Tally {
    same: usize,
    wanted: usize,
    by_walk: usize,
    compared: u64,
}

fn check(shape: Shape, rows: usize, walked: &[(&str, usize)]) {
    let numbers = vectors::vectors(shape, rows, DIMENSION, 31);
    let dir = tempfile::tempdir().unwrap();
    VectorIndex::write(dir.path(), DIMENSION, rows, std::iter::once(numbers.as_slice())).unwrap();
    let began = std::time::Instant::now();
    let index = VectorIndex::build(dir.path(), &"hnsw".parse().unwrap(), 2).unwrap();
    eprintln!("{shape:?}: {}, built in {:.1?}", index.describe(), began.elapsed());
    for k in [1, 10, 100] {
        let mut random = Random(8);
        let mut tallies: Vec<(&str, Tally)> = Vec::new();
        for _ in 0..QUERIES {
            let query = question(&numbers, DIMENSION, &mut random);
            for (place, (name, allowed)) in filters(&numbers, DIMENSION, &query, &mut random).into_iter().enumerate() {
                if tallies.len() <= place {
                    tallies.push((name, Tally::default()));
                }
                ask(&index, &query, k, &allowed, &mut tallies[place].1);
            }
        }
        for (name, Tally { same, wanted, by_walk, compared }) in tallies {
            let recall = same as f64 / wanted.max(1) as f64;
            eprintln!(
                "{shape:?} k {k} {name}: recall {recall:.4}, {by_walk} of {QUERIES} walked, {} rows compared",
                compared / QUERIES as u64
            );
            assert!(wanted == 0 || recall >= RECALL, "{shape:?} k {k} {name}: recall {recall}");
            if let Some((_, expected)) = walked.iter().find(|(filter, _)| *filter == name) {
                assert_eq!(by_walk, *expected, "{shape:?} k {k} {name}: walked, the rest scanned");
            }
        }
    }
}

fn ask(index: &VectorIndex, query: &[f32], k: usize, allowed: &Bitmap, tally: &mut Tally) {
    let exact = index.search(query, k, allowed, Effort::Scan).unwrap();
    let found = index.search(query, k, allowed, Effort::Index).unwrap();
    assert_eq!(found.rows.len(), exact.rows.len());
    let least = exact.rows.last().map_or(0.0, |row| row.1);
    tally.same += found.rows.iter().filter(|row| row.1 >= least).count();
    tally.wanted += exact.rows.len();
    tally.by_walk += usize::from(!found.certain);
    tally.compared += found.compared;
}

#[test]
fn clustered_vectors() {
    check(Shape::Clustered, 10_000, &[("all", QUERIES), ("half", QUERIES), ("hundredth", 0)]);
}

#[test]
fn near_duplicates() {
    check(Shape::Duplicates, 3_000, &[("all", 0), ("half", 0), ("nearest", 0)]);
}
