//! Promise: a search through cells finds at least 0.99 of the best rows on average, under any filter, also for questions
//! that lie off the vectors.
//!
//! Method: 20,000 vectors of 64 numbers, clustered and nearly repeated, asked with vectors, means of two, noisy ones and
//! directions of no cluster, under random filters and such that keep the nearest or the farthest rows; the index is asked
//! also where the planner would scan.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;
#[path = "common/vectors.rs"]
mod vectors;

use common::Random;
use forebay_index::engine::{Effort, EngineKind, VectorIndex};
use vectors::{Shape, filters, question};

const ROWS: usize = 20_000;
const DIMENSION: usize = 64;
/// Enough that one question more or less without its best row does not decide.
const QUERIES: usize = 200;

fn check(shape: Shape) {
    let numbers = vectors::vectors(shape, ROWS, DIMENSION, 31);
    let dir = tempfile::tempdir().unwrap();
    VectorIndex::write(dir.path(), DIMENSION, ROWS, std::iter::once(numbers.as_slice())).unwrap();
    let index = VectorIndex::build(dir.path(), &EngineKind::Cells, 2).unwrap();
    eprintln!("{shape:?}: {}", index.describe());
    for k in [1, 10, 100] {
        let mut random = Random(8);
        let mut by_filter: Vec<(&str, usize, usize, u64)> = Vec::new();
        for _ in 0..QUERIES {
            let query = question(&numbers, DIMENSION, &mut random);
            for (place, (name, allowed)) in filters(&numbers, DIMENSION, &query, &mut random).into_iter().enumerate() {
                let exact = index.search(&query, k, &allowed, Effort::Scan).unwrap();
                let found = index.search(&query, k, &allowed, Effort::Index).unwrap();
                assert_eq!(found.rows.len(), exact.rows.len());
                if by_filter.len() <= place {
                    by_filter.push((name, 0, 0, 0));
                }
                let least = exact.rows.last().map_or(0.0, |row| row.1);
                by_filter[place].1 += found.rows.iter().filter(|row| row.1 >= least).count();
                by_filter[place].2 += exact.rows.len();
                by_filter[place].3 += found.compared;
            }
        }
        for (name, same, wanted, compared) in by_filter {
            let recall = same as f64 / wanted.max(1) as f64;
            eprintln!("{shape:?} k {k} {name}: recall {recall:.4}, {} rows compared", compared / QUERIES as u64);
            assert!(wanted == 0 || recall >= 0.99, "{shape:?} k {k} {name}: recall {recall}");
        }
    }
}

#[test]
fn clustered_vectors() {
    check(Shape::Clustered);
}

#[test]
fn near_duplicates() {
    check(Shape::Duplicates);
}
