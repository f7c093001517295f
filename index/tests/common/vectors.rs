//! Vectors for the tests of engines: clustered, repeated, and made to be awkward.
#![allow(dead_code, unreachable_pub)] // each test file uses a part of it

use forebay_index::Bitmap;

use super::Random;

/// What a set of vectors is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Directions with noise of several widths.
    Clustered,
    /// Many near-duplicates of few, and exact ones.
    Duplicates,
    /// No clusters.
    Spread,
    /// Zeros, vectors shorter than 1, opposite ones, single axes, and one that repeats.
    Awkward,
}

pub const SHAPES: [Shape; 4] = [Shape::Clustered, Shape::Duplicates, Shape::Spread, Shape::Awkward];

/// `rows` vectors, row after row.
pub fn vectors(shape: Shape, rows: usize, dimension: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    (0..rows).flat_map(|row| vector(shape, row, rows, dimension, &mut random)).collect()
}

fn vector(shape: Shape, row: usize, rows: usize, dimension: usize, random: &mut Random) -> Vec<f32> {
    match shape {
        Shape::Clustered => {
            let cluster = random.below(rows as u64 / 50 + 1);
            let width = 0.1 + 0.5 * random.signed().abs();
            near(cluster, width, dimension, random)
        }
        Shape::Duplicates => {
            let cluster = random.below(5);
            let width = if random.below(3) == 0 { 0.0 } else { 0.01 };
            near(cluster, width, dimension, random)
        }
        Shape::Spread => unit(&(0..dimension).map(|_| random.signed()).collect::<Vec<f32>>()),
        Shape::Awkward => awkward(row, dimension, random),
    }
}

fn near(cluster: u64, width: f32, dimension: usize, random: &mut Random) -> Vec<f32> {
    let mut direction = Random(cluster.wrapping_mul(7919) + 11);
    unit(&(0..dimension).map(|_| direction.signed() + width * random.signed()).collect::<Vec<f32>>())
}

fn awkward(row: usize, dimension: usize, random: &mut Random) -> Vec<f32> {
    let mut axis = vec![0.0; dimension];
    axis[row % dimension] = 1.0;
    let mut direction = Random(5);
    let fixed = unit(&(0..dimension).map(|_| direction.signed()).collect::<Vec<f32>>());
    match random.below(6) {
        0 => vec![0.0; dimension],
        1 => axis,
        2 => axis.iter().map(|x| -x).collect(),
        3 => fixed,
        4 => fixed.iter().map(|x| -x * 0.5).collect(),
        _ => unit(&(0..dimension).map(|_| random.signed()).collect::<Vec<f32>>()).iter().map(|x| x * 1.005).collect(),
    }
}

/// The same direction with length 1.
pub fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter().map(|x| x / length).collect()
}

/// A vector of the set, half-way between two, or a direction that has nothing to do with it.
pub fn question(numbers: &[f32], dimension: usize, random: &mut Random) -> Vec<f32> {
    let rows = numbers.len() / dimension;
    let a = &numbers[random.below(rows as u64) as usize * dimension..][..dimension];
    let b = &numbers[random.below(rows as u64) as usize * dimension..][..dimension];
    let wanted: Vec<f32> = match random.below(4) {
        0 => a.to_vec(),
        1 => a.iter().zip(b).map(|(a, b)| a + b).collect(),
        2 => a.iter().map(|x| x + 0.3 * random.signed() / (dimension as f32).sqrt()).collect(),
        _ => (0..dimension).map(|_| random.signed()).collect(),
    };
    unit(&wanted)
}

/// Filters that keep all, half, a tenth, a hundredth, one row, none; and those nearest to and farthest from `question`.
pub fn filters(
    numbers: &[f32],
    dimension: usize,
    question: &[f32],
    random: &mut Random,
) -> Vec<(&'static str, Bitmap)> {
    let rows = numbers.len() / dimension;
    let cosine = |row: usize| -> f64 { crate::common::cosine(question, &numbers[row * dimension..][..dimension]) };
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|a, b| cosine(*b).total_cmp(&cosine(*a)));
    let of = |chosen: &mut dyn Iterator<Item = usize>| {
        let mut set = Bitmap::none(rows as u32);
        chosen.for_each(|row| set.insert(row as u32));
        set
    };
    let mut share = |one_in: u64| of(&mut (0..rows).filter(|_| random.below(one_in) == 0));
    vec![
        ("all", Bitmap::all(rows as u32)),
        ("half", share(2)),
        ("tenth", share(10)),
        ("hundredth", share(100)),
        ("one", of(&mut std::iter::once(rows / 3))),
        ("none", Bitmap::none(rows as u32)),
        ("nearest", of(&mut order[..rows / 10].iter().copied())),
        ("farthest", of(&mut order[rows - rows / 10..].iter().copied())),
    ]
}
