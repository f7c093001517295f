//! Features that follow from five totals, by their definitions in the schema.
//!
//! Most sources know how long a flow was and how much went each way. What can be worked out from that is worked out here,
//! once, so that a rate means the same whatever the source; a total that is NaN makes everything that needs it NaN.

use crate::Features;
use crate::feature::{
    DBYTES, DLOAD, DMEAN, DOWN_UP_RATIO, DPKTS, DRATE, DURATION, FLOW_BYTES_PER_SEC, FLOW_PKTS_PER_SEC,
    PACKET_LEN_MEAN, RATE, SBYTES, SBYTES_RATIO, SLOAD, SMEAN, SPKTS, SPKTS_RATIO, SRATE,
};

const US_PER_S: f64 = 1e6;
const BITS_PER_BYTE: f64 = 8.0;

/// What was counted; NaN where the source does not say. Bytes are IP bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    pub(crate) duration_us: f64,
    pub(crate) forward_packets: f64,
    pub(crate) backward_packets: f64,
    pub(crate) forward_bytes: f64,
    pub(crate) backward_bytes: f64,
}

impl Totals {
    /// Writes the totals and what follows from them.
    pub(crate) fn fill(&self, features: &mut Features) {
        let Self { duration_us, forward_packets, backward_packets, forward_bytes, backward_bytes } = *self;
        let packets = forward_packets + backward_packets;
        let bytes = forward_bytes + backward_bytes;
        let per_second = |amount: f64| if duration_us == 0.0 { amount * 0.0 } else { amount * US_PER_S / duration_us };
        let values = [
            (DURATION, duration_us),
            (SPKTS, forward_packets),
            (DPKTS, backward_packets),
            (SBYTES, forward_bytes),
            (DBYTES, backward_bytes),
            (SLOAD, per_second(forward_bytes * BITS_PER_BYTE)),
            (DLOAD, per_second(backward_bytes * BITS_PER_BYTE)),
            (SMEAN, share(forward_bytes, forward_packets)),
            (DMEAN, share(backward_bytes, backward_packets)),
            (PACKET_LEN_MEAN, share(bytes, packets)),
            (RATE, per_second(packets)),
            (SRATE, per_second(forward_packets)),
            (DRATE, per_second(backward_packets)),
            (SPKTS_RATIO, share(forward_packets, packets)),
            (SBYTES_RATIO, share(forward_bytes, bytes)),
            (FLOW_PKTS_PER_SEC, per_second(packets)),
            (FLOW_BYTES_PER_SEC, per_second(bytes)),
            (DOWN_UP_RATIO, share(backward_bytes, forward_bytes)),
        ];
        for (place, value) in values {
            features.0[place] = finite(value);
        }
    }
}

/// `part / whole`; 0 of nothing is 0, as the schema has it for means and ratios.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { part * 0.0 } else { part / whole }
}

/// `value`, or NaN where arithmetic on absurd totals left the range of numbers.
pub(crate) fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_from_totals() {
        let mut features = Features::UNKNOWN;
        let totals = Totals {
            duration_us: 2e6,
            forward_packets: 3.0,
            backward_packets: 1.0,
            forward_bytes: 300.0,
            backward_bytes: 100.0,
        };
        totals.fill(&mut features);
        assert_eq!(features.0[SLOAD], 1200.0);
        assert_eq!(features.0[RATE], 2.0);
        assert_eq!(features.0[SPKTS_RATIO], 0.75);
        assert_eq!(features.0[DOWN_UP_RATIO], 100.0 / 300.0);
    }

    #[test]
    fn an_unknown_total_makes_only_what_needs_it_unknown() {
        let mut features = Features::UNKNOWN;
        let totals = Totals {
            duration_us: 0.0,
            forward_packets: 1.0,
            backward_packets: 0.0,
            forward_bytes: f64::NAN,
            backward_bytes: 0.0,
        };
        totals.fill(&mut features);
        assert_eq!(features.0[RATE], 0.0, "rates are 0 when the duration is 0");
        assert_eq!(features.0[SPKTS_RATIO], 1.0);
        assert!(features.known(SLOAD).is_none() && features.known(DOWN_UP_RATIO).is_none());
    }
}
