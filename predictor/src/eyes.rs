//! What counts arrivals, if anything does.
//!
//! The sidecar works without: queue depth, limit and drops of each watched socket come from `SO_MEMINFO` on every tick. What it
//! cannot see that way is what arrived and was drained between two ticks. Whoever can (kernel programs that count by port)
//! implements [`Arrivals`]; whoever can read many sockets at once for less than four system calls each does that here as well.

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::Duration;

use crate::actuate::buffer::Look;
use crate::observation::Traffic;

/// Which traffic of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Watch {
    /// The local port.
    pub port: u16,
    /// UDP; otherwise TCP.
    pub is_udp: bool,
    /// Inode of the network namespace that the socket is in; 0 where we may not know.
    pub netns: u32,
}

/// Something that is told of what counts arrivals, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nothing is counted, or not in one network namespace.
    Blind,
    /// An interface is counted from now on.
    Begun,
    /// An interface has gone.
    Gone,
    /// An interface that was asked for is not there.
    Missing,
    /// An interface cannot be counted on.
    Refused,
    /// A port could not be watched; its sockets are asked themselves.
    NoRoom,
    /// A part of it is missing: drops and drains, or what leaves nothing behind.
    Partial,
    /// It failed on its way; what was counted so far stands.
    Failed,
}

/// What happened at one port since it was last asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortTick {
    /// Packets that came in.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Flows that began.
    pub new_flows: u64,
    /// TCP connection requests.
    pub syns: u64,
    /// Packets dropped because a receive buffer was full.
    pub drops: u64,
    /// Payload bytes that the program took out.
    pub drained_bytes: u64,
}

/// Something that counts arrivals by port. Called from the loop, so it must not block (but for [`Arrivals::rest`]) nor allocate.
pub trait Arrivals: Send {
    /// Which ports matter from now on.
    fn watch(&mut self, ports: &[Watch]);

    /// What happened at `port` since the last call; `None` where it is not counted.
    fn take(&mut self, port: Watch) -> Option<PortTick>;

    /// Waits between two ticks, `time` long. `true`: something was dropped at a watched port meanwhile, and that was not waited for.
    fn rest(&mut self, time: Duration) -> bool {
        thread::sleep(time);
        false
    }

    /// Looks after itself, once a tick: interfaces come and go. What changed is said to `told`, in words as well.
    fn tend(&mut self, _told: &mut dyn FnMut(Sight, &str)) {}

    /// Takes a socket in hand as `id`, to be read by [`Arrivals::gauge`] until it is closed. `false`: it cannot be.
    fn hold(&mut self, _socket: BorrowedFd<'_>, _id: u64) -> bool {
        false
    }

    /// Reads the socket no longer.
    fn let_go(&mut self, _socket: BorrowedFd<'_>) {}

    /// Reads all sockets in hand at once. `false`: it cannot at the moment, and each is to be asked itself.
    fn gauge(&mut self, _each: &mut dyn FnMut(u64, Look)) -> bool {
        false
    }

    /// On how many interfaces it counts.
    fn interfaces(&self) -> usize {
        0
    }
}

/// Counts nothing: the sidecar goes by `SO_MEMINFO` alone.
#[derive(Debug)]
pub struct Blind;

impl Arrivals for Blind {
    fn watch(&mut self, _ports: &[Watch]) {}

    fn take(&mut self, _port: Watch) -> Option<PortTick> {
        None
    }
}

/// Counts nothing, and says why once.
#[derive(Debug)]
pub struct Blinded(Option<String>);

impl Blinded {
    /// Because of `reason`.
    pub const fn because(reason: String) -> Self {
        Self(Some(reason))
    }
}

impl Arrivals for Blinded {
    fn watch(&mut self, _ports: &[Watch]) {}

    fn take(&mut self, _port: Watch) -> Option<PortTick> {
        None
    }

    fn tend(&mut self, told: &mut dyn FnMut(Sight, &str)) {
        if let Some(reason) = self.0.take() {
            told(Sight::Blind, &reason);
        }
    }
}

/// What one packet charges beyond its bytes where the kernel has not told: the head of a packet buffer and the rounding of
/// its data. A datagram of up to 100 B charges 832 B, one of 1,000 to 1,472 B charges 2,304 B (kernel 6.18, x86-64).
const TRUESIZE_EXTRA_BYTES: u64 = 768;

/// What a dropped packet would have charged where nothing is known of its size: that of a large datagram.
pub const TRUESIZE_BYTES: u64 = 2_304;

impl PortTick {
    /// The same in truesize.
    pub fn charged(&self) -> Traffic {
        if *self == Self::default() {
            return Traffic::default();
        }
        let bytes = self.bytes.saturating_add(self.packets.saturating_mul(TRUESIZE_EXTRA_BYTES));
        // What a drained byte charged is known only on average.
        let ratio = if self.bytes == 0 { 1.0 } else { bytes as f64 / self.bytes as f64 };
        Traffic {
            packets: self.packets,
            bytes,
            new_flows: self.new_flows,
            syns: self.syns,
            drained_bytes: (self.drained_bytes as f64 * ratio) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_packets_charge_far_more_than_they_carry() {
        let tick = PortTick { packets: 10, bytes: 1_000, drained_bytes: 500, ..PortTick::default() };
        assert_eq!((tick.charged().bytes, tick.charged().drained_bytes), (8_680, 4_340));
        assert_eq!(PortTick::default().charged(), Traffic::default());
    }
}
