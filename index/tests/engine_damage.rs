//! Promise: a damaged file of cells or of links is refused, or gives wrong rows at worst: no panic, no read outside the file.
//!
//! Method: bytes changed and ends cut off at random places of a small file, its header and small sections above all; what
//! still opens is searched in every way.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;
#[path = "common/vectors.rs"]
mod vectors;

use common::Random;
use forebay_index::Bitmap;
use forebay_index::engine::{Effort, VectorIndex};
use vectors::{Shape, question};

const ROWS: usize = 700;
const DIMENSION: usize = 20;
const CASES: usize = 600;

/// Bytes of the header, where a change means most.
const HEADER: u64 = 128;

#[test]
fn damaged_cells_never_panic() {
    check("cells", "vectors.cells");
}

#[cfg(feature = "hnsw")]
#[test]
fn damaged_links_never_panic() {
    check("hnsw@m=8,efc=32,ef=32", "vectors.hnsw");
}

fn check(engine: &str, file: &str) {
    let numbers = vectors::vectors(Shape::Clustered, ROWS, DIMENSION, 3);
    let dir = tempfile::tempdir().unwrap();
    VectorIndex::write(dir.path(), DIMENSION, ROWS, std::iter::once(numbers.as_slice())).unwrap();
    drop(VectorIndex::build(dir.path(), &engine.parse().unwrap(), 1).unwrap());
    let path = dir.path().join(file);
    let whole = fs_err::read(&path).unwrap();
    let mut random = Random(1);
    let (mut refused, mut opened) = (0, 0);
    for case in 0..CASES {
        let mut bytes = whole.clone();
        match case % 4 {
            0 => bytes.truncate(random.below(whole.len() as u64) as usize),
            1 => bytes[random.below(HEADER) as usize] ^= 1 << random.below(8),
            2 => {
                // The sections behind the codes: row numbers, places, starts, bounds.
                let from = whole.len() as u64 / 2;
                let at = (from + random.below(whole.len() as u64 - from)) as usize;
                bytes[at] = random.below(256) as u8;
            }
            _ => (0..50).for_each(|_| bytes[random.below(whole.len() as u64) as usize] = random.below(256) as u8),
        }
        fs_err::write(&path, &bytes).unwrap();
        let Ok(index) = VectorIndex::open(dir.path()) else {
            refused += 1;
            continue;
        };
        opened += 1;
        let mut few = Bitmap::none(ROWS as u32);
        (0..ROWS as u32).step_by(37).for_each(|row| few.insert(row));
        for allowed in [Bitmap::all(ROWS as u32), few] {
            let query = question(&numbers, DIMENSION, &mut random);
            for effort in [Effort::Index, Effort::Scan, Effort::Planned] {
                for k in [1, 50] {
                    let answer = index.search(&query, k, &allowed, effort).unwrap();
                    assert!(answer.rows.iter().all(|(row, _)| allowed.contains(*row)));
                }
            }
        }
    }
    assert!(refused > CASES / 8 && opened > CASES / 8, "{refused} refused, {opened} opened");
}
