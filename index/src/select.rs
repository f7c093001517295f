//! Evaluating a filter over a segment: the set of rows it holds for, exactly.
//!
//! Every leaf becomes ranges over one column (tantivy's fast fields), every inner node an operation on bitmaps. The
//! meaning is that of [`Filter::matches`]; a property test compares the two on random events and filters.

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use tantivy::columnar::{Column, StrColumn};

use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::filter::{Compare, End, Filter, MAPPED_PREFIX, host_matches, service_place};
use crate::segment::{Segment, ip_number, verdict_number};

/// Runs of matching words from which looking at every row once is cheaper than a pass over the column for each run.
const RUNS_MAX: usize = 8;

/// The rows of `segment` that `filter`, which was checked, holds for.
pub(crate) fn select(segment: &Segment, filter: &Filter) -> Result<Bitmap, IndexError> {
    let columns = segment.columns();
    let rows = segment.rows();
    match filter {
        Filter::And(parts) => fold(segment, parts, Bitmap::all(rows), Bitmap::and),
        Filter::Or(parts) => fold(segment, parts, Bitmap::none(rows), Bitmap::or),
        Filter::Not(part) => {
            let mut set = select(segment, part)?;
            set.not();
            Ok(set)
        }
        Filter::Ip { end, net } => {
            let ranges = address_ranges(*net);
            Ok(either(*end, rows, &columns.src_ip, &columns.dst_ip, &ranges))
        }
        Filter::Port { end, from, to } => {
            let range = [u64::from(*from)..=u64::from(*to)];
            Ok(either(*end, rows, &columns.src_port, &columns.dst_port, &range))
        }
        Filter::Protocol(number) => Ok(within(rows, &columns.protocol, &exactly(u64::from(*number)))),
        Filter::Service(name) => {
            let range: Vec<_> = service_place(name).into_iter().map(|place| place as u64..=place as u64).collect();
            Ok(within(rows, &columns.service, &range))
        }
        Filter::Time { from_us, to_us } => Ok(time(segment, *from_us, *to_us)),
        Filter::Verdict(verdict) => Ok(within(rows, &columns.verdict, &exactly(verdict_number(*verdict)))),
        Filter::Family(family) => {
            let family = family.to_ascii_lowercase();
            words(rows, columns.family.as_ref(), |word| word == family)
        }
        Filter::Host { how, host } => words(rows, columns.host.as_ref(), |word| host_matches(*how, word, host)),
        Filter::Feature { name, op, value } => {
            let column = segment.text().feature(name)?;
            Ok(column.map_or_else(|| Bitmap::none(rows), |column| within(rows, &column, &[comparison(*op, *value)])))
        }
    }
}

fn fold(
    segment: &Segment,
    parts: &[Filter],
    start: Bitmap,
    join: fn(&mut Bitmap, &Bitmap),
) -> Result<Bitmap, IndexError> {
    parts.iter().try_fold(start, |mut set, part| {
        join(&mut set, &select(segment, part)?);
        Ok(set)
    })
}

/// The rows whose value lies in one of `ranges`; a row without a value is not among them.
fn within<T>(rows: u32, column: &Column<T>, ranges: &[RangeInclusive<T>]) -> Bitmap
where
    T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
{
    let mut set = Bitmap::none(rows);
    let mut found = Vec::new();
    let (least, greatest) = (column.min_value(), column.max_value());
    for range in ranges {
        // tantivy-columnar 0.27 answers a range that lies wholly below the column's least value with the rows that have
        // that value (it subtracts the least value and stops at zero), so such a range must not reach it.
        if *range.end() < least || greatest < *range.start() {
            continue;
        }
        found.clear();
        column.get_docids_for_value_range(range.clone(), 0..rows, &mut found);
        for row in &found {
            set.insert(*row);
        }
    }
    set
}

fn either<T>(end: End, rows: u32, src: &Column<T>, dst: &Column<T>, ranges: &[RangeInclusive<T>]) -> Bitmap
where
    T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
{
    match end {
        End::Src => within(rows, src, ranges),
        End::Dst => within(rows, dst, ranges),
        End::Any => {
            let mut set = within(rows, src, ranges);
            set.or(&within(rows, dst, ranges));
            set
        }
    }
}

fn exactly(number: u64) -> [RangeInclusive<u64>; 1] {
    [number..=number]
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
    within(segment.rows(), &segment.columns().start, &[first..=last])
}

/// The numbers of a network's addresses. An IPv6 network wider than the block of IPv4-mapped addresses leaves it out.
fn address_ranges(net: IpNet) -> Vec<RangeInclusive<Ipv6Addr>> {
    let (first, last) = (ip_number(net.network()), ip_number(net.broadcast()));
    let block = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    let wide = matches!(net, IpNet::V6(net) if net.prefix_len() < MAPPED_PREFIX && net.contains(&block));
    if !wide {
        return vec![first..=last];
    }
    let (block_first, block_last) = (block.to_bits(), block.to_bits() | u128::from(u32::MAX));
    let below = (first.to_bits() < block_first).then(|| first..=Ipv6Addr::from_bits(block_first - 1));
    let above = (block_last < last.to_bits()).then(|| Ipv6Addr::from_bits(block_last + 1)..=last);
    below.into_iter().chain(above).collect()
}

/// The numbers a comparison holds for. Columns order -0 before 0, a comparison does not, so bounds at zero take in both.
fn comparison(op: Compare, value: f64) -> RangeInclusive<f64> {
    let (low, high) = if value == 0.0 { (-0.0, 0.0) } else { (value, value) };
    match op {
        Compare::Lt => f64::MIN..=low.next_down(),
        Compare::Le => f64::MIN..=high,
        Compare::Eq => low..=high,
        Compare::Ge => low..=f64::MAX,
        Compare::Gt => high.next_up()..=f64::MAX,
    }
}

/// The rows whose word `holds`. Every different word is asked once.
fn words(rows: u32, column: Option<&StrColumn>, holds: impl Fn(&str) -> bool) -> Result<Bitmap, IndexError> {
    let Some(column) = column else { return Ok(Bitmap::none(rows)) };
    let mut chosen: Vec<u64> = Vec::new();
    let mut stream = column.dictionary().stream()?;
    while stream.advance() {
        if std::str::from_utf8(stream.key()).is_ok_and(&holds) {
            chosen.push(stream.term_ord());
        }
    }
    let runs: Vec<RangeInclusive<u64>> =
        chosen.chunk_by(|a, b| a + 1 == *b).filter_map(|run| Some(*run.first()?..=*run.last()?)).collect();
    if runs.len() <= RUNS_MAX {
        return Ok(within(rows, column.ords(), &runs));
    }
    let mut set = Bitmap::none(rows);
    for row in 0..rows {
        if column.ords().first(row).is_some_and(|ord| chosen.binary_search(&ord).is_ok()) {
            set.insert(row);
        }
    }
    Ok(set)
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
        assert!(!all.iter().any(|range| range.contains(&mapped)));
        assert!(all.iter().any(|range| range.contains(&Ipv6Addr::UNSPECIFIED)));
        assert!(all.iter().any(|range| range.contains(&Ipv6Addr::from_bits(u128::MAX))));
    }
}
