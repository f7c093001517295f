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
    /// What falls to the `rank`-th of `sharers` sockets of a port. The parts add up to the whole.
    #[must_use]
    pub const fn part(self, rank: u64, sharers: u64) -> Self {
        const fn share(whole: u64, rank: u64, sharers: u64) -> u64 {
            whole / sharers + (rank < whole % sharers) as u64
        }
        // Nearly every port: ten divisions saved for each buffer and tick.
        if sharers <= 1 {
            return self;
        }
        Self {
            packets: share(self.packets, rank, sharers),
            bytes: share(self.bytes, rank, sharers),
            new_flows: share(self.new_flows, rank, sharers),
            syns: share(self.syns, rank, sharers),
            drained_bytes: share(self.drained_bytes, rank, sharers),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        let whole = Traffic { packets: 10, bytes: 7_001, new_flows: 2, syns: 1, drained_bytes: 0 };
        let parts: Vec<Traffic> = (0..3).map(|rank| whole.part(rank, 3)).collect();
        assert_eq!(parts.iter().map(|part| part.packets).collect::<Vec<_>>(), [4, 3, 3]);
        assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), 7_001);
        assert_eq!(whole.part(0, 0), whole);
    }
}
