//! Arbitrary valid events, for the property tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use forebay_event::limits::{TIME_US_MAX, TIME_US_MIN};
use forebay_event::{
    App, Class, Event, EventId, FEATURE_COUNT, Features, Flow, Integrity, Label, SCHEMA_VERSION, Scores, Verdict,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Text of at most `bytes` bytes with every kind of character in it, control characters and astral planes included.
pub(crate) fn text(bytes: usize) -> impl Strategy<Value = String> {
    vec(prop_oneof![any::<char>(), prop::char::range('\0', '\u{20}'), Just('"'), Just('\\')], 0..40).prop_map(
        move |chars| {
            let mut text = String::new();
            for char in chars {
                if text.len() + char.len_utf8() <= bytes {
                    text.push(char);
                }
            }
            text
        },
    )
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits))),
        any::<u32>().prop_map(|bits| IpAddr::V6(Ipv4Addr::from(bits).to_ipv6_mapped())),
    ]
}

fn flow() -> impl Strategy<Value = Flow> {
    let ends = (address(), address(), any::<u16>(), any::<u16>());
    (ends, any::<u8>(), option::of(0u16..=4095), any::<u32>(), text(64)).prop_map(
        |((src_ip, dst_ip, src_port, dst_port), protocol, vlan, segment, community_id)| Flow {
            src_ip,
            dst_ip,
            src_port,
            dst_port,
            protocol,
            vlan,
            segment,
            community_id,
        },
    )
}

fn score() -> impl Strategy<Value = Option<f32>> {
    option::of(prop_oneof![
        0.0f32..=1.0,
        Just(0.0),
        Just(-0.0),
        Just(1.0),
        Just(f32::MIN_POSITIVE),
        Just(f32::from_bits(1)),
        (0u32..=1.0f32.to_bits()).prop_map(f32::from_bits),
    ])
}

fn feature() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        any::<f64>().prop_map(|value| if value.is_finite() { value.abs() } else { 0.0 }),
        any::<u64>().prop_map(f64::from_bits).prop_map(|value| if value.is_finite() { value.abs() } else { -0.0 }),
        any::<u64>().prop_map(|value| value as f64),
        0.0..1e9f64,
        Just(f64::MAX),
        Just(f64::from_bits(1)),
    ]
}

fn class() -> impl Strategy<Value = Class> {
    let verdict = prop_oneof![Just(Verdict::Benign), Just(Verdict::Suspicious), Just(Verdict::Malicious)];
    (option::of(verdict), option::of(text(64)), option::of(text(64))).prop_map(|(verdict, family, technique)| Class {
        verdict,
        family,
        technique,
    })
}

fn integrity() -> impl Strategy<Value = Integrity> {
    (any::<u64>(), text(128), text(128)).prop_map(|(seq, prev, mac)| Integrity { seq, prev, mac })
}

/// Any event that the schema allows.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    let time = || prop_oneof![TIME_US_MIN..=TIME_US_MAX, Just(TIME_US_MIN), Just(TIME_US_MAX), Just(0)];
    let times = (time(), time()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let origin = (text(64), text(64), text(64));
    let app = (option::of(text(64)), option::of(text(255))).prop_map(|(protocol, host)| App { protocol, host });
    let scores = (score(), score(), score(), score()).prop_map(|(fast, ml, r#final, divergence)| Scores {
        fast,
        ml,
        r#final,
        divergence,
    });
    let label = (option::of(text(64)), any::<bool>()).prop_map(|(truth, validated)| Label { truth, validated });
    let id = (any::<i64>(), any::<u64>()).prop_map(|(time, bits)| EventId::derive(time, &[&bits.to_le_bytes()]));
    let features = vec(feature(), FEATURE_COUNT).prop_map(|values| {
        let mut features = Features::UNKNOWN;
        features.0.copy_from_slice(&values);
        features
    });
    let judgement = (scores, class(), label, option::of(integrity()));
    (id, times, origin, flow(), app, judgement, features).prop_map(
        |(event_id, times, origin, flow, app, (scores, class, label, integrity), features)| Event {
            schema_version: SCHEMA_VERSION.to_owned(),
            event_id,
            start_us: times.0,
            end_us: times.1,
            node_id: origin.0,
            sensor: origin.1,
            interface: origin.2,
            flow,
            app,
            scores,
            class,
            label,
            features,
            integrity,
        },
    )
}

/// Whether `a` and `b` are the same event to the bit; `==` is false wherever a feature is unknown.
#[allow(dead_code)] // each test file takes what it needs
pub(crate) fn same(a: &Event, b: &Event) -> bool {
    let bits = |event: &Event| event.features.0.map(|value| if value.is_nan() { u64::MAX } else { value.to_bits() });
    let score_bits = |event: &Event| {
        let scores = &event.scores;
        [scores.fast, scores.ml, scores.r#final, scores.divergence].map(|score| score.map(f32::to_bits))
    };
    let plain = |event: &Event| Event { features: Features([0.0; FEATURE_COUNT]), ..event.clone() };
    bits(a) == bits(b) && score_bits(a) == score_bits(b) && plain(a) == plain(b)
}
