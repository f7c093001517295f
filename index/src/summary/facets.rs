//! Matching events by their commonest values.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};

use forebay_event::service::SERVICES;

use super::Matching;
use crate::bitmap::Bitmap;
use crate::found::{FacetValue, Facets};
use crate::limits::FACET_VALUES_MAX;
use crate::segment::{Addresses, Columns, verdict_of};

/// Counts every facet over everything that matches.
pub(crate) fn facets(matching: &[Matching]) -> Facets {
    let address = |ip: &u128| Some(IpAddr::V6(Ipv6Addr::from_bits(*ip)).to_canonical().to_string());
    let service = |place: &u16| SERVICES.get(usize::from(*place)).map(|service| service.name.to_owned());
    Facets {
        services: top(&by_number(matching, |columns| columns.service()), service),
        src_ips: top(&by_address(matching, Columns::src_ip), address),
        dst_ips: top(&by_address(matching, Columns::dst_ip), address),
        dst_ports: top(&by_number(matching, |columns| columns.dst_port()), |port| Some(port.to_string())),
        verdicts: top(&by_number(matching, |columns| columns.verdict()), |number| {
            verdict_of(*number).map(|verdict| verdict.as_str().to_owned())
        }),
    }
}

/// Counts numbers of at most 16 bits, each in a place of its own.
fn by_number<T>(matching: &[Matching], column: impl Fn(&Columns) -> &[T]) -> HashMap<T, u64>
where
    T: Copy + Eq + Hash + TryFrom<usize> + Into<u16>,
{
    let mut counts: Vec<u64> = Vec::new();
    for (segment, rows) in matching {
        let values = column(segment.columns());
        let greatest = values.iter().copied().map(Into::into).max().unwrap_or_default();
        counts.resize(counts.len().max(usize::from(greatest) + 1), 0);
        each(rows, values, |value| counts[usize::from(value.into())] += 1);
    }
    let known = counts.iter().enumerate().filter(|(_, events)| **events > 0);
    known.filter_map(|(value, events)| Some((T::try_from(value).ok()?, *events))).collect()
}

/// Counts addresses: within a segment by their place in its dictionary.
fn by_address(matching: &[Matching], column: impl for<'c> Fn(&'c Columns) -> Addresses<'c>) -> HashMap<u128, u64> {
    let mut counts = HashMap::new();
    for (segment, rows) in matching {
        let addresses = column(segment.columns());
        let mut here = vec![0u64; addresses.dictionary.len()];
        each(rows, addresses.ords, |place| {
            if let Some(events) = here.get_mut(place as usize) {
                *events += 1;
            }
        });
        for (address, events) in addresses.dictionary.iter().zip(here).filter(|(_, events)| *events > 0) {
            *counts.entry(*address).or_default() += events;
        }
    }
    counts
}

/// Calls `count` with the value of every one of `rows`.
fn each<T: Copy>(rows: &Bitmap, values: &[T], mut count: impl FnMut(T)) {
    if rows.is_all() {
        for value in values {
            count(*value);
        }
    } else {
        rows.iter().for_each(|row| count(values[row as usize]));
    }
}

/// The commonest values that have a name, most events first, then by name.
fn top<T>(counts: &HashMap<T, u64>, name: impl Fn(&T) -> Option<String>) -> Vec<FacetValue> {
    let mut ordered: Vec<(&T, u64)> = counts.iter().map(|(value, events)| (value, *events)).collect();
    // Only values as common as the last one shown are named: there may be a million addresses.
    if ordered.len() > FACET_VALUES_MAX {
        ordered.select_nth_unstable_by(FACET_VALUES_MAX - 1, |a, b| b.1.cmp(&a.1));
        let least = ordered[FACET_VALUES_MAX - 1].1;
        ordered =
            counts.iter().map(|(value, events)| (value, *events)).filter(|(_, events)| *events >= least).collect();
    }
    let mut values: Vec<FacetValue> =
        ordered.into_iter().filter_map(|(value, events)| Some(FacetValue { value: name(value)?, events })).collect();
    values.sort_unstable_by(|a, b| b.events.cmp(&a.events).then_with(|| a.value.cmp(&b.value)));
    values.truncate(FACET_VALUES_MAX);
    values
}
