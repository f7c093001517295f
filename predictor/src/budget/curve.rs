//! What room is worth to one buffer.

use crate::demand::{Demand, PROBABILITIES};

/// What holding a byte costs, in prices of a dropped byte: 1 in 1,000. Where memory is free it decides how far into the tail
/// of the forecast a buffer goes: to the quantile 1 - `HOLD_PRICE` / weight, the newsvendor's critical ratio (Arrow,
/// Harris and Marschak, *Optimal inventory policy*, 1951). At weight 1 that is the highest quantile a demand has.
pub const HOLD_PRICE: f64 = 0.001;

/// The worth of the next byte of room, as room grows: the weight of the buffer times the probability that the backlog exceeds the room.
///
/// The probability falls from 1 at no room through the quantiles of the demand, in straight lines between them, and is nothing
/// beyond the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    weight: f64,
    /// Bytes at the probabilities of exceedance 1, 0.5, 0.1, 0.01 and 0.001.
    bytes: [f64; POINTS],
}

const POINTS: usize = PROBABILITIES.len() + 1;

/// Probability that the backlog exceeds each point.
const EXCEEDANCE: [f64; POINTS] = [1.0, 0.5, 0.1, 0.01, 0.001];

/// Weights are kept within this range, so that no buffer is worth nothing or everything.
const WEIGHT_RANGE: (f64, f64) = (0.01, 100.0);

impl Curve {
    /// The curve of a buffer that wants nothing.
    pub const NOTHING: Self = Self { weight: 1.0, bytes: [0.0; POINTS] };

    /// The curve of `demand` for a buffer whose dropped bytes cost `weight` times those of others.
    pub fn new(demand: Demand, weight: f64) -> Self {
        let weight = if weight.is_finite() { weight.clamp(WEIGHT_RANGE.0, WEIGHT_RANGE.1) } else { 1.0 };
        let [median, upper, high, highest] = demand.bytes().map(|bytes| bytes as f64);
        Self { weight, bytes: [0.0, median, upper, high, highest] }
    }

    /// The room at which the next byte is worth `level`: falls as `level` rises.
    pub fn room(&self, level: f64) -> f64 {
        let exceedance = level / self.weight;
        if exceedance >= 1.0 {
            return 0.0;
        }
        for place in 1..POINTS {
            if exceedance >= EXCEEDANCE[place] {
                let (low, high) = (self.bytes[place - 1], self.bytes[place]);
                let part = (EXCEEDANCE[place - 1] - exceedance) / (EXCEEDANCE[place - 1] - EXCEEDANCE[place]);
                return low + (high - low) * part;
            }
        }
        self.bytes[POINTS - 1]
    }

    /// The worth of the first byte.
    pub(super) const fn weight(&self) -> f64 {
        self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_are_the_quantiles() {
        for (place, probability) in PROBABILITIES.iter().enumerate() {
            assert!((EXCEEDANCE[place + 1] - (1.0 - probability)).abs() < 1e-12);
        }
        let curve = Curve::new(Demand::quantiles([100, 200, 400, 800]), 1.0);
        assert_eq!(curve.room(1.0), 0.0);
        assert_eq!(curve.room(0.75), 50.0);
        assert_eq!(curve.room(0.5), 100.0);
        assert_eq!(curve.room(0.1), 200.0);
        assert_eq!(curve.room(HOLD_PRICE), 800.0);
        assert_eq!(curve.room(0.0), 800.0);
    }

    #[test]
    fn a_dearer_buffer_goes_further_at_the_same_level() {
        let demand = Demand::quantiles([100, 200, 400, 800]);
        assert!(Curve::new(demand, 4.0).room(0.1) > Curve::new(demand, 1.0).room(0.1));
        assert_eq!(Curve::new(demand, f64::NAN), Curve::new(demand, 1.0));
    }
}
