//! Makes another flow of a real one: the same behaviour, other amounts.
//!
//! A copy is drawn a factor for time (log-normal, sigma 0.25), one for the size of packets (0.10) and one for their number
//! (0.10). Each feature is multiplied by those that its unit holds, so a rate stays bytes over duration; on top each gets a
//! noise of its own (0.02). Counts are rounded and stay at least 1 where they were. Unknown stays unknown and 0 stays 0;
//! ratios, header lengths and TCP windows stay as they are.

use forebay_event::{FEATURE_COUNT, FEATURE_NAMES, Features};

use super::random::Random;

/// Deviation of the logarithm of the factor for times.
const TIME_SIGMA: f64 = 0.25;
/// The same for the length of packets.
const SIZE_SIGMA: f64 = 0.10;
/// The same for the number of packets.
const COUNT_SIGMA: f64 = 0.10;
/// The same for the noise that each feature gets by itself.
const OWN_SIGMA: f64 = 0.02;

/// The powers of time, size and count in the unit of a feature.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unit {
    time: f64,
    size: f64,
    count: f64,
    /// Whether it counts things, so that it is a whole number.
    whole: bool,
}

const FIXED: Unit = Unit { time: 0.0, size: 0.0, count: 0.0, whole: false };
const TIME: Unit = Unit { time: 1.0, ..FIXED };
const SIZE: Unit = Unit { size: 1.0, ..FIXED };
const COUNT: Unit = Unit { count: 1.0, ..FIXED };
const AMOUNT: Unit = Unit { size: 1.0, count: 1.0, ..FIXED };

/// What turns flows into others like them.
#[derive(Clone, Debug)]
pub struct Jitter {
    units: Vec<Unit>,
}

impl Default for Jitter {
    fn default() -> Self {
        Self { units: FEATURE_NAMES.iter().map(|name| unit_of(name)).collect() }
    }
}

impl Jitter {
    /// Changes `features` by what `random` draws.
    pub fn apply(&self, features: &mut Features, random: &mut Random) {
        debug_assert_eq!(self.units.len(), FEATURE_COUNT);
        let time = random.normal() * TIME_SIGMA;
        let size = random.normal() * SIZE_SIGMA;
        let count = random.normal() * COUNT_SIGMA;
        for (value, unit) in features.0.iter_mut().zip(&self.units) {
            if *unit == FIXED {
                continue;
            }
            let own = random.normal() * OWN_SIGMA;
            let factor = (unit.time * time + unit.size * size + unit.count * count + own).exp();
            let changed = *value * factor;
            *value = if unit.whole && *value >= 1.0 { changed.round().max(1.0) } else { changed };
        }
    }
}

fn unit_of(name: &str) -> Unit {
    let ends = |end: &str| name.ends_with(end);
    if name == "duration" || name.contains("_iat_") || name.starts_with("active_") || name.starts_with("idle_") {
        return TIME;
    }
    match name {
        "spkts" | "dpkts" => Unit { whole: true, ..COUNT },
        "sbytes" | "dbytes" => Unit { whole: true, ..AMOUNT },
        "sload" | "dload" | "flow_bytes_per_sec" => Unit { time: -1.0, ..AMOUNT },
        "rate" | "srate" | "drate" | "flow_pkts_per_sec" => Unit { time: -1.0, ..COUNT },
        "packet_len_var" => Unit { size: 2.0, ..FIXED },
        "spkts_ratio" | "sbytes_ratio" | "down_up_ratio" => FIXED,
        _ if name.contains("header_len") || name.starts_with("init_") => FIXED,
        _ if ends("_flags") || ends("_flag_count") => Unit { whole: true, ..COUNT },
        _ if ends("_packets") || ends("_packets_bulk") => COUNT,
        _ if ends("_bulk_rate_avg") => Unit { time: -1.0, ..AMOUNT },
        _ if ends("_bulk_duration_avg") => TIME,
        _ if ends("_bytes") || ends("_len_tot") || ends("_bulk_size_avg") => AMOUNT,
        // Means, deviations and extremes of lengths.
        _ => SIZE,
    }
}

#[cfg(test)]
mod tests {
    use forebay_event::feature::{DURATION, FLOW_BYTES_PER_SEC, SBYTES, SPKTS, SPKTS_RATIO};

    use super::*;

    #[test]
    fn unknown_zero_and_ratios_stay() {
        let mut features = Features::UNKNOWN;
        features.0[SBYTES] = 0.0;
        features.0[SPKTS_RATIO] = 0.4;
        Jitter::default().apply(&mut features, &mut Random::new(1, 1));
        assert!(features.0[DURATION].is_nan());
        assert_eq!((features.0[SBYTES], features.0[SPKTS_RATIO]), (0.0, 0.4));
    }

    #[test]
    fn copies_differ_and_keep_their_relations() {
        let mut features = Features::UNKNOWN;
        features.0[DURATION] = 1e6;
        features.0[SPKTS] = 1.0;
        features.0[SBYTES] = 1e6;
        features.0[FLOW_BYTES_PER_SEC] = 1e6;
        let (mut one, mut other) = (features, features);
        Jitter::default().apply(&mut one, &mut Random::new(1, 1));
        Jitter::default().apply(&mut other, &mut Random::new(1, 2));
        assert_ne!(one.0[DURATION], other.0[DURATION]);
        assert_eq!(one.0[SPKTS], 1.0);
        let rate = one.0[SBYTES] / (one.0[DURATION] / 1e6);
        assert!((one.0[FLOW_BYTES_PER_SEC] / rate - 1.0).abs() < 0.15, "{rate} {:?}", one.0[FLOW_BYTES_PER_SEC]);
    }
}
