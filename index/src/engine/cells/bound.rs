//! How near to a question a member of a cell can be.
//!
//! Let the question lie at angle `T` from the centre and a member at angle `a`. Split both into the part along the centre
//! and the part across: their cosine is `cos T cos a + c sin T sin a`, where `c` in -1..=1 is the cosine between the parts
//! across. With `c = 1` this is `cos(T - a)`, the triangle inequality on the sphere: no member can be nearer. In many
//! dimensions two parts across are nearly orthogonal, so a *confidence* `t` below 1 put for `c` still bounds nearly all
//! members. Which `t` suffices is measured on the segment itself (see `calibrate`).

use super::layout::CellBound;

/// What single precision may get wrong in a product of two vectors of length 1 with so many numbers: as many additions as
/// the kernel makes in each of its 32 running sums, 5 folds, and the bound's own few operations, 2^-24 each.
pub(super) fn rounding(dimension: usize) -> f32 {
    const SUMS: usize = 32;
    const FOLDS_AND_BOUND: usize = 5 + 11;
    (dimension.div_ceil(SUMS) + FOLDS_AND_BOUND) as f32 / (1u32 << 24) as f32
}

/// What is reckoned with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trust {
    /// All that can be: `t = 1`, and every rounding.
    Certain,
    /// This confidence.
    Confident(f32),
}

/// A question as cells see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Viewer {
    /// Length of the question.
    pub(super) length: f32,
    /// Most by which its products with centres may be wrong.
    pub(super) error: f32,
    /// What single precision may get wrong.
    pub(super) rounding: f32,
    /// What is reckoned with.
    pub(super) trust: Trust,
}

impl Viewer {
    /// An upper bound of the product of the question with members of a cell; `along` is its product with the direction
    /// of the cell's centre.
    pub(super) fn bound(&self, cell: &CellBound, along: f32) -> f32 {
        self.bound_between(cell, [cell.narrowest, cell.widest], along)
    }

    /// The same for those members whose angles with the centre lie between these (cosine and sine of each).
    pub(super) fn bound_between(&self, cell: &CellBound, [narrowest, widest]: [[f32; 2]; 2], along: f32) -> f32 {
        let along_most = (along + self.error).clamp(-self.length, self.length);
        let along_least = (along - self.error).clamp(-self.length, self.length);
        let (confidence, for_across, slack) = match self.trust {
            // A question nearer to the centre is nearer to the members too, until it lies among them.
            Trust::Certain => (1.0, along_most, self.rounding),
            // Close to the centre, a little less along it is much more across.
            Trust::Confident(confidence) => (confidence, along_least, 0.0),
        };
        let along = along_most;
        let across = confidence * (self.length * self.length - for_across * for_across).max(0.0).sqrt();
        // Over the member's angle the product is a wave with one crest, where the tangent is across / along.
        let at = |[cosine, sine]: [f32; 2]| along * cosine + across * sine;
        let rises = |[cosine, sine]: [f32; 2]| across * cosine > sine * along;
        let unit = if rises(widest) {
            at(widest)
        } else if self.trust == Trust::Certain || rises(narrowest) {
            // Nor is a certain one within the narrowest angle taken at its word: there an error of `along` weighs more.
            (along * along + across * across).sqrt()
        } else {
            at(narrowest)
        };
        let length = if unit >= 0.0 { cell.longest } else { cell.shortest };
        unit * length + slack
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(numbers: &[f32]) -> Option<Vec<f64>> {
        let length = numbers.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        (length > 1e-3).then(|| numbers.iter().map(|x| f64::from(*x) / length).collect())
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    proptest! {
        #[test]
        fn no_member_is_nearer_than_a_certain_bound(
            dimension in 1usize..6,
            numbers in prop::collection::vec(prop_oneof![-1.0f32..1.0, Just(0.0)], 18),
            length in 0.0f64..1.0,
        ) {
            let parts: Vec<_> = (0..3).map(|i| unit(&numbers[i * 6..i * 6 + dimension])).collect();
            let [Some(query), Some(member), Some(centre)] = parts.as_slice() else { return Ok(()) };
            let cosine = dot(member, centre);
            let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
            let widest = [cosine as f32, (sine as f32).next_up()];
            let (longest, shortest) = (length as f32, length as f32);
            let cell = CellBound { widest, longest, shortest, ..CellBound::default() };
            let viewer = Viewer { length: 1.0, error: 1e-6, rounding: rounding(6), trust: Trust::Certain };
            let bound = viewer.bound(&cell, dot(query, centre) as f32);
            prop_assert!(f64::from(bound) >= dot(query, member) * length);
        }
    }
}
