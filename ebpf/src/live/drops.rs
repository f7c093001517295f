//! Drops in front of watched ports, and what leaves their sockets.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use aya::maps::{MapData, RingBuf};

use crate::live::layout::{KernelDrop, value_of};

/// Most rings that are waited for at once; events of further ones are seen with the next tick.
const RINGS_MAX: usize = 16;

/// Why a packet for a watched port was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// The socket's receive buffer was full.
    BufferFull,
    /// The memory limit of the protocol (`net.ipv4.udp_mem`, `tcp_mem`) was reached.
    NoMemory,
    /// Nobody listens.
    NoSocket,
    /// Another one, by the running kernel's number in `enum skb_drop_reason`.
    Other(u32),
}

/// A packet for a watched port was dropped. There is at most one event for a port in a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropEvent {
    /// Monotonic clock, microseconds; divided by 1,000 it is the tick of a bin.
    pub time_us: u64,
    /// The port.
    pub port: u16,
    /// Why.
    pub reason: DropReason,
    /// Packets dropped for this port since it is watched, this one among them.
    pub dropped: u64,
    /// Inode of the socket; none where the kernel gave the packet up before it had found one.
    pub socket_inode: Option<u64>,
    /// Memory of what waits in the socket, bytes of truesize; 0 where there is no socket.
    pub queued_bytes: u32,
    /// The socket's receive buffer, bytes; 0 where there is no socket.
    pub limit_bytes: u32,
}

/// Totals of one watched port since it is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortTotals {
    /// Receive calls that took something.
    pub drained_messages: u64,
    /// Bytes they took.
    pub drained_bytes: u64,
    /// Packets dropped.
    pub dropped: u64,
}

impl PortTotals {
    /// What came since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            drained_messages: self.drained_messages.wrapping_sub(before.drained_messages),
            drained_bytes: self.drained_bytes.wrapping_sub(before.drained_bytes),
            dropped: self.dropped.wrapping_sub(before.dropped),
        }
    }
}

/// The ring that drop events come by.
pub(crate) struct Drops {
    pub(crate) ring: RingBuf<MapData>,
}

impl Drops {
    /// Appends the events there are.
    pub(crate) fn read(&mut self, into: &mut Vec<DropEvent>) {
        while let Some(item) = self.ring.next() {
            into.extend(value_of::<KernelDrop>(&item).map(|event| event_of(&event)));
        }
    }
}

/// Waits for an event in any of `rings`, `time` at most. Gives whether there is one.
pub(crate) fn wait(rings: &mut dyn Iterator<Item = BorrowedFd<'_>>, time: Duration) -> bool {
    let mut polled = [libc::pollfd { fd: -1, events: libc::POLLIN, revents: 0 }; RINGS_MAX];
    for (place, ring) in polled.iter_mut().zip(rings) {
        place.fd = ring.as_raw_fd();
    }
    let limit = libc::timespec {
        tv_sec: time.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(time.subsec_nanos() as i32),
    };
    // SAFETY: `polled` and `limit` live over the call, and the length is that of `polled`; entries of -1 are passed over.
    let ready =
        unsafe { libc::ppoll(polled.as_mut_ptr(), RINGS_MAX as libc::nfds_t, &raw const limit, std::ptr::null()) };
    ready > 0
}

fn event_of(event: &KernelDrop) -> DropEvent {
    DropEvent {
        time_us: event.time_us,
        port: event.port,
        reason: match event.drop {
            1 => DropReason::BufferFull,
            2 => DropReason::NoMemory,
            3 => DropReason::NoSocket,
            _ => DropReason::Other(event.kernel_reason),
        },
        dropped: event.dropped,
        socket_inode: (event.inode != 0).then_some(event.inode),
        queued_bytes: event.queued_bytes,
        limit_bytes: event.limit_bytes,
    }
}
