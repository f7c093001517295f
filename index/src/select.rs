//! Evaluating a filter over a segment: the set of rows it holds for, exactly.
//!
//! Every leaf is one pass over one column, every inner node an operation on bitmaps. The meaning is that of
//! [`Filter::matches`]; a property test compares the two on random events and filters.

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::bitmap::Bitmap;
use crate::filter::{Compare, End, Filter, MAPPED_PREFIX, host_matches, service_place};
use crate::segment::{Addresses, Numbers, Segment, Words, ip_number, number_place, verdict_number};

/// The rows of `segment` that `filter`, which was checked, holds for.
pub(crate) fn select(segment: &Segment, filter: &Filter) -> Bitmap {
    let columns = segment.columns();
    let rows = segment.rows();
    match filter {
        Filter::And(parts) => fold(segment, parts, Bitmap::all(rows), Bitmap::and),
        Filter::Or(parts) => any(segment, parts),
        Filter::Not(part) => {
            let mut set = select(segment, part);
            set.not();
            set
        }
        Filter::Ip { end, net } => {
            let ranges = address_ranges(*net);
            either(*end, || addresses(columns.src_ip(), &ranges), || addresses(columns.dst_ip(), &ranges))
        }
        Filter::Port { end, from, to } => {
            let within = |ports: &[u16]| Bitmap::of(ports, |port| (*from..=*to).contains(&port));
            either(*end, || within(columns.src_port()), || within(columns.dst_port()))
        }
        Filter::Protocol(number) => Bitmap::of(columns.protocol(), |protocol| protocol == *number),
        Filter::Service(name) => match service_place(name).and_then(|place| u16::try_from(place).ok()) {
            Some(place) => Bitmap::of(columns.service(), |service| service == place),
            None => Bitmap::none(rows),
        },
        Filter::Time { from_us, to_us } => time(segment, *from_us, *to_us),
        Filter::Verdict(verdict) => {
            let number = verdict_number(*verdict);
            Bitmap::of(columns.verdict(), |have| have == number)
        }
        Filter::Family(family) => {
            let family = family.to_ascii_lowercase();
            words(rows, columns.family(), |word| word == family)
        }
        Filter::Host { how, host } => words(rows, columns.host(), |word| host_matches(*how, word, host)),
        Filter::Feature { name, op, value } => match number_place(name) {
            Some(place) => numbers(columns.number(place), *op, *value),
            None => Bitmap::none(rows),
        },
    }
}

fn fold(segment: &Segment, parts: &[Filter], start: Bitmap, join: fn(&mut Bitmap, &Bitmap)) -> Bitmap {
    parts.iter().fold(start, |mut set, part| {
        join(&mut set, &select(segment, part));
        set
    })
}

fn either(end: End, src: impl FnOnce() -> Bitmap, dst: impl FnOnce() -> Bitmap) -> Bitmap {
    match end {
        End::Src => src(),
        End::Dst => dst(),
        End::Any => {
            let mut set = src();
            set.or(&dst());
            set
        }
    }
}

/// The rows that one of `parts` holds for. Networks at the same end, which people list by the dozen, are one pass.
fn any(segment: &Segment, parts: &[Filter]) -> Bitmap {
    let mut set = Bitmap::none(segment.rows());
    let mut ranges: [(End, Vec<RangeInclusive<u128>>); 3] = [End::Src, End::Dst, End::Any].map(|end| (end, Vec::new()));
    for part in parts {
        match part {
            Filter::Ip { end, net } => {
                let at_end = ranges.iter_mut().filter(|(known, _)| known == end);
                at_end.for_each(|(_, ranges)| ranges.extend(address_ranges(*net)));
            }
            part => set.or(&select(segment, part)),
        }
    }
    let columns = segment.columns();
    for (end, ranges) in ranges.iter().filter(|(_, ranges)| !ranges.is_empty()) {
        set.or(&either(*end, || addresses(columns.src_ip(), ranges), || addresses(columns.dst_ip(), ranges)));
    }
    set
}

/// The rows whose address lies in one of `ranges`: the dictionary is in order, so each is a range of places.
fn addresses(column: Addresses, ranges: &[RangeInclusive<u128>]) -> Bitmap {
    let places: Vec<RangeInclusive<u32>> = ranges.iter().filter_map(|range| column.places(range)).collect();
    match places.as_slice() {
        [] => Bitmap::none(column.ords.len() as u32),
        [one] => {
            let (first, last) = (*one.start(), *one.end());
            Bitmap::of(column.ords, |place| first <= place && place <= last)
        }
        many => {
            let mut chosen = vec![false; column.dictionary.len()];
            for places in many {
                chosen[*places.start() as usize..=*places.end() as usize].fill(true);
            }
            Bitmap::of(column.ords, |place| chosen.get(place as usize).copied().unwrap_or_default())
        }
    }
}

/// The rows whose number is known and compares.
fn numbers(column: Numbers, op: Compare, value: f64) -> Bitmap {
    match op {
        Compare::Lt => column.rows_where(|have| have < value),
        Compare::Le => column.rows_where(|have| have <= value),
        Compare::Eq => column.rows_where(|have| have == value),
        Compare::Ge => column.rows_where(|have| have >= value),
        Compare::Gt => column.rows_where(|have| have > value),
    }
}

fn time(segment: &Segment, from_us: Option<i64>, to_us: Option<i64>) -> Bitmap {
    let first = from_us.unwrap_or(i64::MIN);
    // The end does not count; before the first microsecond there is nothing.
    let Some(last) = to_us.map_or(Some(i64::MAX), |to| to.checked_sub(1)) else { return Bitmap::none(segment.rows()) };
    let manifest = segment.manifest();
    if first > last || manifest.first_start_us > last || manifest.last_start_us < first {
        return Bitmap::none(segment.rows());
    }
    if first <= manifest.first_start_us && manifest.last_start_us <= last {
        return Bitmap::all(segment.rows());
    }
    Bitmap::of(segment.columns().start(), |start| first <= start && start <= last)
}

/// The numbers of a network's addresses. An IPv6 network wider than the block of IPv4-mapped addresses leaves it out.
fn address_ranges(net: IpNet) -> Vec<RangeInclusive<u128>> {
    let (first, last) = (ip_number(net.network()).to_bits(), ip_number(net.broadcast()).to_bits());
    let block = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    let wide = matches!(net, IpNet::V6(net) if net.prefix_len() < MAPPED_PREFIX && net.contains(&block));
    if !wide {
        return vec![first..=last];
    }
    let (block_first, block_last) = (block.to_bits(), block.to_bits() | u128::from(u32::MAX));
    let below = (first < block_first).then(|| first..=block_first - 1);
    let above = (block_last < last).then(|| block_last + 1..=last);
    below.into_iter().chain(above).collect()
}

/// The rows whose word `holds`. Every different word is asked once.
fn words(rows: u32, column: Words, holds: impl Fn(&str) -> bool) -> Bitmap {
    let chosen: Vec<bool> = (0..column.count()).map(|place| column.word(place).is_some_and(&holds)).collect();
    if column.ords.is_empty() || !chosen.contains(&true) {
        return Bitmap::none(rows);
    }
    Bitmap::of(column.ords, |place| chosen.get(place as usize).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_network_leaves_out_the_mapped_block() {
        let ranges = |net: &str| address_ranges(net.parse().unwrap());
        assert_eq!(ranges("10.0.0.0/8").len(), 1);
        assert_eq!(ranges("2001:db8::/32").len(), 1);
        assert_eq!(ranges("::ffff:0:0/96").len(), 1);
        let all = ranges("::/0");
        let mapped: Ipv6Addr = "::ffff:1.2.3.4".parse().unwrap();
        assert!(!all.iter().any(|range| range.contains(&mapped.to_bits())));
        assert!(all.iter().any(|range| range.contains(&0)));
        assert!(all.iter().any(|range| range.contains(&u128::MAX)));
    }
}
