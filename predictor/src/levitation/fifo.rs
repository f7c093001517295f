//! A queue of packets with a limit in bytes: what fits comes in at the end, what does not is lost, the oldest leaves first.

use std::collections::VecDeque;

/// See the module.
#[derive(Debug, Default)]
pub struct Fifo {
    packets: VecDeque<u64>,
    queued_bytes: u64,
    limit_bytes: u64,
    dropped: u64,
    dropped_bytes: u64,
    served: u64,
    /// What the server has saved up of a packet, in packets.
    credit: f64,
}

impl Fifo {
    /// An empty one.
    pub fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, ..Self::default() }
    }

    /// Packets that are queued stay, as in the kernel.
    pub fn set_limit(&mut self, limit_bytes: u64) {
        self.limit_bytes = limit_bytes;
    }

    /// A packet arrives.
    pub fn push(&mut self, bytes: u64) {
        if self.queued_bytes + bytes > self.limit_bytes {
            self.dropped += 1;
            self.dropped_bytes += bytes;
        } else {
            self.queued_bytes += bytes;
            self.packets.push_back(bytes);
        }
    }

    /// The server takes `packets` of them (a fraction is saved up for the next step); an empty queue saves nothing up.
    pub fn serve(&mut self, packets: f64) {
        self.credit += packets;
        while self.credit >= 1.0 {
            let Some(bytes) = self.packets.pop_front() else {
                self.credit = 0.0;
                return;
            };
            self.queued_bytes -= bytes;
            self.served += 1;
            self.credit -= 1.0;
        }
    }

    /// Bytes queued.
    pub const fn queued_bytes(&self) -> u64 {
        self.queued_bytes
    }

    /// The limit.
    pub const fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Packets lost, and their bytes.
    pub const fn dropped(&self) -> (u64, u64) {
        (self.dropped, self.dropped_bytes)
    }

    /// Packets served.
    pub const fn served(&self) -> u64 {
        self.served
    }

    /// Packets queued.
    pub fn len(&self) -> u64 {
        self.packets.len() as u64
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_fit_is_lost_and_a_lower_limit_loses_nothing_that_is_queued() {
        let mut fifo = Fifo::new(2_500);
        (0..3).for_each(|_| fifo.push(1_000));
        assert_eq!((fifo.len(), fifo.dropped()), (2, (1, 1_000)));
        fifo.set_limit(500);
        assert_eq!(fifo.queued_bytes(), 2_000);
        fifo.serve(1.5);
        fifo.serve(0.5);
        assert_eq!((fifo.served(), fifo.is_empty()), (2, true));
    }

    proptest! {
        #[test]
        fn every_packet_is_served_lost_or_queued(steps in prop::collection::vec((0u64..40, 0.0..30.0f64, 0u64..60_000), 1..200)) {
            let mut fifo = Fifo::new(20_000);
            let mut sent = 0;
            for (count, service, limit) in steps {
                (0..count).for_each(|n| fifo.push(1_000 + n));
                sent += count;
                fifo.serve(service);
                fifo.set_limit(limit);
                prop_assert_eq!(sent, fifo.served() + fifo.dropped().0 + fifo.len());
            }
        }
    }
}
