//! Promise: a search finds exactly the events that `Filter::matches` says, for any filter within the limits.
//!
//! Method: 900 events full of awkward values (NaN, infinities, both zeros, mapped addresses, names in mixed case) in four
//! segments; random filter trees; every page of the search against a loop over all events. Timeline and facets must
//! count the same events.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use forebay_event::{Event, EventId, Verdict, service};
use forebay_index::filter::{Compare, End, Filter, HostMatch};
use forebay_index::{Index, Search};
use proptest::prelude::*;

const SEED: u64 = 1;
const ENDS: [u64; 4] = [400, 401, 650, 900];

struct World {
    index: Index,
    events: Vec<Event>,
    _dir: tempfile::TempDir,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let index = common::index(dir.path(), common::options(), SEED, &ENDS);
        World { index, events: common::events(SEED, 0, ENDS[3]), _dir: dir }
    })
}

fn leaf() -> impl Strategy<Value = Filter> {
    let end = || prop_oneof![Just(End::Src), Just(End::Dst), Just(End::Any)];
    let net = (prop::sample::select(&common::ADDRESSES[..]), 0u8..=128).prop_map(|(address, length)| {
        let address: std::net::IpAddr = address.parse().unwrap();
        let most = if address.is_ipv4() { 32 } else { 128 };
        ipnet::IpNet::new(address, length.min(most)).unwrap()
    });
    let port = prop_oneof![prop::sample::select(&common::PORTS[..]), any::<u16>()];
    let time = || prop::option::of((0i64..86_400_000_000).prop_map(|us| common::EPOCH_US + us));
    let number = prop_oneof![
        prop::sample::select(&common::VALUES[..]).prop_filter("finite", |v| v.is_finite()),
        (0i32..2_000).prop_map(|n| f64::from(n) / 7.0),
    ];
    let feature = prop::sample::select(
        &["duration", "spkts", "sbytes", "bytes", "packets", "rate", "flow_iat_mean", "idle_max", "rst_flag_count"][..],
    );
    let op = prop::sample::select(&[Compare::Lt, Compare::Le, Compare::Eq, Compare::Ge, Compare::Gt][..]);
    let how = prop::sample::select(&[HostMatch::Exact, HostMatch::Domain, HostMatch::Contains][..]);
    let host = prop::sample::select(&["example.org", "EXAMPLE.org", "org", "e", "corp.internal", ".", "absent"][..]);
    let verdict = prop::sample::select(&[Verdict::Benign, Verdict::Suspicious, Verdict::Malicious][..]);
    prop_oneof![
        (end(), net).prop_map(|(end, net)| Filter::Ip { end, net }),
        (end(), port.clone(), port).prop_map(|(end, a, b)| Filter::Port { end, from: a.min(b), to: a.max(b) }),
        prop::sample::select(&[1u8, 6, 17, 58, 200, 255][..]).prop_map(Filter::Protocol),
        prop::sample::select(&["ssh", "https", "DNS", "unknown", "icmp", "gre", "web"][..])
            .prop_map(|name| Filter::Service(name.to_owned())),
        (time(), time()).prop_map(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => Filter::Time { from_us: Some(a.min(b)), to_us: Some(a.max(b) + 1) },
            (from_us, to_us) => Filter::Time { from_us, to_us },
        }),
        verdict.prop_map(Filter::Verdict),
        prop::sample::select(&["PORT_scan", "brute_force", "c2", "none"][..])
            .prop_map(|family| Filter::Family(family.to_owned())),
        (how, host).prop_map(|(how, host)| Filter::Host { how, host: host.to_owned() }),
        (feature, op, number).prop_map(|(name, op, value)| Filter::Feature { name: name.to_owned(), op, value }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn a_search_finds_what_the_filter_means(filter in filter()) {
        let world = world();
        let expected: BTreeSet<EventId> =
            world.events.iter().filter(|event| filter.matches(event)).map(|event| event.event_id).collect();
        let found = world.index.search(&Search { filter: filter.clone(), k: 1_000, ..Search::default() }).unwrap();
        let got: BTreeSet<EventId> = found.hits.iter().map(|hit| hit.event.event_id).collect();
        prop_assert_eq!(found.hits.len(), expected.len(), "{}", filter);
        prop_assert_eq!(found.matching, expected.len() as u64);
        prop_assert_eq!(&got, &expected, "{}", filter);
        prop_assert!(found.cursor.is_none());
        check_summary(&found, world.events.iter().filter(|event| filter.matches(event)))?;
        // What the answer says of each hit holds of it.
        for hit in &found.hits {
            prop_assert!(filter.met_by(&hit.event).len() <= 24);
        }
    }

    /// A filter survives its JSON, so that what a person corrects is what is searched.
    #[test]
    fn a_filter_comes_back_from_json(filter in filter()) {
        let text = serde_json::to_string(&filter).unwrap();
        prop_assert_eq!(serde_json::from_str::<Filter>(&text).unwrap(), filter);
    }
}

fn check_summary<'a>(
    found: &forebay_index::Found,
    events: impl Iterator<Item = &'a Event> + Clone,
) -> Result<(), TestCaseError> {
    prop_assert!(found.timeline.len() <= 60);
    for (bin, next) in found.timeline.iter().zip(found.timeline.iter().skip(1)) {
        prop_assert_eq!(bin.to_us, next.from_us);
    }
    for bin in &found.timeline {
        let inside = events.clone().filter(|event| (bin.from_us..bin.to_us).contains(&event.start_us)).count();
        prop_assert_eq!(bin.events, inside as u64);
    }
    prop_assert_eq!(found.timeline.iter().map(|bin| bin.events).sum::<u64>(), found.matching);

    let mut services: HashMap<&str, u64> = HashMap::new();
    let mut sources: HashMap<String, u64> = HashMap::new();
    for event in events {
        *services.entry(service::SERVICES[service::service_of(event)].name).or_default() += 1;
        *sources.entry(event.flow.src_ip.to_canonical().to_string()).or_default() += 1;
    }
    let mut most: Vec<u64> = sources.values().copied().collect();
    most.sort_unstable_by(|a, b| b.cmp(a));
    most.truncate(10);
    prop_assert_eq!(found.facets.src_ips.iter().map(|value| value.events).collect::<Vec<_>>(), most);
    for value in &found.facets.src_ips {
        prop_assert_eq!(sources.get(&value.value), Some(&value.events));
    }
    for value in &found.facets.services {
        prop_assert_eq!(services.get(value.value.as_str()), Some(&value.events));
    }
    Ok(())
}
