//! Vectors in bytes, and what that costs.
//!
//! What is stored of a vector `x` is where it lies from an origin `c` near it: `x = c + scale * code + e`, with one scale and
//! one byte a number. The nearer the origin, the smaller the steps: vectors that lie close together are told apart as finely
//! as their distance asks for. Of what is lost, `e`, two numbers are kept: its length, `error`, and its product with the
//! origin, `lean`. The product of a question `q` with the vector is then
//!
//! ```text
//! q x = q c + scale * (q code) + lean + (q - c) e
//! ```
//!
//! and by Cauchy and Schwarz the last term, the only unknown one, is at most `|q - c| * error`: a bound that holds for
//! certain, needs no further look at `x`, and is the tighter the nearer the question is.
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
    /// Product of what they lose with the origin.
    pub(super) lean: f32,
    /// Length of what they keep.
    pub(super) reach: f32,
}

/// Writes the codes of `vector`, seen from `origin`, into `codes`, which is [`stride`] long. `rest` is room for a vector.
pub(super) fn encode_from(origin: &[f32], vector: &[f32], rest: &mut Vec<f32>, codes: &mut [u8]) -> RowScale {
    rest.clear();
    rest.extend(vector.iter().zip(origin).map(|(x, c)| x - c));
    let mut row = encode(rest, codes);
    let (mut lean, mut reach) = (0.0f64, 0.0f64);
    for ((rest, code), c) in rest.iter().zip(&*codes).zip(origin) {
        let kept = row.scale * (i32::from(*code) - OFFSET) as f32;
        lean += f64::from(*c) * f64::from(rest - kept);
        reach += f64::from(kept) * f64::from(kept);
    }
    (row.lean, row.reach) = (lean as f32, round_up(reach.sqrt()));
    row
}

/// Writes the codes of `vector` as it is into `codes`, which is [`stride`] long.
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
    RowScale { scale, error: round_up(error * (1.0 + 1e-3) + rounding), ..RowScale::default() }
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
            numbers in prop::collection::vec(prop_oneof![-1.0f32..1.0, Just(0.0), Just(1e-30), Just(1.0)], 450),
            nearness in prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1e-3],
        ) {
            let (query, vector) = (&numbers[..dimension], &numbers[dimension..2 * dimension]);
            // From nowhere in particular, and from as near as can be.
            let origin: Vec<f32> =
                vector.iter().zip(&numbers[300..]).map(|(x, other)| x + nearness * (other - x)).collect();
            let mut codes = vec![0; stride(dimension)];
            let row = encode_from(&origin, vector, &mut Vec::new(), &mut codes);
            let question = Question::new(query);
            let (mut high, mut low) = ([0], [0]);
            Kernel::best().byte_dots(&question.high, &codes, &[0], &mut high);
            Kernel::best().byte_dots(&question.low, &codes, &[0], &mut low);
            let wanted = exact(query, vector);
            let distance = query.iter().zip(&origin).map(|(q, c)| f64::from(q - c).powi(2)).sum::<f64>().sqrt();
            // What single precision loses of numbers up to 1.
            let rounding = 1e-6 * dimension as f64;
            let bound =
                |error: f32| f64::from(error) * f64::from(row.reach) + distance * f64::from(row.error) + rounding;
            let base = exact(query, &origin) + f64::from(row.lean);
            let coarse = base + f64::from(row.scale * question.high_product(high[0]));
            let fine = base + f64::from(row.scale * question.product(high[0], low[0]));
            prop_assert!((coarse - wanted).abs() <= bound(question.high_error));
            prop_assert!((fine - wanted).abs() <= bound(question.low_error));
        }

        #[test]
        fn a_nearer_origin_loses_less(numbers in prop::collection::vec(-1.0f32..1.0, 64), part in 1e-4f32..0.1) {
            let origin: Vec<f32> = numbers.iter().map(|x| x * (1.0 - part)).collect();
            let mut codes = vec![0; stride(numbers.len())];
            let near = encode_from(&origin, &numbers, &mut Vec::new(), &mut codes);
            let far = encode(&numbers, &mut codes);
            prop_assert!(near.error <= far.error * part * 1.5 + 1e-6);
        }
    }
}
