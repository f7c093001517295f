//! The bounded flow table: a hash index over a slab of flows, and a list of them by time of their last packet.
//!
//! **Promise.** Finding, adding, removing, refreshing and naming the oldest flow each take constant time (amortised,
//! where the slab or the index grows). Memory is [`FLOW_BYTES`] per flow and 8 bytes per place of the index, which is at
//! most half full; both grow with the flows there are and not beyond `flows_max`.
//!
//! **Layout.** The index is open addressing with linear probing; a place holds the low half of the hash and the slot + 1,
//! so that a probe touches the slab only where it is likely to hit. Removing shifts back, so that there are no tombstones.
//! The hash is seeded from the system's randomness: whoever sends packets cannot aim at one place of the index.

use std::hash::{BuildHasher, RandomState};
use std::mem::size_of;

use crate::app::AppFacts;
use crate::core::{FLOW_STATE_BYTES, FlowKey, FlowState};

/// Bytes that one flow takes in the slab: the core's state, its key, what was found out about its application, and its
/// two links in the list by time. Names of hosts are besides, at most 255 bytes for a flow that has one.
pub const FLOW_BYTES: usize = size_of::<Entry>() + size_of::<Links>();

const _: () = assert!(FLOW_BYTES == 376 && FLOW_BYTES >= FLOW_STATE_BYTES + size_of::<FlowKey>());

const NIL: u32 = u32::MAX;
const INDEX_PLACES_MIN: usize = 1024;

/// One flow in the slab.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) state: FlowState,
    pub(crate) key: FlowKey,
    pub(crate) app: Option<Box<AppFacts>>,
    /// Which of the flows that began in the same microsecond this is.
    pub(crate) ordinal: u16,
    /// Payloads that may still be looked at to find out the application.
    pub(crate) probes_left: u8,
    pub(crate) icmp_type: u8,
    pub(crate) icmp_code: u8,
}

#[derive(Clone, Copy, Debug)]
struct Links {
    older: u32,
    newer: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct FlowTable {
    index: Vec<u64>,
    entries: Vec<Entry>,
    links: Vec<Links>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    seeds: [u64; 3],
}

impl FlowTable {
    /// An empty table.
    pub(crate) fn new() -> Self {
        let random = RandomState::new();
        Self {
            index: vec![0; INDEX_PLACES_MIN],
            entries: Vec::new(),
            links: Vec::new(),
            free: Vec::new(),
            oldest: NIL,
            newest: NIL,
            seeds: [random.hash_one(1u8), random.hash_one(2u8), random.hash_one(3u8) | 1],
        }
    }

    /// How many flows there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// The hash of a key, for [`Self::find`] and [`Self::insert`].
    pub(crate) fn hash(&self, key: &FlowKey) -> u32 {
        let tail = u64::from(key.low_port)
            | u64::from(key.high_port) << 16
            | u64::from(key.vlan) << 32
            | u64::from(key.protocol) << 48
            | u64::from(key.version) << 56;
        let [a, b, c] = self.seeds;
        let low = folded(key.low[0] ^ a, key.low[1] ^ b);
        let high = folded(key.high[0] ^ b, key.high[1] ^ c);
        (folded(low ^ tail, high.rotate_left(29) ^ c) >> 16) as u32
    }

    /// The slot of the flow with this key.
    pub(crate) fn find(&self, key: &FlowKey, hash: u32) -> Option<u32> {
        let mask = self.index.len() - 1;
        let mut place = hash as usize & mask;
        // Bounded: the index is at most half full, so that an empty place comes.
        loop {
            let word = self.index[place];
            if word == 0 {
                return None;
            }
            let slot = (word as u32) - 1;
            if (word >> 32) as u32 == hash && self.entries[slot as usize].key == *key {
                return Some(slot);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds a flow whose key is not there yet, as the newest.
    pub(crate) fn insert(&mut self, entry: Entry, hash: u32) -> u32 {
        if (self.len() + 1) * 2 > self.index.len() {
            self.grow();
        }
        let slot = if let Some(slot) = self.free.pop() {
            self.entries[slot as usize] = entry;
            slot
        } else {
            self.entries.push(entry);
            self.links.push(Links { older: NIL, newer: NIL });
            (self.entries.len() - 1) as u32
        };
        self.index_put(hash, slot);
        self.append(slot);
        slot
    }

    /// Takes a flow out.
    pub(crate) fn remove(&mut self, slot: u32) -> Entry {
        let entry = std::mem::take(&mut self.entries[slot as usize]);
        let hash = self.hash(&entry.key);
        self.index_remove(hash, slot);
        self.unlink(slot);
        self.free.push(slot);
        entry
    }

    /// Makes a flow the newest.
    pub(crate) fn touch(&mut self, slot: u32) {
        if self.newest != slot {
            self.unlink(slot);
            self.append(slot);
        }
    }

    /// The flow whose last packet is longest ago.
    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NIL).then_some(self.oldest)
    }

    /// A flow by its slot.
    pub(crate) fn entry(&self, slot: u32) -> &Entry {
        &self.entries[slot as usize]
    }

    /// A flow by its slot.
    pub(crate) fn entry_mut(&mut self, slot: u32) -> &mut Entry {
        &mut self.entries[slot as usize]
    }

    /// The slots of all flows, oldest last packet first.
    pub(crate) fn slots(&self) -> Vec<u32> {
        let mut slots = Vec::with_capacity(self.len());
        let mut slot = self.oldest;
        while slot != NIL {
            slots.push(slot);
            slot = self.links[slot as usize].newer;
        }
        slots
    }

    fn index_put(&mut self, hash: u32, slot: u32) {
        let mask = self.index.len() - 1;
        let mut place = hash as usize & mask;
        while self.index[place] != 0 {
            place = (place + 1) & mask;
        }
        self.index[place] = u64::from(hash) << 32 | u64::from(slot + 1);
    }

    /// Empties the place of `slot` and moves back what had been pushed past it.
    fn index_remove(&mut self, hash: u32, slot: u32) {
        let mask = self.index.len() - 1;
        let mut hole = hash as usize & mask;
        while self.index[hole] as u32 != slot + 1 {
            hole = (hole + 1) & mask;
        }
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let word = self.index[place];
            if word == 0 {
                break;
            }
            let wanted = (word >> 32) as usize & mask;
            if (place.wrapping_sub(wanted) & mask) >= (place.wrapping_sub(hole) & mask) {
                self.index[hole] = word;
                hole = place;
            }
        }
        self.index[hole] = 0;
    }

    fn grow(&mut self) {
        let places = self.index.len() * 2;
        let old = std::mem::replace(&mut self.index, vec![0; places]);
        for word in old.into_iter().filter(|word| *word != 0) {
            self.index_put((word >> 32) as u32, (word as u32) - 1);
        }
    }

    fn append(&mut self, slot: u32) {
        self.links[slot as usize] = Links { older: self.newest, newer: NIL };
        match self.newest {
            NIL => self.oldest = slot,
            newest => self.links[newest as usize].newer = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Links { older, newer } = self.links[slot as usize];
        match older {
            NIL => self.oldest = newer,
            older => self.links[older as usize].newer = newer,
        }
        match newer {
            NIL => self.newest = older,
            newer => self.links[newer as usize].older = older,
        }
    }
}

/// Both halves of the product, folded onto each other: every bit of the factors reaches every bit of the result.
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn key(n: u16) -> FlowKey {
        FlowKey { low: [0, u64::from(n % 7)], low_port: n, ..FlowKey::default() }
    }

    fn entry(n: u16) -> Entry {
        Entry { key: key(n), ..Entry::default() }
    }

    proptest! {
        /// Any sequence of adding, removing and refreshing leaves what an ordered map and a list hold.
        #[test]
        fn the_table_is_a_map_and_a_queue(steps in prop::collection::vec((0u8..4, 0u16..3000), 1..4000)) {
            let mut table = FlowTable::new();
            let mut slots: BTreeMap<u16, u32> = BTreeMap::new();
            let mut queue: Vec<u16> = Vec::new();
            for (what, n) in steps {
                let hash = table.hash(&key(n));
                prop_assert_eq!(table.find(&key(n), hash), slots.get(&n).copied());
                match (what, slots.get(&n).copied()) {
                    (0 | 1, None) => {
                        slots.insert(n, table.insert(entry(n), hash));
                        queue.push(n);
                    }
                    (2, Some(slot)) => {
                        prop_assert_eq!(table.remove(slot).key, key(n));
                        slots.remove(&n);
                        queue.retain(|other| *other != n);
                    }
                    (_, Some(slot)) => {
                        table.touch(slot);
                        queue.retain(|other| *other != n);
                        queue.push(n);
                    }
                    _ => {}
                }
                prop_assert_eq!(table.len(), slots.len());
                prop_assert_eq!(table.oldest().map(|slot| table.entry(slot).key), queue.first().map(|n| key(*n)));
            }
            let order: Vec<FlowKey> = table.slots().into_iter().map(|slot| table.entry(slot).key).collect();
            prop_assert_eq!(order, queue.into_iter().map(key).collect::<Vec<_>>());
        }
    }
}
