//! How often each value of the fields that facets show occurs among rows of one segment.

use crate::bitmap::Bitmap;
use crate::segment::Columns;

/// Most different values that are counted in [`LANES`] tables.
const SMALL: usize = 1_024;

/// Tables that neighbouring rows are counted in: a common value is then not waited for by the row after it.
const LANES: usize = 4;

/// Events by value. Values beyond the end of a table do not occur.
pub(crate) struct Counts {
    /// By place in `event::service::SERVICES`.
    pub(super) services: Vec<u32>,
    /// By port.
    pub(super) dst_ports: Vec<u32>,
    /// By a verdict's number.
    pub(super) verdicts: Vec<u32>,
    /// By place in the segment's dictionary of addresses.
    pub(super) src_ips: Vec<u32>,
    /// The same.
    pub(super) dst_ips: Vec<u32>,
}

impl Counts {
    /// Counts `rows`, in one pass for each field.
    pub(super) fn of(columns: &Columns, rows: &Bitmap) -> Self {
        let addresses = columns.src_ip().dictionary.len();
        Self {
            services: values(rows, columns.service()),
            dst_ports: values(rows, columns.dst_port()),
            verdicts: values(rows, columns.verdict()),
            src_ips: count(rows, columns.src_ip().ords, addresses, |place| place as usize),
            dst_ips: count(rows, columns.dst_ip().ords, addresses, |place| place as usize),
        }
    }
}

/// Counts numbers of at most 16 bits.
fn values<T: Copy + Into<u16>>(rows: &Bitmap, values: &[T]) -> Vec<u32> {
    let greatest: u16 = values.iter().map(|value| (*value).into()).max().unwrap_or_default();
    count(rows, values, usize::from(greatest) + 1, |value| usize::from(value.into()))
}

/// Counts where `place` says, below `places`; what it says beyond is not counted.
fn count<T: Copy>(rows: &Bitmap, values: &[T], places: usize, place: impl Fn(T) -> usize) -> Vec<u32> {
    if places == 0 {
        return Vec::new();
    }
    let mut counts = vec![0u32; places];
    if !rows.is_all() {
        for row in rows.iter() {
            if let Some(count) = counts.get_mut(place(values[row as usize])) {
                *count += 1;
            }
        }
    } else if places > SMALL {
        for value in values {
            if let Some(count) = counts.get_mut(place(*value)) {
                *count += 1;
            }
        }
    } else {
        let mut lanes = vec![0u32; places * LANES];
        for (row, value) in values.iter().enumerate() {
            let place = place(*value);
            if place < places {
                lanes[place * LANES + row % LANES] += 1;
            }
        }
        for (count, lanes) in counts.iter_mut().zip(lanes.chunks_exact(LANES)) {
            *count = lanes.iter().sum();
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_counting_counts_the_same() {
        let numbers: Vec<u16> = (0..10_000u32).map(|i| (i * i % 1_009) as u16).collect();
        let all = Bitmap::all(10_000);
        let mut most = all.clone();
        most.and(&Bitmap::of(&numbers, |number| number != 4));
        let small = count(&all, &numbers, SMALL, usize::from);
        let large = count(&all, &numbers, SMALL + 1, usize::from);
        let mut some = count(&most, &numbers, SMALL, usize::from);
        assert_eq!(small, large[..SMALL]);
        assert_eq!(small.iter().sum::<u32>(), 10_000);
        assert_eq!(some[4], 0);
        some[4] = small[4];
        assert_eq!(some, small);
        assert!(count(&all, &numbers, 0, usize::from).is_empty());
    }
}
