//! Flows that could have been: packets of a few sizes at a few rates in both directions, the features following from them as
//! a flow meter would compute them; what only TCP has is unknown elsewhere.

use forebay_event::feature as at;
use forebay_event::{Event, Features};

use super::Random;

const HEADER: f64 = 40.0;

/// What the features follow from.
struct Traffic {
    forward: f64,
    backward: f64,
    payload_forward: f64,
    payload_backward: f64,
    seconds: f64,
    /// 0..1: how unevenly packets come and how much their sizes differ.
    spread: f64,
}

pub fn flow(random: &mut Random) -> Event {
    let mut event = super::event(random);
    event.features = Features::UNKNOWN;
    let forward = (random.unit() * 9.0).exp().ceil();
    let backward = if random.below(4) == 0 { 0.0 } else { (forward * (random.unit() * 4.0 - 2.0).exp()).ceil() };
    let traffic = Traffic {
        forward,
        backward,
        payload_forward: random.unit() * 1400.0,
        payload_backward: random.unit() * 1400.0,
        seconds: if forward + backward == 1.0 { 0.0 } else { (random.unit() * 14.0 - 8.0).exp() },
        spread: random.unit(),
    };
    let f = &mut event.features.0;
    amounts(&traffic, f);
    lengths(&traffic, f);
    times(&traffic, f);
    if event.flow.protocol == 6 {
        tcp(&traffic, random, f);
    }
    event
}

type Values = [f64; forebay_event::FEATURE_COUNT];

fn set(f: &mut Values, values: &[(usize, f64)]) {
    for (place, value) in values {
        f[*place] = *value;
    }
}

fn amounts(t: &Traffic, f: &mut Values) {
    let (sbytes, dbytes) = ((HEADER + t.payload_forward) * t.forward, (HEADER + t.payload_backward) * t.backward);
    let rate = |amount: f64| if t.seconds > 0.0 { amount / t.seconds } else { 0.0 };
    let packets = t.forward + t.backward;
    set(
        f,
        &[
            (at::SPKTS, t.forward),
            (at::DPKTS, t.backward),
            (at::SBYTES, sbytes),
            (at::DBYTES, dbytes),
            (at::SLOAD, rate(sbytes * 8.0)),
            (at::DLOAD, rate(dbytes * 8.0)),
            (at::RATE, rate(packets)),
            (at::SRATE, rate(t.forward)),
            (at::DRATE, rate(t.backward)),
            (at::FLOW_PKTS_PER_SEC, rate(packets)),
            (at::FLOW_BYTES_PER_SEC, rate(sbytes + dbytes)),
            (at::SPKTS_RATIO, t.forward / packets),
            (at::SBYTES_RATIO, sbytes / (sbytes + dbytes)),
            (at::DOWN_UP_RATIO, dbytes / sbytes),
            (at::SUBFLOW_FWD_PACKETS, t.forward),
            (at::SUBFLOW_FWD_BYTES, sbytes),
            (at::SUBFLOW_BWD_PACKETS, t.backward),
            (at::SUBFLOW_BWD_BYTES, dbytes),
            (at::PACKET_LEN_MEAN, (sbytes + dbytes) / packets),
        ],
    );
}

fn lengths(t: &Traffic, f: &mut Values) {
    let total = t.payload_forward * t.forward + t.payload_backward * t.backward;
    let mean_backward = if t.backward > 0.0 { HEADER + t.payload_backward } else { 0.0 };
    set(
        f,
        &[
            (at::SMEAN, HEADER + t.payload_forward),
            (at::DMEAN, mean_backward),
            (at::PACKET_LEN_MAX, HEADER + t.payload_forward.max(t.payload_backward)),
            (at::PACKET_LEN_MIN, HEADER),
            (at::PACKET_LEN_STD, 300.0 * t.spread),
            (at::PACKET_LEN_VAR, (300.0 * t.spread).powi(2)),
            (at::FWD_LEN_MAX, HEADER + t.payload_forward),
            (at::FWD_LEN_MIN, HEADER),
            (at::FWD_LEN_STD, 300.0 * t.spread),
            (at::FWD_LEN_TOT, t.payload_forward * t.forward),
            (at::BWD_LEN_MAX, mean_backward),
            (at::BWD_LEN_MIN, mean_backward.min(HEADER)),
            (at::BWD_LEN_STD, 200.0 * t.spread),
            (at::BWD_LEN_TOT, t.payload_backward * t.backward),
            (at::FWD_HEADER_LEN_MEAN, HEADER),
            (at::BWD_HEADER_LEN_MEAN, HEADER),
            (at::AVG_PACKET_SIZE, total / (t.forward + t.backward)),
            (at::AVG_FWD_SEGMENT_SIZE, t.payload_forward),
            (at::AVG_BWD_SEGMENT_SIZE, t.payload_backward),
        ],
    );
}

fn times(t: &Traffic, f: &mut Values) {
    let us = (t.seconds * 1e6).round();
    let gap = |packets: f64| if packets > 1.0 { us / (packets - 1.0) } else { 0.0 };
    let (both, forward, backward) = (gap(t.forward + t.backward), gap(t.forward), gap(t.backward));
    let (most, least) = (1.0 + 5.0 * t.spread, 1.0 - t.spread);
    set(
        f,
        &[
            (at::DURATION, us),
            (at::FLOW_IAT_MEAN, both),
            (at::FLOW_IAT_STD, both * t.spread),
            (at::FLOW_IAT_MAX, both * most),
            (at::FLOW_IAT_MIN, both * least),
            (at::FWD_IAT_MEAN, forward),
            (at::FWD_IAT_STD, forward * t.spread),
            (at::FWD_IAT_MAX, forward * most),
            (at::FWD_IAT_MIN, forward * least),
            (at::FWD_IAT_TOT, forward * (t.forward - 1.0)),
            (at::BWD_IAT_MEAN, backward),
            (at::BWD_IAT_TOT, backward * (t.backward - 1.0).max(0.0)),
            (at::ACTIVE_MEAN, us.min(5e6)),
            (at::ACTIVE_MAX, us.min(5e6)),
            (at::IDLE_MEAN, 0.0),
            (at::IDLE_MAX, 0.0),
        ],
    );
}

fn tcp(t: &Traffic, random: &mut Random, f: &mut Values) {
    let (push_forward, push_backward) = ((t.forward * t.spread).floor(), (t.backward * t.spread).floor());
    set(
        f,
        &[
            (at::SYN_FLAG_COUNT, 2.0),
            (at::FIN_FLAG_COUNT, random.below(3) as f64),
            (at::RST_FLAG_COUNT, random.below(2) as f64),
            (at::ACK_FLAG_COUNT, t.forward + t.backward - 1.0),
            (at::PSH_FLAG_COUNT, push_forward + push_backward),
            (at::FWD_PSH_FLAGS, push_forward),
            (at::BWD_PSH_FLAGS, push_backward),
            (at::FWD_URG_FLAGS, 0.0),
            (at::BWD_URG_FLAGS, 0.0),
            (at::URG_FLAG_COUNT, 0.0),
            (at::INIT_FWD_WIN_BYTES, [64_240.0, 65_535.0, 1024.0, 29_200.0][random.below(4) as usize]),
            (at::INIT_BWD_WIN_BYTES, [65_160.0, 28_960.0, 0.0][random.below(3) as usize]),
        ],
    );
}
