//! The order of hits.

/// What hits are ordered by; the greatest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// A score or a time, as a number that orders like it.
    pub(crate) primary: i64,
    /// The identifier: no two events are equal.
    pub(crate) id: u128,
}

impl Key {
    /// A score as a number that orders like it. Scores are finite; -0 counts as 0.
    pub(crate) fn primary_of_score(score: f32) -> i64 {
        // Adding zero turns -0 into 0. Of negative numbers, the larger bit pattern is the smaller number.
        let bits = (score + 0.0).to_bits() as i32;
        i64::from(if bits < 0 { bits ^ i32::MAX } else { bits })
    }

    /// The low half of the identifier, by which a cursor names an event: in a version 7 UUID 62 bits of it are random.
    pub(crate) fn low_id(self) -> u64 {
        self.id as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn scores_keep_their_order(a in -2.0f32..2.0, b in -2.0f32..2.0) {
            let order = a.partial_cmp(&b).unwrap();
            prop_assert_eq!(Key::primary_of_score(a).cmp(&Key::primary_of_score(b)), order);
            prop_assert_eq!(Key::primary_of_score(-0.0), Key::primary_of_score(0.0));
        }
    }
}
