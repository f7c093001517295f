//! What the kernel programs share with us: the same structures as in `c/live/`, and the bytes of a map as one of them.
//!
//! Sizes are asserted on both sides at compile time. Every field is an integer and there is no padding, so that any bytes
//! are a value.
#![allow(unsafe_code)]

use std::mem::{offset_of, size_of};

use aya::Pod;

use crate::core::{FlowKey, FlowState};
use crate::packet::Reject;

/// Codes of `enum fb_reject`, acceptance (0) among them.
pub(crate) const REJECT_CODES: usize = 10;
const _: () = assert!(REJECT_CODES == Reject::ALL.len(), "nine reasons of the core and acceptance");

/// `FB_BINS`: milliseconds in a row.
pub(crate) const BINS: usize = 1024;
/// `FB_REQUESTS`: flows that one run of `fb_end_flows` takes out.
pub(crate) const REQUESTS: usize = 64;
/// `FB_ROW_PORTS`: the rows before those of ports.
pub(crate) const ROWS_OF_INTERFACE: u32 = 2;

/// `struct fb_slot`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) key: FlowKey,
    pub(crate) state: FlowState,
    ordinal: u16,
    icmp_type: u8,
    icmp_code: u8,
    lock: u32,
    unused: u32,
    pub(crate) place_use: u32,
}

/// [`Slot::place_use`]: the flow has ended and its place waits to be taken out.
pub(crate) const EMPTY: u32 = 0;

/// `struct fb_record`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    pub(crate) key: FlowKey,
    pub(crate) state: FlowState,
    pub(crate) ordinal: u16,
    pub(crate) icmp_type: u8,
    pub(crate) icmp_code: u8,
    pub(crate) why: u32,
}

/// [`Record::why`]: RST, or FIN from both sides.
pub(crate) const END_CLOSED: u32 = 0;
/// [`Record::why`]: cut; the flow goes on.
pub(crate) const END_SEGMENT: u32 = 1;
/// [`Record::why`]: no packet for longer than the idle timeout.
pub(crate) const END_IDLE: u32 = 2;
/// [`Record::why`]: the clock jumped back.
pub(crate) const END_CLOCK_STEP: u32 = 3;

/// `struct fb_request`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Request {
    pub(crate) record: Record,
    pub(crate) ask: u32,
    pub(crate) answer: u32,
    pub(crate) now_us: i64,
}

/// [`Request::ask`]: end it if it is idle, take it out if it is empty.
pub(crate) const ASK_IF_IDLE: u32 = 1;
/// [`Request::ask`]: end it.
pub(crate) const ASK_NOW: u32 = 2;
/// [`Request::ask`]: take it out if it is empty.
pub(crate) const ASK_IF_EMPTY: u32 = 3;

/// [`Request::answer`]: its record is there, and it has left the table.
pub(crate) const ANSWER_TAKEN: u32 = 1;
/// [`Request::answer`]: it was empty, and has left the table.
pub(crate) const ANSWER_REMOVED: u32 = 2;

/// `struct fb_books`, of one CPU or added up.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KernelBooks {
    pub(crate) seen: u64,
    pub(crate) accounted: u64,
    pub(crate) bytes: u64,
    pub(crate) rejected: [u64; REJECT_CODES],
    pub(crate) fragment_without_first: u64,
    pub(crate) table_full: u64,
    pub(crate) slot_busy: u64,
    pub(crate) undelivered: u64,
    pub(crate) undelivered_flows: u64,
    pub(crate) places_made: u64,
    pub(crate) flows_begun: u64,
    pub(crate) flows_ended: u64,
    pub(crate) segments: u64,
    pub(crate) super_packets: u64,
    pub(crate) fragments_joined: u64,
    pub(crate) length_from_wire: u64,
    pub(crate) length_over_wire: u64,
    pub(crate) time_held: u64,
}

/// `struct fb_bin` as four words: tick, packets, bytes, and both 16-bit counts.
pub(crate) const BIN_WORDS: usize = 4;

/// `struct fb_total` as words of 64 bits: packets, bytes, new flows and SYNs, the newest tick.
pub(crate) const TOTAL_WORDS: usize = 4;

/// `FB_PORT_KEYS`: where the row of a port is looked up, 65,536 places for UDP, then as many for TCP.
pub(crate) const PORT_KEYS: usize = 2 << 16;

/// `FB_RECENT_SETS`: sets of marks of flows seen recently.
pub(crate) const RECENT_SETS: u32 = 16_384;

/// `struct fb_port` as words of 64 bits: drained messages, drained bytes, dropped, tick of the last event.
pub(crate) const PORT_WORDS: usize = 4;

/// `struct fb_drop_event`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KernelDrop {
    pub(crate) time_us: u64,
    pub(crate) dropped: u64,
    pub(crate) inode: u64,
    pub(crate) queued_bytes: u32,
    pub(crate) limit_bytes: u32,
    pub(crate) kernel_reason: u32,
    pub(crate) port: u16,
    pub(crate) drop: u8,
    unused: u8,
}

/// `struct fb_held`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KernelHeld {
    pub(crate) id: u64,
    pub(crate) queued_bytes: u32,
    pub(crate) limit_bytes: u32,
    pub(crate) drops: u32,
    unused: u32,
}

const _: () = assert!(size_of::<KernelHeld>() == 24);
const _: () = assert!(size_of::<Slot>() == 368 && offset_of!(Slot, place_use) == 364);
const _: () = assert!(size_of::<Record>() == 360);
const _: () = assert!(size_of::<Request>() == 376);
const _: () = assert!(size_of::<KernelBooks>() == 8 * (3 + REJECT_CODES + 14));
const _: () = assert!(size_of::<KernelDrop>() == 40);

// SAFETY: each is `repr(C)`, of integers only, without padding (the sizes above are the sums of the fields).
unsafe impl Pod for FlowKey {}
// SAFETY: as above.
unsafe impl Pod for Slot {}
// SAFETY: as above.
unsafe impl Pod for Record {}
// SAFETY: as above.
unsafe impl Pod for Request {}
// SAFETY: as above.
unsafe impl Pod for KernelBooks {}
// SAFETY: as above.
unsafe impl Pod for KernelDrop {}
// SAFETY: as above.
unsafe impl Pod for KernelHeld {}

/// The value whose bytes these are; none where there are too few.
pub(crate) fn value_of<T: Pod>(bytes: &[u8]) -> Option<T> {
    if bytes.len() < size_of::<T>() {
        return None;
    }
    // SAFETY: there are enough bytes, alignment does not matter to this read, and any bytes are a value of a `Pod` type.
    Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}
