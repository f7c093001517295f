//! Matching events by their commonest values.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};

use forebay_event::service::SERVICES;
use tantivy::columnar::Column;

use super::Matching;
use crate::bitmap::Bitmap;
use crate::found::{FacetValue, Facets};
use crate::limits::FACET_VALUES_MAX;
use crate::segment::{Columns, for_values, verdict_of};

/// Counts every facet over everything that matches.
pub(crate) fn facets(matching: &[Matching]) -> Facets {
    let address = |ip: &Ipv6Addr| Some(IpAddr::V6(*ip).to_canonical().to_string());
    let service = |place: &u64| SERVICES.get(*place as usize).map(|service| service.name.to_owned());
    Facets {
        services: top(&count(matching, |columns| &columns.service), service),
        src_ips: top(&count(matching, |columns| &columns.src_ip), address),
        dst_ips: top(&count(matching, |columns| &columns.dst_ip), address),
        dst_ports: top(&count(matching, |columns| &columns.dst_port), |port| Some(port.to_string())),
        verdicts: top(&count(matching, |columns| &columns.verdict), |number| {
            verdict_of(*number).map(|verdict| verdict.as_str().to_owned())
        }),
    }
}

fn count<T>(matching: &[Matching], column: fn(&Columns) -> &Column<T>) -> HashMap<T, u64>
where
    T: Eq + Hash + PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
{
    let mut counts = HashMap::new();
    for (segment, rows) in matching {
        let rows: &Bitmap = rows;
        for_values(column(segment.columns()), rows.iter(), |_, value| *counts.entry(value).or_default() += 1);
    }
    counts
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
