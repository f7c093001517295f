//! How the values of every feature are spread over a segment, so that a hit can say what is unusual about it.
//!
//! For each feature: how many events know it, and its quantiles at [`SHARES`] among at most `PROFILE_EVENTS_MAX` events
//! taken evenly. Between quantiles the share is interpolated: an estimate, good to about a hundredth.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Columns;
use super::schema::numbers;
use crate::limits::PROFILE_EVENTS_MAX;

/// The shares whose quantiles are kept: closer together towards the ends, where what stands out lies.
pub(super) const SHARES: [f64; 17] =
    [0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0];

/// The spread of every feature that at least one event knows, by name.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Profile(BTreeMap<String, Spread>);

/// The spread of one feature.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Spread {
    /// Events that know the feature, estimated from those looked at.
    known: u64,
    /// The values at [`SHARES`].
    quantiles: Vec<f64>,
}

impl Profile {
    /// The profile of a segment, read from its columns.
    pub(super) fn of(columns: &Columns) -> Self {
        let step = columns.rows().div_ceil(PROFILE_EVENTS_MAX as usize).max(1);
        let mut profile = BTreeMap::new();
        for (place, name) in numbers().enumerate() {
            let column = columns.number(place);
            let sampled = (0..columns.rows()).step_by(step).map(|row| column.at(row));
            let mut values: Vec<f64> = sampled.filter(|value| !value.is_nan()).collect();
            if values.is_empty() {
                continue;
            }
            values.sort_unstable_by(f64::total_cmp);
            let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
            let known = values.len() as u64 * step as u64;
            profile.insert(name.to_owned(), Spread { known, quantiles: SHARES.map(at).to_vec() });
        }
        Self(profile)
    }

    /// How many events know the feature, and which share of those has a smaller value.
    pub(crate) fn share_below(&self, name: &str, value: f64) -> Option<(u64, f64)> {
        let spread = self.0.get(name)?;
        if spread.quantiles.len() != SHARES.len() {
            return None;
        }
        // The last quantile below the value, and the first that is not.
        let above = spread.quantiles.partition_point(|quantile| *quantile < value);
        let share = match above {
            0 => 0.0,
            _ if above == SHARES.len() => 1.0,
            _ => {
                let (low, high) = (spread.quantiles[above - 1], spread.quantiles[above]);
                let part = (value - low) / (high - low);
                SHARES[above - 1] + part * (SHARES[above] - SHARES[above - 1])
            }
        };
        Some((spread.known, share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_interpolated() {
        let quantiles = SHARES.map(|share| share * 100.0).to_vec();
        let profile = Profile(BTreeMap::from([("rate".to_owned(), Spread { known: 5, quantiles })]));
        let share = |value| profile.share_below("rate", value).unwrap().1;
        assert_eq!((share(-1.0), share(101.0)), (0.0, 1.0));
        assert!((share(99.7) - 0.997).abs() < 1e-9);
        assert!((share(60.0) - 0.6).abs() < 1e-9);
        assert_eq!(profile.share_below("bytes", 1.0), None);
    }

    #[test]
    fn a_constant_feature_has_nothing_below_it() {
        let profile = Profile(BTreeMap::from([("rate".to_owned(), Spread { known: 5, quantiles: vec![7.0; 17] })]));
        assert_eq!(profile.share_below("rate", 7.0), Some((5, 0.0)));
        assert_eq!(profile.share_below("rate", 7.1), Some((5, 1.0)));
    }
}
