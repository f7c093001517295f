//! The 83 features, computed from a flow's integer state when it ends.
//!
//! Sums and sums of squares are exact integers, so that a variance is too until its last division:
//! `(n * sum(x^2) - sum(x)^2) / n^2` in 128 bits. Means, extremes and deviations of no packets are 0; the TCP window of
//! a packet that did not come is unknown (NaN), as is that of other protocols.

use forebay_event::Features;
use forebay_event::feature as f;

use crate::core::{DirectionState, FlowState};

const TCP: u8 = 6;
const US_PER_S: f64 = 1e6;

/// The features of a flow that has ended ([`FlowState::end`]) and spoke `protocol`.
pub(crate) fn features_of(state: &FlowState, protocol: u8) -> Features {
    let mut out = [0.0; f::FEATURE_COUNT];
    totals(&mut out, state);
    rates(&mut out, state);
    lengths(&mut out, state);
    gaps(&mut out, state);
    flags(&mut out, state);
    periods(&mut out, state);
    subflows(&mut out, state);
    bulks(&mut out, &state.way[0], &FORWARD_BULK);
    bulks(&mut out, &state.way[1], &BACKWARD_BULK);
    out[f::INIT_FWD_WIN_BYTES] = window(&state.way[0], protocol);
    out[f::INIT_BWD_WIN_BYTES] = window(&state.way[1], protocol);
    Features(out)
}

/// Places of the four bulk features of one direction.
struct BulkPlaces {
    rate: usize,
    size: usize,
    duration: usize,
    packets: usize,
}

const FORWARD_BULK: BulkPlaces = BulkPlaces {
    rate: f::FWD_BULK_RATE_AVG,
    size: f::FWD_BULK_SIZE_AVG,
    duration: f::FWD_BULK_DURATION_AVG,
    packets: f::FWD_AVG_PACKETS_BULK,
};

const BACKWARD_BULK: BulkPlaces = BulkPlaces {
    rate: f::BWD_BULK_RATE_AVG,
    size: f::BWD_BULK_SIZE_AVG,
    duration: f::BWD_BULK_DURATION_AVG,
    packets: f::BWD_AVG_PACKETS_BULK,
};

fn totals(out: &mut [f64], state: &FlowState) {
    let [fwd, bwd] = &state.way;
    let (spkts, dpkts) = (f64::from(fwd.packets), f64::from(bwd.packets));
    let (sbytes, dbytes) = (fwd.bytes as f64, bwd.bytes as f64);
    out[f::DURATION] = f64::from(state.last);
    out[f::SPKTS] = spkts;
    out[f::DPKTS] = dpkts;
    out[f::SBYTES] = sbytes;
    out[f::DBYTES] = dbytes;
    out[f::SPKTS_RATIO] = ratio(spkts, spkts + dpkts);
    out[f::SBYTES_RATIO] = ratio(sbytes, sbytes + dbytes);
    out[f::DOWN_UP_RATIO] = ratio(dbytes, sbytes);
}

fn rates(out: &mut [f64], state: &FlowState) {
    let [fwd, bwd] = &state.way;
    let seconds = f64::from(state.last) / US_PER_S;
    let packets = f64::from(fwd.packets) + f64::from(bwd.packets);
    let bytes = (fwd.bytes + bwd.bytes) as f64;
    out[f::SLOAD] = ratio(fwd.bytes as f64 * 8.0, seconds);
    out[f::DLOAD] = ratio(bwd.bytes as f64 * 8.0, seconds);
    out[f::RATE] = ratio(packets, seconds);
    out[f::SRATE] = ratio(f64::from(fwd.packets), seconds);
    out[f::DRATE] = ratio(f64::from(bwd.packets), seconds);
    out[f::FLOW_PKTS_PER_SEC] = out[f::RATE];
    out[f::FLOW_BYTES_PER_SEC] = ratio(bytes, seconds);
}

fn lengths(out: &mut [f64], state: &FlowState) {
    let [fwd, bwd] = &state.way;
    let packets = u64::from(fwd.packets) + u64::from(bwd.packets);
    let (sum, squares) = (fwd.bytes + bwd.bytes, fwd.bytes_squared + bwd.bytes_squared);
    let variance = variance(packets, sum, squares);
    out[f::PACKET_LEN_MEAN] = mean(sum, packets);
    out[f::PACKET_LEN_VAR] = variance;
    out[f::PACKET_LEN_STD] = variance.sqrt();
    out[f::PACKET_LEN_MAX] = f64::from(fwd.bytes_max.max(bwd.bytes_max));
    let smallest = [fwd, bwd].iter().filter(|way| way.packets > 0).map(|way| way.bytes_min).min();
    out[f::PACKET_LEN_MIN] = f64::from(smallest.unwrap_or(0));
    out[f::AVG_PACKET_SIZE] = mean(fwd.payload + bwd.payload, packets);

    out[f::SMEAN] = mean(fwd.bytes, fwd.packets.into());
    out[f::FWD_LEN_MAX] = f64::from(fwd.bytes_max);
    out[f::FWD_LEN_MIN] = f64::from(fwd.bytes_min);
    out[f::FWD_LEN_TOT] = fwd.payload as f64;
    out[f::FWD_LEN_STD] = deviation(fwd.packets.into(), fwd.bytes, fwd.bytes_squared);
    out[f::AVG_FWD_SEGMENT_SIZE] = mean(fwd.payload, fwd.packets.into());
    out[f::FWD_HEADER_LEN_MEAN] = mean(fwd.header, fwd.packets.into());
    out[f::FWD_HEADER_LEN_MAX] = f64::from(fwd.header_max);
    out[f::FWD_HEADER_LEN_MIN] = f64::from(fwd.header_min);

    out[f::DMEAN] = mean(bwd.bytes, bwd.packets.into());
    out[f::BWD_LEN_MAX] = f64::from(bwd.bytes_max);
    out[f::BWD_LEN_MIN] = f64::from(bwd.bytes_min);
    out[f::BWD_LEN_TOT] = bwd.payload as f64;
    out[f::BWD_LEN_STD] = deviation(bwd.packets.into(), bwd.bytes, bwd.bytes_squared);
    out[f::AVG_BWD_SEGMENT_SIZE] = mean(bwd.payload, bwd.packets.into());
    out[f::BWD_HEADER_LEN_MEAN] = mean(bwd.header, bwd.packets.into());
    out[f::BWD_HEADER_LEN_MAX] = f64::from(bwd.header_max);
    out[f::BWD_HEADER_LEN_MIN] = f64::from(bwd.header_min);
}

fn gaps(out: &mut [f64], state: &FlowState) {
    let [fwd, bwd] = &state.way;
    let count = (u64::from(fwd.packets) + u64::from(bwd.packets)).saturating_sub(1);
    out[f::FLOW_IAT_MEAN] = mean(state.last.into(), count);
    out[f::FLOW_IAT_STD] = deviation(count, state.last.into(), state.iat_squared);
    out[f::FLOW_IAT_MAX] = f64::from(state.iat_max);
    out[f::FLOW_IAT_MIN] = f64::from(state.iat_min);

    let (count, sum) = (u64::from(fwd.packets).saturating_sub(1), u64::from(fwd.last - fwd.first));
    out[f::FWD_IAT_MEAN] = mean(sum, count);
    out[f::FWD_IAT_STD] = deviation(count, sum, fwd.iat_squared);
    out[f::FWD_IAT_MAX] = f64::from(fwd.iat_max);
    out[f::FWD_IAT_MIN] = f64::from(fwd.iat_min);
    out[f::FWD_IAT_TOT] = sum as f64;

    let (count, sum) = (u64::from(bwd.packets).saturating_sub(1), u64::from(bwd.last - bwd.first));
    out[f::BWD_IAT_MEAN] = mean(sum, count);
    out[f::BWD_IAT_STD] = deviation(count, sum, bwd.iat_squared);
    out[f::BWD_IAT_MAX] = f64::from(bwd.iat_max);
    out[f::BWD_IAT_MIN] = f64::from(bwd.iat_min);
    out[f::BWD_IAT_TOT] = sum as f64;
}

fn flags(out: &mut [f64], state: &FlowState) {
    let [fwd, bwd] = &state.way;
    out[f::FWD_PSH_FLAGS] = f64::from(fwd.psh);
    out[f::BWD_PSH_FLAGS] = f64::from(bwd.psh);
    out[f::FWD_URG_FLAGS] = f64::from(fwd.urg);
    out[f::BWD_URG_FLAGS] = f64::from(bwd.urg);
    out[f::FIN_FLAG_COUNT] = f64::from(state.fin);
    out[f::SYN_FLAG_COUNT] = f64::from(state.syn);
    out[f::RST_FLAG_COUNT] = f64::from(state.rst);
    out[f::PSH_FLAG_COUNT] = f64::from(fwd.psh) + f64::from(bwd.psh);
    out[f::ACK_FLAG_COUNT] = f64::from(state.ack);
    out[f::URG_FLAG_COUNT] = f64::from(fwd.urg) + f64::from(bwd.urg);
    out[f::ECE_FLAG_COUNT] = f64::from(state.ece);
    out[f::CWR_FLAG_COUNT] = f64::from(state.cwr);
}

/// Active periods and the idle gaps between them fill the flow's duration, so that one sum gives the other.
fn periods(out: &mut [f64], state: &FlowState) {
    let active_sum = u64::from(state.last - state.idle_sum);
    out[f::ACTIVE_MEAN] = mean(active_sum, u64::from(state.idles) + 1);
    out[f::ACTIVE_MAX] = f64::from(state.active_max.max(state.last - state.active_start));
    out[f::IDLE_MEAN] = mean(state.idle_sum.into(), state.idles.into());
    out[f::IDLE_MAX] = f64::from(state.idle_max);
}

fn subflows(out: &mut [f64], state: &FlowState) {
    let [fwd, bwd] = &state.way;
    let subflows = u64::from(state.subflows);
    out[f::SUBFLOW_FWD_PACKETS] = mean(fwd.packets.into(), subflows);
    out[f::SUBFLOW_FWD_BYTES] = mean(fwd.bytes, subflows);
    out[f::SUBFLOW_BWD_PACKETS] = mean(bwd.packets.into(), subflows);
    out[f::SUBFLOW_BWD_BYTES] = mean(bwd.bytes, subflows);
}

/// Sizes are payload bytes; the rate is over all bulks of the direction together.
fn bulks(out: &mut [f64], way: &DirectionState, places: &BulkPlaces) {
    let bulks = u64::from(way.bulks);
    out[places.rate] = ratio(way.bulk_bytes as f64, f64::from(way.bulk_duration) / US_PER_S);
    out[places.size] = mean(way.bulk_bytes, bulks);
    out[places.duration] = mean(way.bulk_duration.into(), bulks);
    out[places.packets] = mean(way.bulk_packets.into(), bulks);
}

fn window(way: &DirectionState, protocol: u8) -> f64 {
    if protocol == TCP && way.packets > 0 { f64::from(way.window) } else { f64::NAN }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

fn mean(sum: u64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}

/// Variance of the population.
fn variance(count: u64, sum: u64, squares: u64) -> f64 {
    if count < 2 {
        return 0.0;
    }
    let count = u128::from(count);
    // Never negative, by the inequality of Cauchy and Schwarz; saturating all the same.
    let scaled = (count * u128::from(squares)).saturating_sub(u128::from(sum) * u128::from(sum));
    scaled as f64 / (count * count) as f64
}

fn deviation(count: u64, sum: u64, squares: u64) -> f64 {
    variance(count, sum, squares).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_is_exact_where_floating_sums_would_cancel() {
        // Two gaps of an hour that differ by one microsecond.
        let (a, b) = (1_799_999_999u64, 1_800_000_000u64);
        assert_eq!(variance(2, a + b, a * a + b * b), 0.25);
        assert_eq!(variance(1, a, a * a), 0.0);
    }

    #[test]
    fn nothing_divided_by_nothing_is_nothing() {
        assert_eq!(mean(0, 0), 0.0);
        assert_eq!(ratio(5.0, 0.0), 0.0);
    }
}
