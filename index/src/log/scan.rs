//! Finding the frames in the bytes of a log file, past whatever is damaged.

use std::ops::Range;

use super::frame::{ALIGN, Batch, HEADER_BYTES, Header};

/// What a log file holds.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// The batches that could be read, in the order of the file.
    pub(super) batches: Vec<Batch>,
    /// What was synced once and cannot be read now.
    pub(super) damaged: Vec<Damage>,
    /// Bytes that were never acknowledged: the torn end of a crash.
    pub(super) torn_bytes: u64,
}

/// A place that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) at: Range<usize>,
    /// Events lost; 0 where not even the header could be read.
    pub(super) events: u64,
    pub(super) reason: String,
}

/// Reads the frames of `bytes` from `start` on.
pub(super) fn scan(bytes: &[u8], start: usize, dimension: usize) -> Scanned {
    let mut scanned = Scanned::default();
    let (mut bad, mut synced, mut place) = (Vec::new(), start as u64, start);
    while place < bytes.len() {
        let Some(header) = Header::decode(&bytes[place..]) else {
            let next = next_header(bytes, place + ALIGN);
            bad.push(Damage { at: place..next, events: 0, reason: "no frame begins here".to_owned() });
            place = next;
            continue;
        };
        synced = synced.max(header.synced);
        let end = place + header.frame_bytes();
        let payload = bytes.get(place + HEADER_BYTES..place + HEADER_BYTES + header.payload_bytes);
        match payload.ok_or_else(|| "cut short".to_owned()).and_then(|payload| header.batch(payload, dimension)) {
            Ok(batch) => scanned.batches.push(batch),
            Err(reason) => {
                // What a broken frame says of its length may be right, or frames may begin inside it.
                let next = if end <= bytes.len() { end } else { next_header(bytes, place + ALIGN) };
                bad.push(Damage { at: place..next, events: header.events as u64, reason });
                place = next;
                continue;
            }
        }
        place = end;
    }
    let (damaged, torn): (Vec<_>, Vec<_>) = bad.into_iter().partition(|bad| (bad.at.start as u64) < synced);
    scanned.torn_bytes = torn.iter().map(|torn| torn.at.len() as u64).sum();
    scanned.damaged = damaged;
    scanned
}

/// Where the next header is at or after `from`, or the end.
fn next_header(bytes: &[u8], from: usize) -> usize {
    let from = from.next_multiple_of(ALIGN);
    (from..bytes.len()).step_by(ALIGN).find(|place| Header::decode(&bytes[*place..]).is_some()).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use forebay_event::{Event, EventId};
    use proptest::prelude::*;

    use super::super::Frame;
    use super::*;

    const DIMENSION: usize = 2;

    /// A file of batches with so many events each, every one synced by itself; where each frame ends.
    fn file(sizes: &[usize]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends, mut seq) = (Vec::new(), Vec::new(), 0u64);
        for size in sizes {
            let events: Vec<Event> = (seq..seq + *size as u64)
                .map(|n| Event { event_id: EventId::derive(1, &[&n.to_le_bytes()]), ..Event::default() })
                .collect();
            let vectors = vec![0.5; size * DIMENSION];
            let frame = Frame::new(&events, &vectors, seq).unwrap().unwrap();
            let synced = bytes.len() as u64;
            frame.write(&mut bytes, &vectors, synced).unwrap();
            ends.push(bytes.len());
            seq += *size as u64;
        }
        (bytes, ends)
    }

    /// Whether the frame that ends, with its zeros, at `end` has its whole payload in `bytes`.
    fn is_whole(bytes: &[u8], end: usize) -> bool {
        let mut place = 0;
        while let Some(header) = bytes.get(place..).and_then(Header::decode) {
            if place + header.frame_bytes() == end {
                return place + HEADER_BYTES + header.payload_bytes <= bytes.len();
            }
            place += header.frame_bytes();
        }
        false
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_cut_loses_the_frames_it_cuts_and_is_counted(sizes in prop::collection::vec(1..9usize, 1..8), cut: prop::sample::Index) {
            let (bytes, ends) = file(&sizes);
            let cut = cut.index(bytes.len() + 1);
            // A frame that has lost nothing but zeros at its end is whole.
            let whole = ends.iter().filter(|end| **end < cut + ALIGN && is_whole(&bytes[..cut], **end)).count();
            let scanned = scan(&bytes[..cut], 0, DIMENSION);
            prop_assert_eq!(scanned.batches.len(), whole);
            prop_assert_eq!(scanned.damaged, vec![]);
            let kept = whole.checked_sub(1).map_or(0, |last| ends[last]);
            prop_assert_eq!(scanned.torn_bytes, cut.saturating_sub(kept) as u64);
        }

        #[test]
        fn damage_costs_the_frame_it_is_in_and_no_other(
            sizes in prop::collection::vec(1..9usize, 2..8), at: prop::sample::Index, bit in 0..8u32,
        ) {
            let (mut bytes, ends) = file(&sizes);
            let place = at.index(bytes.len());
            let hit = ends.iter().position(|end| place < *end).unwrap();
            bytes[place] ^= 1 << bit;
            let scanned = scan(&bytes, 0, DIMENSION);
            let found: Vec<u64> = scanned.batches.iter().map(|batch| batch.first_seq).collect();
            let firsts: Vec<u64> = sizes.iter().scan(0, |sum, size| { *sum += *size as u64; Some(*sum - *size as u64) }).collect();
            let is_padding = found.len() == sizes.len();
            prop_assert!(is_padding || found == firsts.iter().enumerate().filter(|(i, _)| *i != hit).map(|(_, first)| *first).collect::<Vec<_>>());
            // The frame after it says that it was synced; after the last one nobody does.
            let last = hit == sizes.len() - 1;
            prop_assert_eq!(scanned.damaged.len(), usize::from(!is_padding && !last));
            prop_assert_eq!(scanned.torn_bytes > 0, !is_padding && last);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(scan(&bytes, 0, DIMENSION).batches.is_empty());
        }
    }
}
