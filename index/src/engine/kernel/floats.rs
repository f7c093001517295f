//! Inner products of 32-bit floats, the same to the last bit on every path.
#![allow(unsafe_code)]
#![allow(
    clippy::inline_always,
    reason = "inlined into functions with other target features, each is compiled for them"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, _MM_HINT_T0, _mm_prefetch, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::Kernel;

/// Running sums: two registers of 512 bits, enough to hide the latency of one addition behind the next row's.
const LANES: usize = 32;

/// Rows ahead of the one being read whose first bytes are asked for.
#[cfg(target_arch = "x86_64")]
const ROWS_AHEAD: usize = 2;

/// Cache lines asked for of such a row; the processor's own prefetcher follows from there.
#[cfg(target_arch = "x86_64")]
const LINES_AHEAD: usize = 4;

/// Numbers in a cache line.
#[cfg(target_arch = "x86_64")]
const LINE_FLOATS: usize = 16;

impl Kernel {
    /// The inner product of two vectors of the same length.
    pub(crate) fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "vectors of one space");
        let mut out = [0.0];
        self.dots(a, b, &[0], &mut out);
        out[0]
    }

    /// Inner products of `query` with `rows` of `vectors`, whose rows are as long as it. `out` has a place for each row.
    pub(crate) fn dots(self, query: &[f32], vectors: &[f32], rows: &[u32], out: &mut [f32]) {
        let length = vectors.len() / query.len().max(1);
        assert!(rows.iter().all(|row| (*row as usize) < length), "rows lie inside the vectors");
        assert_eq!(rows.len(), out.len(), "a place for each row");
        match self {
            Self::Scalar => scalar(query, vectors, rows, out),
            // SAFETY: this kernel is only made where the processor has AVX2 and FMA; rows were checked above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(query, vectors, rows, out) },
            // SAFETY: this kernel is only made where the processor has AVX-512F; rows were checked above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512(query, vectors, rows, out) },
        }
    }
}

/// Folds the running sums: the upper half onto the lower, until one is left.
#[inline(always)]
fn fold(mut sums: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The numbers after the last whole block, filled up with zeros.
#[inline(always)]
fn tail(numbers: &[f32]) -> [f32; LANES] {
    let mut padded = [0.0; LANES];
    padded[..numbers.len()].copy_from_slice(numbers);
    padded
}

fn scalar(query: &[f32], vectors: &[f32], rows: &[u32], out: &mut [f32]) {
    let dimension = query.len();
    let add = |sums: &mut [f32; LANES], a: &[f32; LANES], b: &[f32; LANES]| {
        for i in 0..LANES {
            sums[i] = a[i].mul_add(b[i], sums[i]);
        }
    };
    let (query_blocks, query_tail) = query.as_chunks::<LANES>();
    for (row, out) in rows.iter().zip(out) {
        let start = *row as usize * dimension;
        let (blocks, rest) = vectors[start..start + dimension].as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for (a, b) in query_blocks.iter().zip(blocks) {
            add(&mut sums, a, b);
        }
        if !rest.is_empty() {
            add(&mut sums, &tail(query_tail), &tail(rest));
        }
        *out = fold(sums);
    }
}

// SAFETY: the caller has checked that the processor has AVX2 and FMA and that every row lies inside `vectors`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(query: &[f32], vectors: &[f32], rows: &[u32], out: &mut [f32]) {
    const WIDTH: usize = 8;
    let dimension = query.len();
    let whole = dimension / LANES * LANES;
    let query_tail = tail(&query[whole..]);
    for (place, out) in out.iter_mut().enumerate() {
        let start = rows[place] as usize * dimension;
        let vector = &vectors[start..start + dimension];
        let mut sums = [_mm256_setzero_ps(); LANES / WIDTH];
        // SAFETY: `a` and `b` point to LANES numbers each.
        let add = |sums: &mut [__m256; LANES / WIDTH], a: *const f32, b: *const f32| unsafe {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = _mm256_fmadd_ps(_mm256_loadu_ps(a.add(i * WIDTH)), _mm256_loadu_ps(b.add(i * WIDTH)), *sum);
            }
        };
        for at in (0..whole).step_by(LANES) {
            add(&mut sums, query[at..at + LANES].as_ptr(), vector[at..at + LANES].as_ptr());
        }
        if whole < dimension {
            add(&mut sums, query_tail.as_ptr(), tail(&vector[whole..]).as_ptr());
        }
        let mut folded = [0.0; LANES];
        for (i, sum) in sums.iter().enumerate() {
            // SAFETY: `folded` has room for four times eight numbers.
            unsafe { _mm256_storeu_ps(folded.as_mut_ptr().add(i * WIDTH), *sum) };
        }
        *out = fold(folded);
    }
}

// SAFETY: the caller has checked that the processor has AVX-512F and that every row lies inside `vectors`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(query: &[f32], vectors: &[f32], rows: &[u32], out: &mut [f32]) {
    const WIDTH: usize = 16;
    let dimension = query.len();
    let whole = dimension / LANES * LANES;
    let query_tail = tail(&query[whole..]);
    for (place, out) in out.iter_mut().enumerate() {
        if let Some(ahead) = rows.get(place + ROWS_AHEAD) {
            let ahead = vectors[*ahead as usize * dimension..].as_ptr();
            for line in 0..LINES_AHEAD {
                // A hint: it reads nothing and cannot fault, wherever it points.
                _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(line * LINE_FLOATS).cast());
            }
        }
        let start = rows[place] as usize * dimension;
        let vector = &vectors[start..start + dimension];
        let mut sums = [_mm512_setzero_ps(); LANES / WIDTH];
        for at in (0..whole).step_by(LANES) {
            for (i, sum) in sums.iter_mut().enumerate() {
                let at = at + i * WIDTH;
                // SAFETY: `at + WIDTH` is at most `whole`, which is at most the length of both.
                let (a, b) =
                    unsafe { (_mm512_loadu_ps(query.as_ptr().add(at)), _mm512_loadu_ps(vector.as_ptr().add(at))) };
                *sum = _mm512_fmadd_ps(a, b, *sum);
            }
        }
        if whole < dimension {
            let rest = tail(&vector[whole..]);
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: both tails have LANES numbers.
                let (a, b) = unsafe {
                    (_mm512_loadu_ps(query_tail.as_ptr().add(i * WIDTH)), _mm512_loadu_ps(rest.as_ptr().add(i * WIDTH)))
                };
                *sum = _mm512_fmadd_ps(a, b, *sum);
            }
        }
        let mut folded = [0.0; LANES];
        for (i, sum) in sums.iter().enumerate() {
            // SAFETY: `folded` has room for two times sixteen numbers.
            unsafe { _mm512_storeu_ps(folded.as_mut_ptr().add(i * WIDTH), *sum) };
        }
        *out = fold(folded);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_paths_agree_to_the_last_bit(
            dimension in 1usize..200,
            numbers in prop::collection::vec(-2.0f32..2.0, 200 * 4),
        ) {
            let (query, vectors) = (&numbers[..dimension], &numbers[dimension..dimension * 4]);
            let rows = [2, 0, 1, 1];
            let scores = |kernel: Kernel| {
                let mut out = [0.0; 4];
                kernel.dots(query, vectors, &rows, &mut out);
                out
            };
            let expected = scores(Kernel::Scalar);
            for (row, score) in rows.iter().zip(expected) {
                let vector = &vectors[*row as usize * dimension..][..dimension];
                let exact: f64 = query.iter().zip(vector).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                prop_assert!((f64::from(score) - exact).abs() < 1e-4);
            }
            for kernel in Kernel::all() {
                prop_assert_eq!(scores(kernel).map(f32::to_bits), expected.map(f32::to_bits), "{:?}", kernel);
            }
        }
    }
}
