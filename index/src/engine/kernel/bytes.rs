//! Inner products of a question in bytes with rows of codes.
#![allow(unsafe_code)]
#![allow(clippy::cast_ptr_alignment, reason = "every load is an unaligned one")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128i, __m512i, _MM_HINT_T0, _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadu_si128, _mm_prefetch, _mm_shuffle_epi32,
    _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_cvtepu8_epi16, _mm256_extracti128_si256,
    _mm256_madd_epi16, _mm256_setzero_si256, _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_loadu_si512,
    _mm512_reduce_add_epi32, _mm512_setzero_si512,
};

use super::{Kernel, STRIDE_UNIT};

/// Rows ahead of the one being read that are asked for: four rows of 256 bytes take about as long as memory does.
#[cfg(target_arch = "x86_64")]
const ROWS_AHEAD: usize = 6;

impl Kernel {
    /// Inner products of `query` with the rows of `codes` at `places`; a row is as long as `query`, a multiple of
    /// [`STRIDE_UNIT`]. `out` has a place for each row.
    pub(crate) fn byte_dots(self, query: &[i8], codes: &[u8], places: &[u32], out: &mut [i32]) {
        let stride = query.len();
        assert!(stride.is_multiple_of(STRIDE_UNIT) && stride > 0, "rows are whole cache lines");
        let length = codes.len() / stride;
        assert!(places.iter().all(|place| (*place as usize) < length), "places lie inside the codes");
        assert_eq!(places.len(), out.len(), "room for each");
        match self {
            Self::Scalar => scalar(query, codes, places, out),
            // SAFETY: this kernel is only made where the processor has AVX2; places and stride were checked above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(query, codes, places, out) },
            // SAFETY: this kernel is only made where the processor has AVX-512 VNNI; places and stride were checked.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512(query, codes, places, out) },
        }
    }
}

fn scalar(query: &[i8], codes: &[u8], places: &[u32], out: &mut [i32]) {
    for (place, out) in places.iter().zip(out) {
        let row = &codes[*place as usize * query.len()..][..query.len()];
        *out = query.iter().zip(row).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
    }
}

// SAFETY: the caller has checked that the processor has AVX2, that rows are whole cache lines and lie inside `codes`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2(query: &[i8], codes: &[u8], places: &[u32], out: &mut [i32]) {
    const WIDTH: usize = 16;
    for (place, out) in places.iter().zip(out) {
        let row = codes[*place as usize * query.len()..][..query.len()].as_ptr();
        let mut sum = _mm256_setzero_si256();
        for at in (0..query.len()).step_by(WIDTH) {
            // SAFETY: both have `query.len()` bytes, a multiple of 16.
            let (a, b) = unsafe {
                (
                    _mm_loadu_si128(query.as_ptr().add(at).cast::<__m128i>()),
                    _mm_loadu_si128(row.add(at).cast::<__m128i>()),
                )
            };
            // Products of 16-bit numbers: those of bytes would saturate when two are added.
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepi8_epi16(a), _mm256_cvtepu8_epi16(b)));
        }
        let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b0100_1110>(four));
        *out = _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b1011_0001>(two)));
    }
}

// SAFETY: the caller has checked that the processor has AVX-512 VNNI, that rows are whole cache lines and lie inside
// `codes`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn avx512(query: &[i8], codes: &[u8], places: &[u32], out: &mut [i32]) {
    let stride = query.len();
    for (i, out) in out.iter_mut().enumerate() {
        if let Some(ahead) = places.get(i + ROWS_AHEAD) {
            let ahead = codes[*ahead as usize * stride..].as_ptr();
            for line in (0..stride).step_by(STRIDE_UNIT) {
                // A hint: it reads nothing and cannot fault, wherever it points.
                _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(line).cast());
            }
        }
        let row = codes[places[i] as usize * stride..][..stride].as_ptr();
        let mut sums = [_mm512_setzero_si512(); 2];
        for at in (0..stride).step_by(STRIDE_UNIT) {
            // SAFETY: both have `stride` bytes, a multiple of 64.
            let (a, b) = unsafe {
                (
                    _mm512_loadu_si512(row.add(at).cast::<__m512i>()),
                    _mm512_loadu_si512(query.as_ptr().add(at).cast::<__m512i>()),
                )
            };
            let sum = &mut sums[at / STRIDE_UNIT % 2];
            *sum = _mm512_dpbusd_epi32(*sum, a, b);
        }
        *out = _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_paths_agree(units in 1usize..6, codes in prop::collection::vec(any::<u8>(), 64 * 5 * 4), seed: i8) {
            let stride = units * STRIDE_UNIT;
            let query: Vec<i8> = (0..stride).map(|i| seed.wrapping_mul(i as i8).max(-127)).collect();
            let places = [3, 0, 0, 2, 1];
            let dots = |kernel: Kernel| {
                let mut out = [0; 5];
                kernel.byte_dots(&query, &codes[..stride * 4], &places, &mut out);
                out
            };
            for kernel in Kernel::all() {
                prop_assert_eq!(dots(kernel), dots(Kernel::Scalar), "{:?}", kernel);
            }
        }
    }
}
