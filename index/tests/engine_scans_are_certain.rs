//! Promise: a scan by the engine `cells` gives exactly the rows and scores of comparing everything in floats, to the last
//! bit, whatever the vectors, the filter and k; and says that it is certain.
//!
//! Method: sets of four shapes (near-duplicates, zeros, short and opposite vectors among them) of random size and
//! dimension, each asked under eight filters, against the engine `flat`.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;
#[path = "common/vectors.rs"]
mod vectors;

use common::{Random, cosine};
use forebay_index::engine::{Effort, EngineKind, VectorIndex};
use proptest::prelude::*;
use vectors::{SHAPES, filters, question};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_scan_is_exact(
        shape in prop::sample::select(SHAPES.to_vec()),
        rows in 20usize..3_000,
        dimension in 1usize..150,
        seed: u64,
        k in prop::sample::select(vec![1usize, 3, 10, 100, 5_000]),
    ) {
        let numbers = vectors::vectors(shape, rows, dimension, seed);
        let (cells_dir, flat_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let build = |dir: &std::path::Path, kind| {
            VectorIndex::write(dir, dimension, rows, std::iter::once(numbers.as_slice())).unwrap();
            VectorIndex::build(dir, &kind, 2).unwrap()
        };
        let cells = build(cells_dir.path(), EngineKind::Cells);
        let flat = build(flat_dir.path(), EngineKind::Flat);
        let mut random = Random(seed ^ 1);
        for _ in 0..4 {
            let query = question(&numbers, dimension, &mut random);
            for (name, allowed) in filters(&numbers, dimension, &query, &mut random) {
                let (a, b) = (
                    cells.search(&query, k, &allowed, Effort::Scan).unwrap(),
                    flat.search(&query, k, &allowed, Effort::Scan).unwrap(),
                );
                prop_assert!(a.certain && b.certain);
                prop_assert_eq!(b.rows.len() as u64, allowed.len().min(k as u64));
                let bits = |rows: &[(u32, f32)]| rows.iter().map(|(row, score)| (*row, score.to_bits())).collect::<Vec<_>>();
                prop_assert_eq!(bits(&a.rows), bits(&b.rows), "{} {:?} {}", name, shape, k);
                for (row, score) in &b.rows {
                    let vector = &numbers[*row as usize * dimension..][..dimension];
                    prop_assert!((f64::from(*score) - cosine(&query, vector)).abs() < 1e-5);
                }
            }
        }
    }
}
