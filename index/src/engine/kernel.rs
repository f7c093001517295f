//! Inner products, in the widest instructions the processor has.
//!
//! **Promise.** The products of 32-bit floats are the same to the last bit on every path: all of them keep 32 running sums
//! with fused multiply-add and fold them in one order. The products of bytes are whole numbers, so they cannot differ.
//! The path is chosen once, when first asked for.
//!
//! **Layout of bytes.** Codes are stored as `value + 128` (0..=255) and questions as -127..=127, because the instruction
//! that multiplies bytes takes one factor without and one with a sign. What the 128 adds is 128 times the sum of the
//! question's numbers, which the caller takes off.

mod bytes;
mod floats;
mod packed;
mod prefetch;

use std::sync::OnceLock;

pub(crate) use packed::{GROUP, pack};
pub(crate) use prefetch::prefetch;

/// Numbers that a row of codes is filled up to a multiple of: one cache line, one register of 512 bits.
pub(crate) const STRIDE_UNIT: usize = 64;

/// The instructions a kernel is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// What every processor has.
    Scalar,
    /// 256 bits, fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512 bits, with the instructions for bytes (VNNI).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The best this processor has.
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(Self::detect)
    }

    /// All that this processor has, for tests that compare them.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(has_avx2().then_some(Self::Avx2));
            all.extend(has_avx512().then_some(Self::Avx512));
        }
        all
    }

    #[cfg(target_arch = "x86_64")]
    fn detect() -> Self {
        if has_avx512() {
            return Self::Avx512;
        }
        if has_avx2() { Self::Avx2 } else { Self::Scalar }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detect() -> Self {
        Self::Scalar
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512vl")
        && std::arch::is_x86_feature_detected!("avx512vnni")
}
