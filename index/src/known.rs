//! Which identifiers a sealed segment holds, cheaply: most questions of an append are answered without the disk.
//!
//! An append asks of each event whether any segment holds it already. Looking in every segment costs a search by halving
//! over a mapped file, a dozen cache misses each; at 100,000 events a second and dozens of segments that is several cores.
//! So each segment keeps its least and greatest identifier (they begin with the time, so streams in order of time meet few
//! segments) and a blocked Bloom filter (Putze, Sanders, Singler 2007: all bits of a key in one cache line). Only where
//! both say "perhaps" is the segment asked. The filter is made when it is first needed, from the identifiers.

use std::sync::{Arc, OnceLock};

use crate::segment::Segment;

/// Bits of the filter for each identifier. With [`PROBES`] about one stranger in 200 is looked up in vain.
const BITS_PER_ID: usize = 12;

/// Bits set for an identifier.
const PROBES: u32 = 6;

/// Words of a block: one cache line.
const BLOCK_WORDS: usize = 8;

/// The identifiers of one sealed segment.
pub(crate) struct Known {
    segment: Arc<Segment>,
    filter: OnceLock<IdFilter>,
}

impl Known {
    pub(crate) fn new(segment: Arc<Segment>) -> Self {
        Self { segment, filter: OnceLock::new() }
    }

    /// Makes the filter, so that no append has to.
    pub(crate) fn prepare(&self) -> &IdFilter {
        self.filter.get_or_init(|| {
            let segment = &self.segment;
            IdFilter::new(segment.rows() as usize, (0..segment.rows()).map(|row| segment.id(row)))
        })
    }

    /// The segment.
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Whether the segment holds `id`.
    pub(crate) fn holds(&self, id: u128) -> bool {
        self.prepare().may_hold(id) && self.segment.find(forebay_event::EventId(uuid::Uuid::from_u128(id))).is_some()
    }
}

/// Least, greatest, and a blocked Bloom filter.
pub(crate) struct IdFilter {
    least: u128,
    greatest: u128,
    blocks: Vec<[u64; BLOCK_WORDS]>,
}

impl IdFilter {
    fn new(count: usize, ids: impl Iterator<Item = u128>) -> Self {
        let blocks = (count * BITS_PER_ID).div_ceil(BLOCK_WORDS * u64::BITS as usize).max(1);
        let mut filter = Self { least: u128::MAX, greatest: 0, blocks: vec![[0; BLOCK_WORDS]; blocks] };
        for id in ids {
            filter.least = filter.least.min(id);
            filter.greatest = filter.greatest.max(id);
            let (block, mask) = filter.place(id);
            for (word, bits) in filter.blocks[block].iter_mut().zip(mask) {
                *word |= bits;
            }
        }
        filter
    }

    /// False only where `id` is certainly not there.
    fn may_hold(&self, id: u128) -> bool {
        if id < self.least || self.greatest < id {
            return false;
        }
        let (block, mask) = self.place(id);
        self.blocks[block].iter().zip(mask).all(|(word, bits)| word & bits == bits)
    }

    /// The block of an identifier, and its bits there.
    fn place(&self, id: u128) -> (usize, [u64; BLOCK_WORDS]) {
        let hash = mix(id as u64 ^ mix((id >> 64) as u64));
        // The high half picks the block (a product in place of a division), other bits the places in it.
        let block = ((u128::from(hash) * self.blocks.len() as u128) >> 64) as usize;
        let mut places = mix(hash);
        let mut mask = [0; BLOCK_WORDS];
        for _ in 0..PROBES {
            mask[(places & 7) as usize] |= 1 << (places >> 3 & 63);
            places >>= 9;
        }
        (block, mask)
    }
}

/// Spreads the bits of a number (the finalizer of `SplitMix64`; Steele, Lea and Flood 2014).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

const _: () = assert!(BLOCK_WORDS == 8, "three bits name a word of a block");
const _: () = assert!(PROBES * 9 <= u64::BITS, "nine bits name a place in a block");

#[cfg(test)]
mod tests {
    use super::*;

    /// Identifiers of one millisecond: they differ in their low bits only.
    fn ids(from: u64, to: u64) -> impl Iterator<Item = u128> {
        (from..to).map(|n| (0x018b_cfe5_6800 << 80) | u128::from(n))
    }

    #[test]
    fn what_is_there_is_never_denied_and_strangers_mostly_are() {
        const COUNT: u64 = 50_000;
        let filter = IdFilter::new(COUNT as usize, ids(0, COUNT).map(|id| id * 2));
        assert!(ids(0, COUNT).all(|id| filter.may_hold(id * 2)));
        // Strangers between the least and the greatest.
        let wrong = ids(0, COUNT - 1).filter(|id| filter.may_hold(id * 2 + 1)).count();
        assert!(wrong < COUNT as usize / 100, "{wrong} of {COUNT} looked up in vain");
    }

    #[test]
    fn an_empty_filter_holds_nothing() {
        let filter = IdFilter::new(0, std::iter::empty());
        assert!(![0, 1, u128::MAX].into_iter().any(|id| filter.may_hold(id)));
    }
}
