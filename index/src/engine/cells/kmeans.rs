//! Centres of cells: spherical k-means on a sample, in bytes.
//!
//! A centre is what its codes say: every later bound is taken from the codes, so what rounding does to a centre costs
//! nothing but a little of its fit. All centres share one scale, so the nearest centre is the greatest whole number.

use super::super::kernel::{GROUP, Kernel, pack};
use super::super::quantise::{signed, stride};

/// Rounds of assigning and averaging. Later rounds change few assignments.
const ROUNDS: usize = 6;

/// Questions compared with a group of centres at once.
const TILE: usize = 4;

/// Groups of centres that stay in the processor's cache while many rows are compared with them.
const GROUPS_BLOCK: usize = 64;

/// Rows compared with a block of groups before the next block.
const ROWS_BLOCK: usize = 128;

/// Greatest number of a code.
const CODE_MAX: f32 = 127.0;

/// Rows of signed codes, `stride` numbers each.
pub(super) struct SignedRows {
    pub(super) numbers: Vec<i8>,
    pub(super) stride: usize,
}

/// Where rows to be assigned come from: writes the signed codes of a row.
pub(super) trait Rows: Sync {
    fn write(&self, row: usize, codes: &mut [i8]);
}

/// Centres in codes.
pub(super) struct Centres {
    /// Row by row, `stride` bytes each.
    pub(super) codes: Vec<u8>,
    /// The same, packed in groups.
    pub(super) packed: Vec<u8>,
    pub(super) stride: usize,
}

impl SignedRows {
    fn rows(&self) -> usize {
        self.numbers.len() / self.stride
    }

    fn row(&self, row: usize) -> &[i8] {
        &self.numbers[row * self.stride..][..self.stride]
    }
}

impl Rows for SignedRows {
    fn write(&self, row: usize, codes: &mut [i8]) {
        codes.copy_from_slice(self.row(row));
    }
}

impl Centres {
    fn new(codes: Vec<u8>, stride: usize) -> Self {
        // A centre that fills up the last group is all zeros, and so below any centre that a row is near to.
        let packed = pack(&codes, stride, 128);
        Self { codes, packed, stride }
    }

    /// The codes of one.
    pub(super) fn of(&self, centre: usize) -> &[u8] {
        &self.codes[centre * self.stride..][..self.stride]
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.codes.len() / self.stride
    }

    /// The nearest centre of the rows from `first` on, written to `nearest`; `threads` share the work.
    pub(super) fn assign(&self, rows: &impl Rows, first: usize, nearest: &mut [u32], threads: usize) {
        let part = nearest.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            for (place, nearest) in nearest.chunks_mut(part).enumerate() {
                scope.spawn(move || self.assign_part(rows, first + place * part, nearest));
            }
        });
    }

    fn assign_part(&self, rows: &impl Rows, first: usize, nearest: &mut [u32]) {
        let mut codes = vec![0i8; ROWS_BLOCK * self.stride];
        for (block, nearest) in nearest.chunks_mut(ROWS_BLOCK).enumerate() {
            for (i, codes) in codes.chunks_exact_mut(self.stride).take(nearest.len()).enumerate() {
                rows.write(first + block * ROWS_BLOCK + i, codes);
            }
            self.assign_block(&codes, nearest);
        }
    }

    fn assign_block(&self, codes: &[i8], nearest: &mut [u32]) {
        // The last tile repeats the last row; what comes of the repetition is the same.
        let last = nearest.len() - 1;
        let mut best = [i32::MIN; ROWS_BLOCK];
        for (block, groups) in self.packed.chunks(GROUPS_BLOCK * GROUP * self.stride).enumerate() {
            for (tile, best) in best[..nearest.len().next_multiple_of(TILE)].chunks_exact_mut(TILE).enumerate() {
                let rows: [usize; TILE] = std::array::from_fn(|i| (tile * TILE + i).min(last));
                let queries = rows.map(|row| &codes[row * self.stride..][..self.stride]);
                for (group, bytes) in groups.chunks_exact(GROUP * self.stride).enumerate() {
                    let first = (block * GROUPS_BLOCK + group) * GROUP;
                    self.compare(queries, bytes, first, best, |i, centre| nearest[rows[i]] = centre);
                }
            }
        }
    }

    /// Compares a tile with a group whose first centre is `first`, and notes what is better than the best so far.
    #[inline]
    fn compare(
        &self,
        queries: [&[i8]; TILE],
        group: &[u8],
        first: usize,
        best: &mut [i32],
        mut note: impl FnMut(usize, u32),
    ) {
        let mut dots = [[0; GROUP]; TILE];
        Kernel::best().packed_dots(queries, group, &mut dots);
        for (i, dots) in dots.iter_mut().enumerate() {
            let greatest = dots.iter().fold(i32::MIN, |greatest, dot| greatest.max(*dot));
            if greatest > best[i]
                && let Some(place) = dots.iter().position(|dot| *dot == greatest)
                && first + place < self.len()
            {
                best[i] = greatest;
                note(i, (first + place) as u32);
            }
        }
    }
}

/// Finds `count` centres of `sample`, whose rows have `dimension` numbers that count.
pub(super) fn train(sample: &SignedRows, dimension: usize, count: usize, threads: usize) -> Centres {
    debug_assert_eq!(sample.stride, stride(dimension));
    let mut nearest = vec![0u32; sample.rows()];
    let mut sums = vec![0.0f32; count * dimension];
    // Rows evenly spread over the sample, which is in no order that matters.
    for cell in 0..count {
        add(&mut sums[cell * dimension..][..dimension], sample.row(cell * sample.rows() / count));
    }
    let mut centres = encode_all(&sums, dimension);
    for _ in 0..ROUNDS {
        centres.assign(sample, 0, &mut nearest, threads);
        average(sample, &nearest, &mut sums, dimension);
        centres = encode_all(&sums, dimension);
    }
    centres
}

/// The sum of the rows of each cell; an empty cell gets a row of the largest ones.
fn average(sample: &SignedRows, nearest: &[u32], sums: &mut [f32], dimension: usize) {
    let cells = sums.len() / dimension;
    let mut members = vec![0u32; cells];
    sums.fill(0.0);
    for (row, cell) in nearest.iter().enumerate() {
        members[*cell as usize] += 1;
        add(&mut sums[*cell as usize * dimension..][..dimension], sample.row(row));
    }
    let mut by_size: Vec<usize> = (0..cells).collect();
    by_size.sort_unstable_by_key(|cell| std::cmp::Reverse(members[*cell]));
    let empty = by_size.iter().rev().take_while(|cell| members[**cell] == 0).copied().collect::<Vec<_>>();
    if empty.is_empty() {
        return;
    }
    // A different row of a large cell for each empty one; where rows repeat, cells stay empty, which is harmless.
    let mut donors: std::collections::HashMap<u32, usize> =
        by_size.iter().zip(&empty).map(|(large, empty)| (*large as u32, *empty)).collect();
    for (row, cell) in nearest.iter().enumerate().rev() {
        if donors.is_empty() {
            break;
        }
        if let Some(empty) = donors.remove(cell) {
            add(&mut sums[empty * dimension..][..dimension], sample.row(row));
        }
    }
}

fn add(sum: &mut [f32], row: &[i8]) {
    for (sum, number) in sum.iter_mut().zip(row) {
        *sum += f32::from(*number);
    }
}

/// The directions of `sums`, in codes of one scale.
fn encode_all(sums: &[f32], dimension: usize) -> Centres {
    let stride = stride(dimension);
    let directions: Vec<f32> = sums.chunks_exact(dimension).flat_map(unit).collect();
    let greatest = directions.iter().fold(f32::MIN_POSITIVE, |greatest, number| greatest.max(number.abs()));
    let steps = CODE_MAX / greatest;
    let mut codes = vec![128u8; sums.len() / dimension * stride];
    for (direction, codes) in directions.chunks_exact(dimension).zip(codes.chunks_exact_mut(stride)) {
        for (number, code) in direction.iter().zip(codes) {
            *code = ((number * steps).round() as i32 + 128) as u8;
        }
    }
    Centres::new(codes, stride)
}

/// At length 1; zeros where there is no direction.
fn unit(sum: &[f32]) -> impl Iterator<Item = f32> + '_ {
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    sum.iter().map(move |x| x * factor)
}

/// The direction of a centre as numbers, and what turns a product with its codes into one with that direction.
pub(super) fn direction(codes: &[u8], dimension: usize) -> (Vec<f32>, f32) {
    let mut numbers = vec![0i8; codes.len()];
    signed(codes, &mut numbers);
    let length = numbers.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    (numbers[..dimension].iter().map(|x| (f64::from(*x) * factor) as f32).collect(), factor as f32)
}
