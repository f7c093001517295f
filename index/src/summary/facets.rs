//! Matching events by their commonest values.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use forebay_event::service::SERVICES;

use super::Matching;
use super::counts::Counts;
use crate::found::{FacetValue, Facets};
use crate::limits::FACET_VALUES_MAX;
use crate::segment::{Segment, verdict_of};

/// Counts every facet over everything that matches.
pub(crate) fn facets(matching: &[Matching]) -> Facets {
    let counted: Vec<(&Segment, Arc<Counts>)> = matching
        .iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(segment, rows)| (*segment, segment.summary().counts(segment.columns(), rows)))
        .collect();
    let address = |ip: u128| Some(IpAddr::V6(Ipv6Addr::from_bits(ip)).to_canonical().to_string());
    let service = |place: usize| SERVICES.get(place).map(|service| service.name.to_owned());
    let verdict = |number: usize| Some(verdict_of(u8::try_from(number).ok()?)?.as_str().to_owned());
    Facets {
        services: top(by_number(&counted, |counts| &counts.services), service),
        src_ips: top(by_address(&counted, |counts| &counts.src_ips), address),
        dst_ips: top(by_address(&counted, |counts| &counts.dst_ips), address),
        dst_ports: top(by_number(&counted, |counts| &counts.dst_ports), |port| Some(port.to_string())),
        verdicts: top(by_number(&counted, |counts| &counts.verdicts), verdict),
    }
}

/// Values that occur, with their events, from tables by value.
fn by_number(counted: &[(&Segment, Arc<Counts>)], table: impl Fn(&Counts) -> &[u32]) -> Vec<(usize, u64)> {
    let places = counted.iter().map(|(_, counts)| table(counts).len()).max().unwrap_or_default();
    let mut sums = vec![0u64; places];
    for (_, counts) in counted {
        sums.iter_mut().zip(table(counts)).for_each(|(sum, events)| *sum += u64::from(*events));
    }
    sums.into_iter().enumerate().filter(|(_, events)| *events > 0).collect()
}

/// Addresses that occur, with their events, from tables by place in each segment's dictionary.
fn by_address(counted: &[(&Segment, Arc<Counts>)], table: impl Fn(&Counts) -> &[u32]) -> Vec<(u128, u64)> {
    let mut all: Vec<(u128, u64)> = Vec::new();
    for (segment, counts) in counted {
        let addresses = segment.columns().src_ip().dictionary.iter().zip(table(counts));
        all.extend(
            addresses.filter(|(_, events)| **events > 0).map(|(address, events)| (*address, u64::from(*events))),
        );
    }
    if counted.len() > 1 {
        // Dictionaries are in order, so this is a merge of runs, which a stable sort finds.
        all.sort_by_key(|(address, _)| *address);
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
    }
    all
}

/// The commonest values that have a name, most events first, then by name.
fn top<T: Copy>(mut counts: Vec<(T, u64)>, name: impl Fn(T) -> Option<String>) -> Vec<FacetValue> {
    // Only values as common as the last one shown are named: there may be a million addresses.
    if counts.len() > FACET_VALUES_MAX {
        counts.select_nth_unstable_by(FACET_VALUES_MAX - 1, |a, b| b.1.cmp(&a.1));
        let least = counts[FACET_VALUES_MAX - 1].1;
        counts.retain(|(_, events)| *events >= least);
    }
    let mut values: Vec<FacetValue> =
        counts.into_iter().filter_map(|(value, events)| Some(FacetValue { value: name(value)?, events })).collect();
    values.sort_unstable_by(|a, b| b.events.cmp(&a.events).then_with(|| a.value.cmp(&b.value)));
    values.truncate(FACET_VALUES_MAX);
    values
}
