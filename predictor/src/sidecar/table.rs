//! The buffers in hand: one slot each, in vectors of the same length that policy, allocator and plan work on.

use std::collections::HashMap;

use crate::actuate::buffer::Look;
use crate::budget::Claim;
use crate::control::{Seat, Verdict};
use crate::demand::Demand;
use crate::eyes::Watch;
use crate::limits::BUFFERS_MAX;
use crate::observation::{Observation, Traffic};
use crate::target::{Handle, Identity};

/// One buffer.
#[derive(Debug)]
pub(super) struct Buffer {
    /// Place of its target.
    pub(super) target: usize,
    pub(super) handle: Handle,
    /// What it had before we came, or what its program gave it since.
    pub(super) original_bytes: u64,
    pub(super) was_locked: Option<bool>,
    pub(super) min_bytes: u64,
    pub(super) max_bytes: u64,
    pub(super) weight: f64,
    /// Whether it is set and not only recommended.
    pub(super) is_applied: bool,
    /// Whether it is changed at the moment.
    pub(super) is_changed: bool,
    /// The limit that was last read.
    pub(super) real_bytes: u64,
    pub(super) drops_before: u32,
    pub(super) queued_before: u64,
    /// What came for its port since it was last looked at, in truesize.
    pub(super) unseen_bytes: u64,
    pub(super) dropped_packets: u64,
    pub(super) arrived_packets: u64,
    pub(super) arrived_bytes: u64,
    pub(super) is_counted: bool,
    /// What it is read as together with others; none where it is asked itself.
    pub(super) held: Option<u64>,
    /// Place of its port in [`Table::ports`], and its rank among those who share it.
    pub(super) port: Option<(usize, u64)>,
}

/// A port whose arrivals are asked for once a tick, however many sockets share it.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) watch: Watch,
    pub(super) sharers: u64,
    pub(super) traffic: Option<Traffic>,
    /// Ticks in which nothing came and nothing was dropped, up to this one; 0 where that is not counted.
    pub(super) quiet_ticks: u32,
    /// Something was dropped in this tick.
    pub(super) is_dropping: bool,
}

/// All slots.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) buffers: Vec<Option<Buffer>>,
    pub(super) seats: Vec<Seat>,
    pub(super) seen: Vec<Observation>,
    pub(super) wanted: Vec<Demand>,
    pub(super) claims: Vec<Claim>,
    pub(super) shares: Vec<u64>,
    pub(super) verdicts: Vec<Verdict>,
    /// The shares are those of the claims.
    pub(super) is_shared: bool,
    pub(super) ports: Vec<Port>,
    /// What was read of those that are read together, in this tick.
    pub(super) gauged: Vec<Option<Look>>,
    /// Who is looked at in this tick.
    pub(super) due: Vec<bool>,
    /// How many were ever taken in hand.
    holds: u64,
    by_identity: HashMap<Identity, usize>,
    free: Vec<usize>,
    live: usize,
}

impl Table {
    /// Puts a buffer into a slot.
    pub(super) fn insert(&mut self, buffer: Buffer, look: Look, now_ms: u64) -> usize {
        let slot = self.free.pop().unwrap_or(self.buffers.len());
        if slot == self.buffers.len() {
            self.buffers.push(None);
            self.seats.push(Seat::empty());
            self.seen.push(Observation::default());
            self.wanted.push(Demand::default());
            self.claims.push(NO_CLAIM);
            self.shares.push(0);
            self.verdicts.push(Verdict::Keep);
            self.gauged.push(None);
            self.due.push(false);
        }
        self.seats[slot] = Seat::new(now_ms, look.ceiling_bytes);
        self.seen[slot] = Observation { live: true, ceiling_bytes: look.ceiling_bytes, ..Observation::default() };
        self.wanted[slot] = Demand::ceiling(look.ceiling_bytes);
        self.is_shared = false;
        self.by_identity.insert(buffer.handle.identity, slot);
        self.buffers[slot] = Some(buffer);
        self.live += 1;
        slot
    }

    /// Takes a buffer out.
    pub(super) fn remove(&mut self, slot: usize) -> Option<Buffer> {
        let buffer = self.buffers.get_mut(slot)?.take()?;
        self.by_identity.remove(&buffer.handle.identity);
        self.seats[slot] = Seat::empty();
        self.seen[slot] = Observation::default();
        self.wanted[slot] = Demand::default();
        self.claims[slot] = NO_CLAIM;
        self.shares[slot] = 0;
        self.is_shared = false;
        self.free.push(slot);
        self.live -= 1;
        Some(buffer)
    }

    /// A number for the buffer in `slot` that no other ever had, to be held as.
    pub(super) fn hold_id(&mut self, slot: usize) -> u64 {
        self.holds += 1;
        self.holds << SLOT_BITS | slot as u64
    }

    /// Takes in what was read of the buffer that is held as `id`; it may have gone since.
    pub(super) fn gauge(&mut self, id: u64, look: Look) {
        let slot = (id & ((1 << SLOT_BITS) - 1)) as usize;
        if self.buffers.get(slot).and_then(Option::as_ref).is_some_and(|buffer| buffer.held == Some(id)) {
            self.gauged[slot] = Some(look);
        }
    }

    pub(super) fn slot_of(&self, identity: Identity) -> Option<usize> {
        self.by_identity.get(&identity).copied()
    }

    pub(super) const fn live(&self) -> usize {
        self.live
    }

    /// Slots that hold a buffer.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Buffer)> {
        self.buffers.iter().enumerate().filter_map(|(slot, buffer)| Some((slot, buffer.as_ref()?)))
    }

    /// The sum of all minima, in bytes.
    pub(super) fn minima_bytes(&self) -> u64 {
        self.iter().map(|(_, buffer)| buffer.min_bytes).fold(0, u64::saturating_add)
    }
}

/// Bits of a number held as that say which slot.
const SLOT_BITS: u32 = 20;

const _: () = assert!(BUFFERS_MAX < 1 << SLOT_BITS, "every slot has its number");

const NO_CLAIM: Claim = Claim { min_bytes: 0, max_bytes: 0, curve: crate::budget::Curve::NOTHING };
