//! Arrivals by the millisecond, read from the programs' own memory.
//!
//! **Promise.** Every millisecond is given once and in order, those in which nothing came as zeros; what was missed because
//! the reader stayed away longer than a ring is long is counted. All counts are of the wire (`docs/capture.md`).
//!
//! **Limits.** A packet whose processor is taken away for longer than [`SETTLE_MS`] between reading the clock and counting (by
//! the host of a virtual machine) comes after its millisecond was given, and is in no bin; flows, books and [`RowTotals`] have
//! it: totals less the sum of all bins are the packets that came late. Of 600,000 on a busy machine none or one.
//!
//! A ring holds 1,024 ms of a row for every CPU; a read adds them up. Whoever needs no milliseconds reads totals: one cache line a
//! CPU.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::live::clock::monotonic_us;
use crate::live::layout::{BIN_WORDS, BINS, ROWS_OF_INTERFACE, TOTAL_WORDS};
use crate::live::limits::{MARGIN_MS, SETTLE_MS};
use crate::live::mapped::Mapped;

const US_PER_MS: i64 = 1000;
/// Where the newest tick lies in the totals of a row, in words of 32 bits.
const NEWEST_AT: usize = 6;

/// What arrived in one millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// Which millisecond, of the monotonic clock.
    pub tick: u64,
    /// Packets of the wire.
    pub packets: u64,
    /// Their IP bytes.
    pub bytes: u64,
    /// Flows that began.
    pub new_flows: u32,
    /// TCP packets with SYN and without ACK.
    pub syns: u32,
}

/// What arrived in all, since the row is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowTotals {
    /// Packets of the wire.
    pub packets: u64,
    /// Their IP bytes.
    pub bytes: u64,
    /// Flows that began. Wraps.
    pub new_flows: u32,
    /// TCP packets with SYN and without ACK. Wraps.
    pub syns: u32,
}

impl RowTotals {
    /// What came since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            packets: self.packets.wrapping_sub(before.packets),
            bytes: self.bytes.wrapping_sub(before.bytes),
            new_flows: self.new_flows.wrapping_sub(before.new_flows),
            syns: self.syns.wrapping_sub(before.syns),
        }
    }
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    /// Everything that came in by the interface.
    Ingress,
    /// Everything that went out.
    Egress,
    /// What came for a watched port.
    Port(u16),
}

/// How far a reader has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The tick to go on with.
    pub next: u64,
    /// Milliseconds that had left the ring before they were read.
    pub missed: u64,
}

/// Reads bins; clones read the same memory, each at its own pace and from any thread.
#[derive(Clone, Debug)]
pub struct Bins {
    rows: Arc<Mapped>,
    /// The totals of each row and CPU.
    totals: Arc<Mapped>,
    cpus: usize,
}

impl Bins {
    pub(crate) fn new(rows: Mapped, totals: Mapped, cpus: usize) -> Self {
        Self { rows: Arc::new(rows), totals: Arc::new(totals), cpus }
    }

    /// The tick that is now; it is still filling.
    pub fn now() -> u64 {
        (monotonic_us() / US_PER_MS) as u64
    }

    /// Appends the complete bins of the row in `place` from tick `since` on.
    pub(crate) fn read(&self, place: u32, since: u64, into: &mut Vec<Bin>) -> Progress {
        let now = Self::now();
        let end = now.saturating_sub(SETTLE_MS) + 1;
        let oldest = now.saturating_sub(BINS as u64 - MARGIN_MS);
        let start = since.max(oldest);
        if start >= end {
            return Progress { next: since, missed: 0 };
        }
        let from = into.len();
        into.extend((start..end).map(|tick| Bin { tick, ..Bin::default() }));
        for cpu in 0..self.cpus {
            let ring = place as usize * self.cpus + cpu;
            // Rows in which nothing came stay where they are, out of our caches.
            let newest = self.totals.word32(ring * TOTAL_WORDS * 2 + NEWEST_AT).load(Ordering::Relaxed);
            if (start as u32).wrapping_sub(newest).wrapping_sub(1) < u32::MAX / 2 {
                continue;
            }
            let row = ring * BINS;
            for bin in &mut into[from..] {
                self.add(row, bin);
            }
        }
        Progress { next: end, missed: start - since }
    }

    /// The totals of the row in `place`.
    pub(crate) fn totals(&self, place: u32) -> RowTotals {
        let mut sum = RowTotals::default();
        for cpu in 0..self.cpus {
            let first = (place as usize * self.cpus + cpu) * TOTAL_WORDS;
            let counts = self.totals.word64(first + 2);
            sum.packets = sum.packets.wrapping_add(self.totals.word64(first));
            sum.bytes = sum.bytes.wrapping_add(self.totals.word64(first + 1));
            // Little-endian, as the programs are.
            sum.new_flows = sum.new_flows.wrapping_add(counts as u32);
            sum.syns = sum.syns.wrapping_add((counts >> 32) as u32);
        }
        sum
    }

    fn add(&self, row: usize, bin: &mut Bin) {
        let first = (row + bin.tick as usize % BINS) * BIN_WORDS;
        let word = |place: usize| self.rows.word32(first + place).load(Ordering::Relaxed);
        if word(0) != bin.tick as u32 {
            return;
        }
        bin.packets += u64::from(word(1));
        bin.bytes += u64::from(word(2));
        let counts = word(3).to_le_bytes();
        bin.new_flows += u32::from(u16::from_le_bytes([counts[0], counts[1]]));
        bin.syns += u32::from(u16::from_le_bytes([counts[2], counts[3]]));
    }

    /// Forgets what the row in `place` holds; it must not be written to meanwhile.
    pub(crate) fn clear(&self, place: u32) {
        const WORDS: usize = BINS * BIN_WORDS / 2;
        let first = place as usize * self.cpus * WORDS;
        self.rows.clear(first, self.cpus * WORDS);
        self.totals.clear(place as usize * self.cpus * TOTAL_WORDS, self.cpus * TOTAL_WORDS);
    }
}

/// Bytes of the map of rows.
pub(crate) fn rows_bytes(ports_max: usize, cpus: usize) -> usize {
    (ROWS_OF_INTERFACE as usize + ports_max) * cpus * BINS * BIN_WORDS * 4
}

/// Bytes of the map of totals.
pub(crate) fn totals_bytes(ports_max: usize, cpus: usize) -> usize {
    (ROWS_OF_INTERFACE as usize + ports_max) * cpus * TOTAL_WORDS * 8
}
