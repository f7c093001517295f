//! Matching events over time, in bins that start at round times.

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
    let mut range: Option<(i64, i64)> = None;
    for_starts(matching, |start| {
        range = Some(range.map_or((start, start), |(first, last)| (first.min(start), last.max(start))));
    });
    let Some((first, last)) = range else { return Vec::new() };
    let width = width(first, last);
    let origin = i128::from(first).div_euclid(width) * width;
    let place = |start: i64| ((i128::from(start) - origin) / width) as usize;
    let mut counts = vec![0u64; place(last) + 1];
    for_starts(matching, |start| counts[place(start)] += 1);
    let edge = |place: usize| (origin + place as i128 * width).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    let bin = |(place, events)| TimelineBin { from_us: edge(place), to_us: edge(place + 1), events };
    counts.into_iter().enumerate().map(bin).collect()
}

/// Calls `each` with the start of every matching event.
fn for_starts(matching: &[Matching], mut each: impl FnMut(i64)) {
    for (segment, rows) in matching {
        let starts = segment.columns().start();
        rows.iter().for_each(|row| each(starts[row as usize]));
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
    }
}
