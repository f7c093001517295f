//! Promise: every engine gives exactly min(k, allowed) rows, allowed ones, none twice, with exact scores, the best first,
//! the same after it is opened again; with enough effort nearly the best there are.
//!
//! Method: one set of 3,000 clustered vectors, every engine of this build, eight filters and several k.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;
#[path = "common/vectors.rs"]
mod vectors;

use std::collections::HashSet;

use common::{Random, cosine};
use forebay_index::engine::{Effort, EngineKind, VectorIndex};
use vectors::{Shape, filters, question};

const ROWS: usize = 3_000;
const DIMENSION: usize = 32;
const QUERIES: usize = 8;

fn engines() -> Vec<&'static str> {
    let mut engines = vec!["cells", "flat"];
    if cfg!(feature = "faiss") {
        engines.extend([
            "faiss:Flat",
            "faiss:HNSW32@ef=256",
            "faiss:IVF32,SQ8@nprobe=16",
            "faiss:IVF32,PQ16x4fs,RFlat@nprobe=16",
            "faiss:IVF32,PQ16x4fs,Refine(SQ8)@nprobe=16,factor=4",
            "faiss:PCA24,IVF32,SQ8@nprobe=16",
        ]);
    }
    if cfg!(feature = "hnsw") {
        engines.extend(["hnsw", "hnsw@m=8,efc=64,ef=200"]);
    }
    engines
}

#[test]
fn every_engine_keeps_the_promises_of_the_trait() {
    let numbers = vectors::vectors(Shape::Clustered, ROWS, DIMENSION, 5);
    let dir = tempfile::tempdir().unwrap();
    VectorIndex::write(dir.path(), DIMENSION, ROWS, numbers.chunks(DIMENSION * 1_000)).unwrap();
    for name in engines() {
        let built = VectorIndex::build(dir.path(), &name.parse().unwrap(), 1).unwrap();
        let opened = VectorIndex::open(dir.path()).unwrap();
        let mut random = Random(77);
        let (mut same, mut wanted) = (0, 0);
        for _ in 0..QUERIES {
            let query = question(&numbers, DIMENSION, &mut random);
            for (filter, allowed) in filters(&numbers, DIMENSION, &query, &mut random) {
                for k in [1, 10, 100] {
                    let exact = built.search(&query, k, &allowed, Effort::Scan).unwrap();
                    for effort in [Effort::Index, Effort::Planned, Effort::Scan] {
                        let answer = opened.search(&query, k, &allowed, effort).unwrap();
                        let rows: HashSet<u32> = answer.rows.iter().map(|row| row.0).collect();
                        assert_eq!(rows.len() as u64, allowed.len().min(k as u64), "{name} {filter} {k} {effort:?}");
                        assert_eq!(rows.len(), answer.rows.len(), "{name}: a row twice");
                        assert!(answer.rows.iter().all(|(row, _)| allowed.contains(*row)), "{name} {filter}");
                        assert!(answer.rows.is_sorted_by(|a, b| a.1 >= b.1));
                        for (row, score) in &answer.rows {
                            let vector = &numbers[*row as usize * DIMENSION..][..DIMENSION];
                            assert!((f64::from(*score) - cosine(&query, vector)).abs() < 1e-5, "{name}");
                        }
                        assert!(effort != Effort::Scan || answer.rows == exact.rows, "{name}");
                    }
                    let planned = opened.search(&query, k, &allowed, Effort::Planned).unwrap();
                    assert_eq!(
                        planned.rows,
                        built.search(&query, k, &allowed, Effort::Planned).unwrap().rows,
                        "{name}"
                    );
                    let least = exact.rows.last().map_or(0.0, |row| row.1);
                    same += planned.rows.iter().filter(|row| row.1 >= least).count();
                    wanted += exact.rows.len();
                }
            }
        }
        let recall = same as f64 / wanted as f64;
        eprintln!("{name}: recall {recall:.4} as planned");
        assert!(recall >= 0.95, "{name}: recall {recall}");
    }
}

#[test]
fn an_engine_that_is_not_there_or_unfit_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let numbers = vectors::vectors(Shape::Clustered, 500, DIMENSION, 5);
    VectorIndex::write(dir.path(), DIMENSION, 500, std::iter::once(numbers.as_slice())).unwrap();
    let refused = |name: &str| {
        let kind: Result<EngineKind, _> = name.parse();
        kind.and_then(|kind| VectorIndex::build(dir.path(), &kind, 1).map(|_| ())).unwrap_err().to_string()
    };
    assert!(refused("fast").contains("cells"));
    for name in ["faiss:NSG16", "faiss:LSH", "faiss:PQ24x4fs", "faiss:nonsense", "faiss:HNSW32@speed=1"] {
        assert!(!refused(name).is_empty(), "{name}");
    }
    assert!(refused("hnsw@m=1").contains("m (4 to 128)"));
    for (name, is_there) in [("faiss:HNSW32", cfg!(feature = "faiss")), ("hnsw", cfg!(feature = "hnsw"))] {
        if !is_there {
            let reason = refused(name);
            assert!(reason.contains("not in this build") && reason.contains("feature `"), "{reason}");
        }
    }
}
