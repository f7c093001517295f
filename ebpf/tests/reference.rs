//! Goal: the meter computes what the event schema says, for any sequence of packets.
//!
//! Method: packets of a few flows are generated with gaps on both sides of every timeout, and flags that open, close and
//! reset. They go through the meter as a capture file, and through the slow meter of `support/slow.rs` as they are. Both must
//! cut the same flows, and agree on all 83 features to 1e-9.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::net::IpAddr;

use forebay_ebpf::MeterConfig;
use forebay_event::{Event, feature};
use proptest::prelude::*;

use support::frame::{Seen, pcap_of};
use support::run;
use support::slow::{self, SlowEvent, Timeouts};

const START_US: i64 = 1_700_000_000_000_000;

const ENDS: [(&str, u16, &str, u16, u8); 7] = [
    ("10.0.0.1", 40_000, "10.0.0.2", 80, 6),
    ("10.0.0.2", 40_000, "10.0.0.1", 80, 6),
    ("10.0.0.1", 40_000, "10.0.0.2", 80, 17),
    ("2001:db8::1", 5_000, "2001:db8::2", 443, 6),
    ("2001:db8::2", 5_000, "2001:db8::1", 5_000, 132),
    ("10.0.0.9", 0, "10.0.0.1", 0, 1),
    ("fe80::1", 0, "fe80::2", 0, 89),
];

/// Flags as connections use them; the first is by far the commonest.
const FLAGS: [u8; 12] = [0x10, 0x18, 0x02, 0x12, 0x11, 0x11, 0x01, 0x14, 0x04, 0x38, 0xd0, 0x00];

/// One packet to be: which flow, which way, after which gap, and what it carries.
type Step = (usize, bool, i64, usize, u16, u16, u8);

fn steps(gaps: impl Strategy<Value = i64>) -> impl Strategy<Value = Vec<Step>> {
    let payload = prop_oneof![3 => Just(0u16), 3 => 1u16..1400];
    let flags = prop_oneof![6 => 0usize..2, 2 => 0usize..7, 1 => 0usize..FLAGS.len()];
    let step = (0..ENDS.len(), prop::bool::weighted(0.6), gaps, flags, payload, any::<u16>(), 0u8..=10);
    (prop::collection::vec(step, 1..80), prop::option::of(0..ENDS.len())).prop_map(|(mut steps, only)| {
        // Half of the sequences are one flow, so that long ones come about.
        if let Some(only) = only {
            for step in &mut steps {
                step.0 = only;
            }
        }
        steps
    })
}

/// Gaps on both sides of everything that is decided by a gap; time never goes back.
fn gaps_at_every_edge() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => Just(0i64),
        6 => 1i64..2_000,
        2 => 1i64..900_000,
        1 => 999_999i64..=1_000_001,
        1 => 4_999_999i64..=5_000_001,
        1 => 5_000_002i64..60_000_000,
        1 => 119_999_999i64..=120_000_001,
        1 => 120_000_002i64..400_000_000,
    ]
}

/// Small steps back in time, and large ones forward that stay clear of the timeouts.
fn gaps_with_jitter() -> impl Strategy<Value = i64> {
    prop_oneof![2 => -500i64..0, 6 => 0i64..2_000, 2 => (1i64..20).prop_map(|n| n * 7_000_000)]
}

fn packets(steps: &[Step]) -> Vec<Seen> {
    let mut now = START_US;
    let mut packets = Vec::new();
    for (ends, forward, gap, flags, payload, window, options) in steps {
        now += gap;
        let (src, src_port, dst, dst_port, protocol) = ENDS[*ends];
        let (src, dst): (IpAddr, IpAddr) = (src.parse().unwrap(), dst.parse().unwrap());
        let is_tcp = protocol == 6;
        let seen = Seen {
            time_us: now,
            src,
            dst,
            src_port,
            dst_port,
            protocol,
            flags: if is_tcp { FLAGS[*flags] } else { 0 },
            window: *window,
            options: if is_tcp { *options } else { 0 },
            payload: vec![0xa5; usize::from(*payload)],
        };
        packets.push(if *forward { seen } else { turned(seen) });
    }
    packets
}

fn turned(seen: Seen) -> Seen {
    Seen { src: seen.dst, dst: seen.src, src_port: seen.dst_port, dst_port: seen.src_port, ..seen }
}

/// What identifies an event in both meters; two flows can have begun in the same microsecond.
fn slow_key(event: &SlowEvent) -> String {
    let of = |name: &str| event.features.iter().find(|(n, _)| *n == name).unwrap().1;
    let key = (event.start_us, event.src, event.dst, event.protocol, event.segment, event.end_us);
    format!("{key:?} {} {} {} {}", of("spkts"), of("dpkts"), of("sbytes"), of("dbytes"))
}

fn key(event: &Event) -> String {
    let (flow, of) = (&event.flow, |place: usize| event.features.0[place]);
    let (src, dst) = ((flow.src_ip, flow.src_port), (flow.dst_ip, flow.dst_port));
    let key = (event.start_us, src, dst, flow.protocol, flow.segment, event.end_us);
    let counts = [feature::SPKTS, feature::DPKTS, feature::SBYTES, feature::DBYTES].map(of);
    format!("{key:?} {} {} {} {}", counts[0], counts[1], counts[2], counts[3])
}

fn near(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn compare(packets: &[Seen], timeouts: Timeouts) -> Result<(), TestCaseError> {
    let config = MeterConfig {
        idle_timeout_us: timeouts.idle,
        active_timeout_us: timeouts.active,
        activity_timeout_us: timeouts.activity,
        ..MeterConfig::default()
    };
    let run = run::meter(pcap_of(packets), config);
    prop_assert!(run.failure.is_none());
    prop_assert_eq!(run.counters["packets_accepted"], packets.len() as u64);
    let mut fast: Vec<(String, Event)> = run.events.into_iter().map(|event| (key(&event), event)).collect();
    let mut slow: Vec<(String, SlowEvent)> =
        slow::meter(packets, timeouts).into_iter().map(|event| (slow_key(&event), event)).collect();
    fast.sort_by(|a, b| a.0.cmp(&b.0));
    slow.sort_by(|a, b| a.0.cmp(&b.0));
    let names = |keys: Vec<&String>| keys.into_iter().cloned().collect::<Vec<_>>();
    prop_assert_eq!(names(fast.iter().map(|e| &e.0).collect()), names(slow.iter().map(|e| &e.0).collect()));
    for ((key, fast), (_, slow)) in fast.iter().zip(&slow) {
        prop_assert_eq!(slow.features.len(), feature::FEATURE_COUNT);
        for (name, value) in &slow.features {
            let ours = fast.features.0[feature::place_of(name).unwrap()];
            prop_assert!(near(ours, *value), "{} is {} and should be {} in {}", name, ours, value, key);
        }
    }
    Ok(())
}

const DEFAULT: Timeouts = Timeouts { idle: 120_000_000, active: 120_000_000, activity: 5_000_000 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_meter_is_the_slow_meter(steps in steps(gaps_at_every_edge())) {
        compare(&packets(&steps), DEFAULT)?;
    }

    #[test]
    fn so_it_is_with_other_timeouts(steps in steps(gaps_at_every_edge()), active in 0i64..3_600_000_000) {
        compare(&packets(&steps), Timeouts { idle: 1_000_000, active, activity: 2_000 })?;
        compare(&packets(&steps), Timeouts { idle: 300_000_000, active: 3_600_000_000, activity: 1_000_000 })?;
    }

    #[test]
    fn so_it_is_where_time_trembles(steps in steps(gaps_with_jitter())) {
        compare(&packets(&steps), DEFAULT)?;
    }
}
