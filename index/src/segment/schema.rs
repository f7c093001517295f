//! What is kept of an event so that it can be filtered and found by its words.

use std::net::{IpAddr, Ipv6Addr};

use forebay_event::feature::{DBYTES, DPKTS, SBYTES, SPKTS};
use forebay_event::{FEATURE_COUNT, FEATURE_NAMES, Features, Verdict};

use crate::filter::SUM_NAMES;

/// Columns of numbers: the features, then the sums.
pub(crate) const NUMBERS: usize = FEATURE_COUNT + SUM_NAMES.len();

/// Names of everything a `Feature` filter compares, in the order of the columns.
pub(crate) fn numbers() -> impl Iterator<Item = &'static str> {
    FEATURE_NAMES.iter().chain(&SUM_NAMES).copied()
}

/// The column of a name; `None` for a name that is not a feature.
pub(crate) fn number_place(name: &str) -> Option<usize> {
    numbers().position(|known| known == name)
}

/// The numbers of an event in the order of the columns; NaN where it does not know one. The meaning of each is that of
/// [`crate::filter::feature_value`], which looks one up by name.
pub(super) fn numbers_of(features: &Features) -> [f64; NUMBERS] {
    let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
    let mut numbers = [f64::NAN; NUMBERS];
    for (number, value) in numbers.iter_mut().zip(&features.0) {
        *number = finite(*value);
    }
    for (place, (forward, backward)) in [(SBYTES, DBYTES), (SPKTS, DPKTS)].into_iter().enumerate() {
        let (forward, backward) = (numbers[forward], numbers[backward]);
        let known = |value: f64| if value.is_nan() { 0.0 } else { value };
        if !(forward.is_nan() && backward.is_nan()) {
            numbers[FEATURE_COUNT + place] = finite(known(forward) + known(backward));
        }
    }
    numbers
}

/// An address as one number: IPv4 is its mapped IPv6 address.
pub(crate) fn ip_number(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// A verdict as a number.
pub(crate) fn verdict_number(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Benign => 1,
        Verdict::Suspicious => 2,
        Verdict::Malicious => 3,
    }
}

/// The verdict of a number.
pub(crate) fn verdict_of(number: u8) -> Option<Verdict> {
    [Verdict::Benign, Verdict::Suspicious, Verdict::Malicious].into_iter().find(|v| verdict_number(*v) == number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter::feature_value;

    proptest! {
        #[test]
        fn columns_hold_what_a_filter_compares(values in prop::collection::vec((0usize..FEATURE_COUNT, any::<f64>()), 0..20)) {
            let mut features = Features::UNKNOWN;
            for (place, value) in values {
                features.0[place] = value;
            }
            for (name, number) in numbers().zip(numbers_of(&features)) {
                prop_assert_eq!(feature_value(&features, name), Some(number).filter(|number| !number.is_nan()), "{}", name);
            }
        }
    }
}
