//! Vectors in bytes, and what that costs.
//!
//! A vector `x` is stored as `scale * code` with one scale and one byte a number, and with the length `error` of what is
//! lost, `|x - scale * code|`. By Cauchy and Schwarz the product of a question `q` with the vector lies within
//! `|q| * error` of its product with the code: a bound that holds for certain, and needs no further look at `x`.
//!
//! A question has two planes: `q = scale * (high + low / 254)`. The high plane alone decides most rows; where it does not,
//! the low plane brings the question's own error down by a factor of 254.

use super::kernel::STRIDE_UNIT;

/// Greatest number of a code, on both sides of zero.
const CODE_MAX: f32 = 127.0;

/// What is added to a number to store it without a sign.
const OFFSET: i32 = 128;

/// Steps of the low plane in one step of the high one: a rest is at most half a step, and the low plane ends at 127.
const LOW_STEPS: f32 = 2.0 * CODE_MAX;

/// Bytes of a row of codes.
pub(super) fn stride(dimension: usize) -> usize {
    dimension.next_multiple_of(STRIDE_UNIT)
}

/// What belongs to a row of codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct RowScale {
    /// Value of one step.
    pub(super) scale: f32,
    /// Length of what the codes lose.
    pub(super) error: f32,
}

/// Writes the codes of `vector` into `codes`, which is [`stride`] long.
pub(super) fn encode(vector: &[f32], codes: &mut [u8]) -> RowScale {
    /// Running sums, so that the loop is done several numbers at a time.
    const LANES: usize = 16;
    let scale = step(vector);
    let inverse = 1.0 / scale;
    let mut lost = [0.0f32; LANES];
    let one = |number: f32, code: &mut u8, lost: &mut f32| {
        let steps = (number * inverse).clamp(-CODE_MAX, CODE_MAX);
        // Rounds half away from zero: whether up or down does not matter for the bound.
        let steps = (steps + 0.5f32.copysign(steps)) as i32;
        *code = (steps + OFFSET) as u8;
        let rest = number - scale * steps as f32;
        *lost += rest * rest;
    };
    let (numbers, number_tail) = vector.as_chunks::<LANES>();
    let (blocks, code_tail) = codes.split_at_mut(numbers.len() * LANES);
    for (numbers, codes) in numbers.iter().zip(blocks.as_chunks_mut::<LANES>().0) {
        for i in 0..LANES {
            one(numbers[i], &mut codes[i], &mut lost[i]);
        }
    }
    code_tail.fill(OFFSET as u8);
    for (number, code) in number_tail.iter().zip(code_tail) {
        one(*number, code, &mut lost[0]);
    }
    let error = lost.iter().map(|lost| f64::from(*lost)).sum::<f64>().sqrt();
    // In single precision a rest is right to 2^-24 of its number, which is at most 254 times half a step.
    let rounding = f64::from(scale) * f64::from(CODE_MAX) / f64::from(1 << 23) * (vector.len() as f64).sqrt();
    RowScale { scale, error: round_up(error * (1.0 + 1e-3) + rounding) }
}

/// Turns codes of a row into the signed bytes of a question.
pub(super) fn signed(codes: &[u8], out: &mut [i8]) {
    for (code, out) in codes.iter().zip(out) {
        *out = (i32::from(*code) - OFFSET) as i8;
    }
}

/// A question in bytes.
#[derive(Debug)]
pub(super) struct Question {
    /// The coarse plane, -127..=127, filled up with zeros.
    pub(super) high: Vec<i8>,
    /// The fine plane.
    pub(super) low: Vec<i8>,
    /// Value of one step of the high plane.
    scale: f32,
    /// What the offset of the codes adds to a product with the high plane, and with the low one.
    offsets: [i32; 2],
    /// Length of what the high plane alone loses.
    pub(super) high_error: f32,
    /// Length of what both planes together lose.
    pub(super) low_error: f32,
    /// Length of the question.
    pub(super) length: f32,
}

impl Question {
    /// The question `vector` in bytes.
    pub(super) fn new(vector: &[f32]) -> Self {
        let scale = step(vector);
        let stride = stride(vector.len());
        let (mut high, mut low) = (vec![0i8; stride], vec![0i8; stride]);
        let (mut high_error, mut low_error, mut length) = (0.0f64, 0.0f64, 0.0f64);
        for (i, number) in vector.iter().enumerate() {
            let coarse = steps_of(*number, scale);
            let rest = f64::from(*number) - f64::from(scale) * f64::from(coarse);
            let fine_scale = f64::from(scale) / f64::from(LOW_STEPS);
            let fine = steps_of(rest as f32, fine_scale as f32);
            (high[i], low[i]) = (coarse as i8, fine as i8);
            let lost = rest - fine_scale * f64::from(fine);
            high_error += rest * rest;
            low_error += lost * lost;
            length += f64::from(*number) * f64::from(*number);
        }
        let offset = |plane: &[i8]| OFFSET * plane.iter().map(|number| i32::from(*number)).sum::<i32>();
        Self {
            offsets: [offset(&high), offset(&low)],
            high,
            low,
            scale,
            high_error: round_up(high_error.sqrt()),
            low_error: round_up(low_error.sqrt()),
            length: round_up(length.sqrt()),
        }
    }

    /// Most by which the product of the high plane with a code may differ from that of question and vector, where the code
    /// loses `error` and no vector is longer than `longest`.
    pub(super) fn high_slack(&self, error: f32, longest: f32) -> f32 {
        self.high_error * (longest + error) + self.length * error
    }

    /// The same for both planes.
    pub(super) fn slack(&self, error: f32, longest: f32) -> f32 {
        self.low_error * (longest + error) + self.length * error
    }

    /// The product of the high plane with a code, in units of the code's scale.
    pub(super) fn high_product(&self, dot: i32) -> f32 {
        self.scale * (dot - self.offsets[0]) as f32
    }

    /// The product of both planes with a code, in units of the code's scale.
    pub(super) fn product(&self, high_dot: i32, low_dot: i32) -> f32 {
        let low = (low_dot - self.offsets[1]) as f32 / LOW_STEPS;
        self.scale * ((high_dot - self.offsets[0]) as f32 + low)
    }
}

/// The value of one step, so that the greatest number takes all of them. Never zero.
fn step(vector: &[f32]) -> f32 {
    let greatest = vector.iter().fold(0.0f32, |greatest, number| greatest.max(number.abs()));
    (greatest / CODE_MAX).max(f32::MIN_POSITIVE)
}

fn steps_of(number: f32, scale: f32) -> f32 {
    (number / scale).round().clamp(-CODE_MAX, CODE_MAX)
}

/// A little more than `exact`, so that rounding to 32 bits and the sum before it never understate a length.
fn round_up(exact: f64) -> f32 {
    ((exact * (1.0 + 1e-6)) as f32).next_up()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::kernel::Kernel;
    use super::*;

    fn exact(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    proptest! {
        #[test]
        fn products_lie_within_the_bounds(
            dimension in 1usize..150,
            numbers in prop::collection::vec(prop_oneof![-1.0f32..1.0, Just(0.0), Just(1e-30), Just(1.0)], 300),
        ) {
            let (query, vector) = (&numbers[..dimension], &numbers[dimension..2 * dimension]);
            let mut codes = vec![0; stride(dimension)];
            let row = encode(vector, &mut codes);
            let question = Question::new(query);
            let (mut high, mut low) = ([0], [0]);
            Kernel::best().byte_dots(&question.high, &codes, &[0], &mut high);
            Kernel::best().byte_dots(&question.low, &codes, &[0], &mut low);
            let wanted = exact(query, vector);
            let code_length = exact(vector, vector).sqrt() + f64::from(row.error);
            let bound = |error: f32| {
                f64::from(error) * code_length + f64::from(question.length) * f64::from(row.error) + 1e-5 * code_length
            };
            let coarse = f64::from(row.scale * question.high_product(high[0]));
            let fine = f64::from(row.scale * question.product(high[0], low[0]));
            prop_assert!((coarse - wanted).abs() <= bound(question.high_error) + 1e-30);
            prop_assert!((fine - wanted).abs() <= bound(question.low_error) + 1e-30);
        }
    }
}
