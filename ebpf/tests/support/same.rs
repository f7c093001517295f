//! Events of two meters side by side.

use std::collections::BTreeMap;

use forebay_event::{Event, feature};

use super::slow::SlowEvent;

/// What tells an event from others of its capture, identifiers apart.
fn key(event: &Event) -> String {
    let flow = &event.flow;
    let ends = (flow.src_ip, flow.src_port, flow.dst_ip, flow.dst_port, flow.protocol, flow.vlan);
    let of = [feature::SPKTS, feature::DPKTS, feature::SBYTES, feature::DBYTES].map(|place| event.features.0[place]);
    format!("{:?} {} {} {:?} {of:?} {}", event.start_us, event.end_us, flow.segment, ends, flow.community_id)
}

/// Features with NaN equal to itself.
fn bits(event: &Event) -> Vec<u64> {
    event.features.0.iter().map(|value| if value.is_nan() { u64::MAX } else { value.to_bits() }).collect()
}

/// Both hold the same flows, and all 83 features of each are the same to the last bit.
pub fn assert_same(what: &str, native: &[Event], kernel: &[Event]) {
    let index = |events: &[Event]| {
        let mut by_key: BTreeMap<String, Vec<Vec<u64>>> = BTreeMap::new();
        for event in events {
            by_key.entry(key(event)).or_default().push(bits(event));
        }
        for all in by_key.values_mut() {
            all.sort();
        }
        by_key
    };
    let (native, kernel) = (index(native), index(kernel));
    for key in native.keys() {
        assert!(kernel.contains_key(key), "{what}: only the native meter has {key}");
    }
    for (key, features) in &kernel {
        let Some(expected) = native.get(key) else { panic!("{what}: only the kernel has {key}") };
        assert_eq!(features.len(), expected.len(), "{what}: {key}");
        for (ours, theirs) in features.iter().zip(expected) {
            let place = ours.iter().zip(theirs).position(|(a, b)| a != b);
            assert_eq!(place, None, "{what}: feature {:?} of {key}", place.map(|at| feature::FEATURE_NAMES[at]));
        }
    }
}

/// The same of the slow meter, to 1e-9.
pub fn assert_near(what: &str, fast: &[Event], slow: &[SlowEvent]) {
    assert_eq!(fast.len(), slow.len(), "{what}");
    let of = |event: &SlowEvent, name: &str| event.features.iter().find(|(n, _)| *n == name).unwrap().1;
    let slow_key = |event: &SlowEvent| {
        let counts = ["spkts", "dpkts", "sbytes", "dbytes"].map(|name| of(event, name));
        format!("{:?}", (event.start_us, event.end_us, event.src, event.dst, event.protocol, event.segment, counts))
    };
    let fast_key = |event: &Event| {
        let (flow, at) = (&event.flow, |place: usize| event.features.0[place]);
        let counts = [feature::SPKTS, feature::DPKTS, feature::SBYTES, feature::DBYTES].map(at);
        let (src, dst) = ((flow.src_ip, flow.src_port), (flow.dst_ip, flow.dst_port));
        format!("{:?}", (event.start_us, event.end_us, src, dst, flow.protocol, flow.segment, counts))
    };
    let mut fast: Vec<(String, &Event)> = fast.iter().map(|event| (fast_key(event), event)).collect();
    let mut slow: Vec<(String, &SlowEvent)> = slow.iter().map(|event| (slow_key(event), event)).collect();
    fast.sort_by(|a, b| a.0.cmp(&b.0));
    slow.sort_by(|a, b| a.0.cmp(&b.0));
    for ((key, fast), (slow_key, slow)) in fast.iter().zip(&slow) {
        assert_eq!(key, slow_key, "{what}");
        assert_eq!(slow.features.len(), feature::FEATURE_COUNT);
        for (name, value) in &slow.features {
            let ours = fast.features.0[feature::place_of(name).unwrap()];
            let near = (ours.is_nan() && value.is_nan()) || (ours - value).abs() <= 1e-9 * ours.abs().max(value.abs());
            assert!(near, "{what}: {name} is {ours} and should be {value} in {key}");
        }
    }
}
