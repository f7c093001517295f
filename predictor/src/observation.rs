//! What is known of one buffer after one tick.

/// One buffer in one tick: what the kernel said at its end and what happened within it.
///
/// All bytes are the kernel's truesize (a datagram of 100 B charges 832 B), since that is what a receive buffer is compared with;
/// `arrived_bytes` and `drained_bytes` as well, scaled by whoever fills them in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observation {
    /// Whether the slot holds a buffer. A policy passes over the others.
    pub live: bool,
    /// Bytes charged to the queue at the end of the tick.
    pub queued_bytes: u64,
    /// The limit that was in force during the tick, in bytes.
    pub ceiling_bytes: u64,
    /// Packets dropped in the tick because the buffer was full.
    pub drops: u64,
    /// What the dropped packets would have charged, in bytes. An estimate.
    pub dropped_bytes: u64,
    /// Arrivals, where something counts them ([`crate::eyes`]).
    pub arrivals: Option<Traffic>,
}

/// Counted traffic of one buffer in one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets that came in.
    pub packets: u64,
    /// What they charge, in bytes of truesize.
    pub bytes: u64,
    /// Flows that began.
    pub new_flows: u64,
    /// TCP connection requests.
    pub syns: u64,
    /// What the program took out, in bytes of truesize.
    pub drained_bytes: u64,
}

impl Traffic {
    /// What falls to one of `sharers` sockets of a port. A packet too many rather than none, so that no socket seems idle.
    #[must_use]
    pub const fn part(self, sharers: u64) -> Self {
        let sharers = if sharers == 0 { 1 } else { sharers };
        Self {
            packets: self.packets.div_ceil(sharers),
            bytes: self.bytes / sharers,
            new_flows: self.new_flows / sharers,
            syns: self.syns / sharers,
            drained_bytes: self.drained_bytes / sharers,
        }
    }
}

impl Observation {
    /// The backlog there would have been without the limit, as far as one tick shows it: what is queued and what was lost
    /// (the correction of Lindley's recursion for a queue that is cut off).
    pub const fn backlog_bytes(&self) -> u64 {
        self.queued_bytes.saturating_add(self.dropped_bytes)
    }
}
