//! Inner products of several questions in bytes with codes packed in groups of sixteen.
//!
//! A group holds sixteen rows. Its bytes are ordered by four numbers at a time: numbers 0 to 3 of row 0, of row 1, to row
//! 15, then numbers 4 to 7 of row 0, and so on. One register then holds the same four numbers of all sixteen rows, so the
//! sums of sixteen rows grow side by side and nothing is added across a register. Used where all rows are wanted: for the
//! centres of cells.
#![allow(unsafe_code)]
#![allow(clippy::cast_ptr_alignment, reason = "every load and store is an unaligned one")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepu8_epi16, _mm256_madd_epi16,
    _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_storeu_si256, _mm512_add_epi32, _mm512_dpbusd_epi32,
    _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
};

use super::Kernel;

/// Rows of a group.
pub(crate) const GROUP: usize = 16;

/// Numbers of a row that lie side by side.
const QUAD: usize = 4;

impl Kernel {
    /// Inner products of the questions with the rows of `group`, the bytes of one group.
    pub(crate) fn packed_dots<const N: usize>(self, queries: [&[i8]; N], group: &[u8], out: &mut [[i32; GROUP]; N]) {
        let stride = queries.first().map_or(0, |query| query.len());
        assert!(queries.iter().all(|query| query.len() == stride), "questions of one length");
        assert!(stride.is_multiple_of(QUAD) && group.len() == stride * GROUP, "a whole group");
        match self {
            Self::Scalar => scalar(queries, group, out),
            // SAFETY: this kernel is only made where the processor has AVX2; the lengths were checked above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(queries, group, out) },
            // SAFETY: this kernel is only made where the processor has AVX-512 VNNI; the lengths were checked above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512(queries, group, out) },
        }
    }
}

/// Packs `rows` of codes, each `stride` long, into groups; the last group is filled up with `filler`.
pub(crate) fn pack(rows: &[u8], stride: usize, filler: u8) -> Vec<u8> {
    let count = rows.len() / stride;
    let mut packed = vec![filler; count.div_ceil(GROUP) * GROUP * stride];
    for (row, codes) in rows.chunks_exact(stride).enumerate() {
        let group = &mut packed[row / GROUP * GROUP * stride..][..GROUP * stride];
        for (quad, four) in codes.as_chunks::<QUAD>().0.iter().enumerate() {
            let at = (quad * GROUP + row % GROUP) * QUAD;
            group[at..at + QUAD].copy_from_slice(four);
        }
    }
    packed
}

fn scalar<const N: usize>(queries: [&[i8]; N], group: &[u8], out: &mut [[i32; GROUP]; N]) {
    for (query, out) in queries.into_iter().zip(out) {
        *out = [0; GROUP];
        for (four, rows) in query.as_chunks::<QUAD>().0.iter().zip(group.chunks_exact(QUAD * GROUP)) {
            for (sum, row) in out.iter_mut().zip(rows.as_chunks::<QUAD>().0) {
                for (a, b) in four.iter().zip(row) {
                    *sum += i32::from(*a) * i32::from(*b);
                }
            }
        }
    }
}

// SAFETY: the caller has checked that the processor has AVX2 and that `group` holds sixteen rows as long as the questions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2<const N: usize>(queries: [&[i8]; N], group: &[u8], out: &mut [[i32; GROUP]; N]) {
    /// Registers that hold two partial sums of each of the sixteen rows.
    const PARTS: usize = 4;
    for (query, out) in queries.into_iter().zip(out) {
        let mut sums = [_mm256_setzero_si256(); PARTS];
        for (quad, four) in query.as_chunks::<QUAD>().0.iter().enumerate() {
            let wide = four.map(i16::from);
            let bits = wide.iter().rev().fold(0u64, |bits, number| bits << 16 | u64::from(*number as u16));
            let question = _mm256_set1_epi64x(bits as i64);
            for (part, sum) in sums.iter_mut().enumerate() {
                // SAFETY: four rows of four bytes; `quad` and `part` stay inside the group.
                let rows = unsafe {
                    _mm_loadu_si128(group.as_ptr().add(quad * QUAD * GROUP + part * GROUP).cast::<__m128i>())
                };
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_cvtepu8_epi16(rows), question));
            }
        }
        for (part, sum) in sums.iter().enumerate() {
            let mut pairs = [0i32; 8];
            // SAFETY: `pairs` has room for eight numbers.
            unsafe { _mm256_storeu_si256(pairs.as_mut_ptr().cast::<__m256i>(), *sum) };
            for row in 0..QUAD {
                out[part * QUAD + row] = pairs[2 * row] + pairs[2 * row + 1];
            }
        }
    }
}

// SAFETY: the caller has checked that the processor has AVX-512 VNNI and that `group` holds sixteen rows as long as the
// questions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn avx512<const N: usize>(queries: [&[i8]; N], group: &[u8], out: &mut [[i32; GROUP]; N]) {
    let mut sums = [[_mm512_setzero_si512(); N]; 2];
    let quads = group.len() / (QUAD * GROUP);
    for quad in 0..quads {
        // SAFETY: `quad` is a quad of the group, and of every question.
        let rows = unsafe { _mm512_loadu_si512(group.as_ptr().add(quad * QUAD * GROUP).cast::<__m512i>()) };
        for (query, sum) in queries.iter().zip(&mut sums[quad % 2]) {
            // SAFETY: as above.
            let four = unsafe { query.as_ptr().add(quad * QUAD).cast::<i32>().read_unaligned() };
            *sum = _mm512_dpbusd_epi32(*sum, rows, _mm512_set1_epi32(four));
        }
    }
    for (i, out) in out.iter_mut().enumerate() {
        let sum = _mm512_add_epi32(sums[0][i], sums[1][i]);
        // SAFETY: `out` has room for sixteen numbers.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast::<__m512i>(), sum) };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_paths_agree(quads in 1usize..20, bytes in prop::collection::vec(any::<u8>(), 20 * 4 * 16), seed: i8) {
            let stride = quads * QUAD;
            let query = |k: i8| (0..stride).map(|i| seed.wrapping_mul(i as i8 ^ k).max(-127)).collect::<Vec<i8>>();
            let queries = [query(0), query(3), query(9), query(77)];
            let dots = |kernel: Kernel| {
                let mut out = [[0; GROUP]; 4];
                kernel.packed_dots(queries.each_ref().map(Vec::as_slice), &bytes[..stride * GROUP], &mut out);
                out
            };
            for kernel in Kernel::all() {
                prop_assert_eq!(dots(kernel), dots(Kernel::Scalar), "{:?}", kernel);
            }
        }
    }
}
