//! What a policy wants for one buffer: the distribution of the largest backlog to come.

/// The probabilities of [`Demand::quantiles`]. The last is as far as a forecast can be checked in an hour of 10 ms bins.
pub const PROBABILITIES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// Quantiles of the largest backlog that one buffer will hold, in bytes of the kernel's truesize.
///
/// A rule that knows only a ceiling gives the same value four times ([`Demand::ceiling`]); the allocator then treats it as
/// a backlog that is certain to reach this value and no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    quantiles: [u64; 4],
}

impl Demand {
    /// A demand of exactly `bytes`.
    pub const fn ceiling(bytes: u64) -> Self {
        Self { quantiles: [bytes; 4] }
    }

    /// The quantiles at [`PROBABILITIES`]. Values out of order are raised to the one before, so that a forecaster cannot
    /// hand over a distribution that is none.
    pub fn quantiles(mut values: [u64; 4]) -> Self {
        for place in 1..values.len() {
            values[place] = values[place].max(values[place - 1]);
        }
        Self { quantiles: values }
    }

    /// The bytes at each of [`PROBABILITIES`], ascending.
    pub const fn bytes(&self) -> [u64; 4] {
        self.quantiles
    }

    /// Whether this is a plain ceiling and no distribution.
    pub const fn is_ceiling(&self) -> bool {
        self.quantiles[0] == self.quantiles[3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_ascend_whatever_comes() {
        assert_eq!(Demand::quantiles([5, 3, 9, 1]).bytes(), [5, 5, 9, 9]);
        assert!(Demand::ceiling(7).is_ceiling());
        assert!(!Demand::quantiles([1, 2, 3, 4]).is_ceiling());
    }
}
