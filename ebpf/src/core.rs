//! The C core seen from Rust: the same structures, and safe functions over it.
//!
//! Sizes are asserted on both sides at compile time; `c/packet.h`, `c/key.h` and `c/flow.h` document the fields. The
//! core allocates nothing, keeps no pointer and has no state of its own.
#![allow(unsafe_code)]

use std::mem::{MaybeUninit, size_of};

use crate::packet::Reject;

/// Bytes of state that one flow takes in the core, whatever the flow does.
pub const FLOW_STATE_BYTES: usize = 312;

/// Longest active timeout the state has room for: offsets in a flow are 32-bit microseconds.
pub const ACTIVE_TIMEOUT_MAX_US: i64 = 3_600_000_000;

/// `packet.vlan` where the frame had no tag.
pub(crate) const VLAN_NONE: u16 = 0xffff;

/// [`PacketFacts::fragment`]: holds the transport header of a packet that goes on.
pub(crate) const FIRST_FRAGMENT: u8 = 1;
/// [`PacketFacts::fragment`]: a later piece, without ports.
pub(crate) const LATER_FRAGMENT: u8 = 2;

/// [`PacketFacts::notes`]: the IP length was 0 and was taken from the frame.
pub(crate) const NOTE_LENGTH_FROM_WIRE: u8 = 1;
/// [`PacketFacts::notes`]: the IP length goes beyond the frame.
pub(crate) const NOTE_LENGTH_OVER_WIRE: u8 = 2;

/// What [`FlowState::add`] says: the flow ended with this packet.
pub(crate) const ENDED: u32 = 1;
/// What [`FlowState::add`] says: time went backwards and was held.
pub(crate) const CLAMPED: u32 = 2;

/// `struct fb_packet`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PacketFacts {
    pub(crate) src: [u64; 2],
    pub(crate) dst: [u64; 2],
    pub(crate) ip_bytes: u32,
    pub(crate) payload_bytes: u32,
    pub(crate) payload_offset: u32,
    pub(crate) fragment_id: u32,
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) header_bytes: u16,
    pub(crate) window: u16,
    pub(crate) vlan: u16,
    pub(crate) version: u8,
    pub(crate) protocol: u8,
    pub(crate) tcp_flags: u8,
    pub(crate) icmp_type: u8,
    pub(crate) icmp_code: u8,
    pub(crate) fragment: u8,
    pub(crate) notes: u8,
    unused: [u8; 7],
}

/// `struct fb_key`: both directions of a flow have the same.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlowKey {
    pub(crate) low: [u64; 2],
    pub(crate) high: [u64; 2],
    pub(crate) low_port: u16,
    pub(crate) high_port: u16,
    pub(crate) vlan: u16,
    pub(crate) protocol: u8,
    pub(crate) version: u8,
}

/// `struct fb_direction`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DirectionState {
    pub(crate) bytes: u64,
    pub(crate) bytes_squared: u64,
    pub(crate) payload: u64,
    pub(crate) header: u64,
    pub(crate) iat_squared: u64,
    pub(crate) bulk_bytes: u64,
    pub(crate) packets: u32,
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) iat_min: u32,
    pub(crate) iat_max: u32,
    pub(crate) bytes_min: u32,
    pub(crate) bytes_max: u32,
    pub(crate) psh: u32,
    pub(crate) urg: u32,
    pub(crate) bulks: u32,
    pub(crate) bulk_packets: u32,
    pub(crate) bulk_duration: u32,
    pub(crate) header_min: u16,
    pub(crate) header_max: u16,
    pub(crate) window: u16,
    unused: u16,
}

/// `struct fb_flow`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FlowState {
    pub(crate) start_us: i64,
    pub(crate) iat_squared: u64,
    run_bytes: u64,
    pub(crate) way: [DirectionState; 2],
    pub(crate) last: u32,
    pub(crate) iat_min: u32,
    pub(crate) iat_max: u32,
    pub(crate) active_start: u32,
    pub(crate) active_max: u32,
    pub(crate) idles: u32,
    pub(crate) idle_sum: u32,
    pub(crate) idle_max: u32,
    pub(crate) subflows: u32,
    pub(crate) fin: u32,
    pub(crate) syn: u32,
    pub(crate) rst: u32,
    pub(crate) ack: u32,
    pub(crate) ece: u32,
    pub(crate) cwr: u32,
    run_packets: u32,
    run_first: u32,
    run_last: u32,
    pub(crate) segment: u32,
    run_way: u8,
    fin_ways: u8,
    fin_last: u8,
    pub(crate) swapped: u8,
}

/// `struct fb_limits`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_field_names)] // the names of the C side
pub(crate) struct Limits {
    pub(crate) idle_us: i64,
    pub(crate) active_us: i64,
    pub(crate) activity_us: i64,
}

const _: () = assert!(size_of::<PacketFacts>() == 72);
const _: () = assert!(size_of::<FlowKey>() == 40);
const _: () = assert!(size_of::<DirectionState>() == 104);
const _: () = assert!(size_of::<FlowState>() == FLOW_STATE_BYTES);
const _: () = assert!(size_of::<Limits>() == 24);

/// `enum fb_verdict`: what a packet is to the flow whose key it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It belongs to the flow as it stands.
    GoesOn,
    /// The flow goes on as a new event.
    NextSegment,
    /// A new flow begins after a pause.
    IdleTimeout,
    /// A new flow begins because the clock jumped back.
    ClockStep,
    /// A new flow begins with a SYN after a complete close.
    Reopened,
}

/// Parses one frame that was `wire` bytes long. Reads only within `data`.
pub(crate) fn parse(link_type: u32, data: &[u8], wire: u32) -> Result<PacketFacts, Reject> {
    let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut facts = MaybeUninit::<PacketFacts>::uninit();
    // SAFETY: `data` is valid for `captured` bytes at least, and the core reads no further. It writes all of `facts`
    // before anything else, and every bit pattern of its fields is valid.
    let (code, facts) = unsafe {
        let code = forebay_parse(link_type, data.as_ptr(), captured, wire, facts.as_mut_ptr());
        (code, facts.assume_init())
    };
    match Reject::from_code(code) {
        None => Ok(facts),
        Some(reject) => Err(reject),
    }
}

/// The key of a packet's flow, and 1 where the packet's source is the high end.
pub(crate) fn key_of(packet: &PacketFacts) -> (FlowKey, u32) {
    let mut key = FlowKey::default();
    // SAFETY: both references are valid for the call, and the core keeps neither.
    let swapped = unsafe { forebay_key(packet, &raw mut key) };
    (key, swapped)
}

impl FlowState {
    /// A flow that begins at `now`, still without a packet.
    pub(crate) fn begin(now: i64, swapped: u32) -> Self {
        let mut state = Self::default();
        // SAFETY: the reference is valid for the call, and the core does not keep it.
        unsafe { forebay_flow_begin(&raw mut state, now, swapped) };
        state
    }

    /// Makes this the next event of the same flow.
    pub(crate) fn proceed(&mut self, now: i64) {
        // SAFETY: the reference is valid for the call, and the core does not keep it.
        unsafe { forebay_flow_continue(self, now) };
    }

    /// What `packet` at `now` is to this flow.
    pub(crate) fn judge(&self, packet: &PacketFacts, now: i64, limits: &Limits) -> Verdict {
        // SAFETY: the references are valid for the call, and the core keeps none.
        match unsafe { forebay_flow_judge(self, packet, now, limits) } {
            0 => Verdict::GoesOn,
            1 => Verdict::NextSegment,
            2 => Verdict::IdleTimeout,
            3 => Verdict::ClockStep,
            _ => Verdict::Reopened,
        }
    }

    /// Adds a packet that [`Self::judge`] let go on; says [`ENDED`] and [`CLAMPED`].
    pub(crate) fn add(&mut self, packet: &PacketFacts, now: i64, swapped: u32, limits: &Limits) -> u32 {
        // SAFETY: the references are valid for the call, and the core keeps none.
        unsafe { forebay_flow_add(self, packet, now, swapped, limits) }
    }

    /// Closes what is open: a bulk that the end of the flow cuts off counts.
    pub(crate) fn end(&mut self) {
        // SAFETY: the reference is valid for the call, and the core does not keep it.
        unsafe { forebay_flow_end(self) };
    }

    /// Time of the last packet, Unix epoch, microseconds.
    pub(crate) fn last_us(&self) -> i64 {
        self.start_us + i64::from(self.last)
    }
}

unsafe extern "C" {
    fn forebay_parse(link_type: u32, data: *const u8, captured: u32, wire: u32, packet: *mut PacketFacts) -> u32;
    fn forebay_key(packet: *const PacketFacts, key: *mut FlowKey) -> u32;
    fn forebay_flow_judge(flow: *const FlowState, packet: *const PacketFacts, now: i64, limits: *const Limits) -> u32;
    fn forebay_flow_begin(flow: *mut FlowState, now: i64, swapped: u32);
    fn forebay_flow_continue(flow: *mut FlowState, now: i64);
    fn forebay_flow_add(
        flow: *mut FlowState,
        packet: *const PacketFacts,
        now: i64,
        swapped: u32,
        limits: *const Limits,
    ) -> u32;
    fn forebay_flow_end(flow: *mut FlowState);
}
