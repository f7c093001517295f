//! Columns of addresses and words: each different value once, in order, and its place in every row.

use std::ops::RangeInclusive;

/// The place of a row that has no value.
pub(crate) const NONE: u32 = u32::MAX;

/// A column of addresses; IPv4 as its mapped IPv6 address.
#[derive(Clone, Copy)]
pub(crate) struct Addresses<'a> {
    /// Of each row, the place in the dictionary.
    pub(crate) ords: &'a [u32],
    /// Every different address, ascending.
    pub(crate) dictionary: &'a [u128],
}

/// A column of words.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    /// Of each row, the place in the dictionary, or [`NONE`]. Empty when no row has a word.
    pub(crate) ords: &'a [u32],
    /// Where each word ends in the text.
    pub(super) ends: &'a [u32],
    /// The words, ascending, one after the other.
    pub(super) text: &'a [u8],
}

impl Addresses<'_> {
    /// The places of the addresses in `range`; none when there are none.
    pub(crate) fn places(&self, range: &RangeInclusive<u128>) -> Option<RangeInclusive<u32>> {
        let first = self.dictionary.partition_point(|address| address < range.start());
        let end = self.dictionary.partition_point(|address| address <= range.end());
        (first < end).then(|| first as u32..=end as u32 - 1)
    }

    /// The address of a row.
    #[cfg(test)]
    pub(super) fn at(&self, row: usize) -> u128 {
        self.dictionary.get(self.ords[row] as usize).copied().unwrap_or_default()
    }
}

impl<'a> Words<'a> {
    /// How many different words.
    pub(crate) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The word at `place`; nothing where the bytes are not words.
    pub(crate) fn word(&self, place: usize) -> Option<&'a str> {
        let end = *self.ends.get(place)? as usize;
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).map(|end| *end as usize))?;
        std::str::from_utf8(self.text.get(start..end)?).ok()
    }

    /// The word of a row.
    #[cfg(test)]
    pub(super) fn at(&self, row: usize) -> Option<&'a str> {
        self.word(*self.ords.get(row)? as usize)
    }
}
