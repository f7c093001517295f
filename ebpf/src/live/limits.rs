//! Every bound of live metering that user space sets; those of the programs are in `c/live/`.

use crate::live::layout::{BIN_WORDS, BINS};

/// Fewest flows a table may be made for.
pub(crate) const FLOWS_MIN: usize = 16;

/// Most flows a table may be made for: 2^22, about 1.8 GB of kernel memory.
pub(crate) const FLOWS_MAX: usize = 1 << 22;

/// Flows a live table is made for unless told otherwise; about 30 MB of kernel memory.
pub(crate) const FLOWS_DEFAULT: usize = 65_536;

/// Bytes of the ring in which ended flows wait for us: about 11,000 of them.
pub(crate) const RECORDS_BYTES: u32 = 1 << 22;

/// The same where no flows are followed: the least a ring can be, a page.
pub(crate) const RECORDS_BYTES_MIN: u32 = 1 << 12;

/// Flows looked at in one step of the walk over the table.
pub(crate) const WALK_BATCH: usize = 1024;

/// A walk over the whole table takes at most this long, and at most an eighth of the idle timeout, microseconds.
pub(crate) const WALK_US_MAX: i64 = 10_000_000;

/// Above this share of places taken, in percent, the flows idle for longest are ended early...
pub(crate) const PRESSURE_PERCENT: usize = 80;
/// ... until this share is left.
pub(crate) const RELIEF_PERCENT: usize = 60;

/// Milliseconds a bin is left to settle before it is read: a program that began in it has ended by then.
pub(crate) const SETTLE_MS: u64 = 2;

/// Milliseconds from the oldest end of a ring that are not read, so that none is overwritten while it is read.
pub(crate) const MARGIN_MS: u64 = 16;

/// Most ports that can be watched at a time.
pub(crate) const PORTS_MAX: u16 = 1024;

/// Ports to make room for where `wanted` were asked for.
pub(crate) fn ports_max(wanted: u16) -> usize {
    usize::from(wanted.clamp(1, PORTS_MAX))
}

/// Most memory of the rows of a lookout, which are there for every CPU the machine may have.
const COUNTED_ROWS_BYTES_MAX: usize = 64 << 20;

/// The same where no more than [`COUNTED_ROWS_BYTES_MAX`] shall be taken on `cpus`.
pub(crate) fn counted_ports_max(wanted: u16, cpus: u32) -> u16 {
    let fit = COUNTED_ROWS_BYTES_MAX / (BINS * BIN_WORDS * 4 * cpus.max(1) as usize);
    (ports_max(wanted).min(fit.max(1))) as u16
}

const _: () = assert!(RELIEF_PERCENT < PRESSURE_PERCENT && PRESSURE_PERCENT < 100);
