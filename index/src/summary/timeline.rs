//! Matching events over time, in bins that start at round times.

use std::sync::Arc;

use super::Matching;
use crate::found::TimelineBin;
use crate::limits::TIMELINE_BINS_MAX;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Widths of bins that people read easily; beyond, multiples of the last.
const WIDTHS: [i64; 31] = [
    1,
    10,
    100,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
    28 * DAY,
];

/// At most `TIMELINE_BINS_MAX` bins of one width from the first matching start to the last, empty ones included.
pub(crate) fn timeline(matching: &[Matching]) -> Vec<TimelineBin> {
    let Some((first, last)) = range(matching) else { return Vec::new() };
    let width = width(first, last);
    let (first_bin, last_bin) = (i128::from(first).div_euclid(width), i128::from(last).div_euclid(width));
    let mut counts = vec![0u64; (last_bin - first_bin + 1) as usize];
    for (segment, rows) in matching.iter().filter(|(_, rows)| !rows.is_empty()) {
        let columns = segment.columns();
        let bins = if rows.is_all() {
            segment.summary().bins(columns, width)
        } else {
            let starts: Vec<i64> = rows.iter().map(|row| columns.start()[row as usize]).collect();
            Arc::new(Bins::of(&starts, width))
        };
        let places = counts.iter_mut().skip((bins.first - first_bin) as usize);
        places.zip(&bins.events).for_each(|(count, events)| *count += events);
    }
    let edge = |bin: i128| (bin * width).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    let bin = |(bin, events)| TimelineBin { from_us: edge(bin), to_us: edge(bin + 1), events };
    (first_bin..).zip(counts).map(bin).collect()
}

/// The first and the last start of everything that matches.
fn range(matching: &[Matching]) -> Option<(i64, i64)> {
    let ranges = matching.iter().filter(|(_, rows)| !rows.is_empty()).map(|(segment, rows)| {
        let (manifest, starts) = (segment.manifest(), segment.columns().start());
        if rows.is_all() {
            return (manifest.first_start_us, manifest.last_start_us);
        }
        let wide = |(first, last): (i64, i64), start: i64| (first.min(start), last.max(start));
        rows.iter().map(|row| starts[row as usize]).fold((i64::MAX, i64::MIN), wide)
    });
    ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Starts in bins of one width, which begin at its multiples.
pub(crate) struct Bins {
    /// Microseconds.
    pub(super) width: i128,
    /// The first bin: it begins at so many widths.
    first: i128,
    /// Starts in it and in those that follow.
    events: Vec<u64>,
}

impl Bins {
    /// Counts `starts`, of which few are far apart for their `width`.
    pub(super) fn of(starts: &[i64], width: i128) -> Self {
        let (Some(first), Some(last)) = (starts.iter().min().copied(), starts.iter().max().copied()) else {
            return Self { width, first: 0, events: Vec::new() };
        };
        let first_bin = i128::from(first).div_euclid(width);
        let mut events = vec![0; (i128::from(last).div_euclid(width) - first_bin + 1) as usize];
        let origin = first_bin * width;
        match (i64::try_from(origin), i64::try_from(width), last.checked_sub(first)) {
            // A 64-bit division takes a quarter of the time of a wider one.
            (Ok(origin), Ok(width), Some(span)) if span.checked_add(width).is_some() => {
                for start in starts {
                    events[((start - origin) as u64 / width as u64) as usize] += 1;
                }
            }
            _ => {
                for start in starts {
                    events[((i128::from(*start) - origin) / width) as usize] += 1;
                }
            }
        }
        Self { width, first: first_bin, events }
    }
}

/// The least round width that needs no more than `TIMELINE_BINS_MAX` bins.
fn width(first: i64, last: i64) -> i128 {
    let bins = |width: i128| i128::from(last).div_euclid(width) - i128::from(first).div_euclid(width) + 1;
    let fits = |width: &i128| bins(*width) <= TIMELINE_BINS_MAX as i128;
    if let Some(width) = WIDTHS.iter().map(|width| i128::from(*width)).find(fits) {
        return width;
    }
    let widest = i128::from(WIDTHS[WIDTHS.len() - 1]);
    // One bin more than the span needs, because a start need not lie on an edge.
    let times = (i128::from(last) - i128::from(first)) / (widest * (TIMELINE_BINS_MAX as i128 - 1)) + 1;
    widest * times
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_range_fits(a: i64, b: i64, small in 0i64..DAY) {
            for (first, last) in [(a.min(b), a.max(b)), (a, a.saturating_add(small)), (i64::MIN, i64::MAX)] {
                let width = width(first, last);
                let bins = i128::from(last).div_euclid(width) - i128::from(first).div_euclid(width) + 1;
                prop_assert!((1..=TIMELINE_BINS_MAX as i128).contains(&bins), "{bins} bins of {width}");
            }
        }

        #[test]
        fn every_start_is_in_its_bin(mut starts in prop::collection::vec(any::<i64>(), 1..50), small in 0i64..DAY) {
            starts.extend(starts.clone().iter().map(|start| start.saturating_add(small)));
            for starts in [&starts[..], &[i64::MIN, i64::MAX], &[starts[0], starts[starts.len() / 2]]] {
                let (first, last) = (*starts.iter().min().unwrap(), *starts.iter().max().unwrap());
                let bins = Bins::of(starts, width(first, last));
                for (bin, events) in (bins.first..).zip(&bins.events) {
                    let expected = starts.iter().filter(|start| i128::from(**start).div_euclid(bins.width) == bin);
                    prop_assert_eq!(*events, expected.count() as u64);
                }
                prop_assert_eq!(bins.events.iter().sum::<u64>(), starts.len() as u64);
            }
        }
    }
}
