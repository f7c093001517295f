//! What the meter counts. Nothing is left out, taken by a fallback or cut without a counter here.

use crate::packet::Reject;

/// Counters of one meter, from its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames read from the capture.
    pub packets: u64,
    /// Frames that were metered.
    pub accepted: u64,
    /// IP bytes of these.
    pub bytes: u64,
    /// Frames not metered, in the order of [`Reject::ALL`].
    pub rejected: [u64; Reject::ALL.len()],
    /// Later fragments that joined the flow of their first one.
    pub fragments_joined: u64,
    /// Packets whose IP length was 0 and was taken from the frame.
    pub length_from_wire: u64,
    /// Packets whose IP length goes beyond the frame.
    pub length_over_wire: u64,
    /// Packets older than the last one of their flow: counted at the time of that one.
    pub time_held: u64,
    /// Packets without a time of their own (pcapng simple packets): counted at the time of the packet before.
    pub time_missing: u64,
    /// Flows that ended by RST, or by FIN from both sides.
    pub flows_closed: u64,
    /// Flows that ended by the idle timeout.
    pub flows_idle: u64,
    /// Flows that ended because the clock jumped back by more than the idle timeout.
    pub flows_clock_step: u64,
    /// Flows that were cut at the active timeout and went on.
    pub flows_cut: u64,
    /// Flows that ended because the table was full: the one idle for longest.
    pub flows_evicted: u64,
    /// Flows that were open when the capture ended.
    pub flows_flushed: u64,
    /// Host names left out because they were longer than 255 bytes.
    pub hosts_too_long: u64,
}

impl Counters {
    /// How many frames were not metered for this reason.
    pub fn rejected_for(&self, reject: Reject) -> u64 {
        self.rejected[reject as usize]
    }

    pub(crate) fn reject(&mut self, reject: Reject) {
        self.rejected[reject as usize] += 1;
    }

    /// Every counter by its stable name.
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let mut named =
            vec![("packets_read", self.packets), ("packets_accepted", self.accepted), ("bytes_accepted", self.bytes)];
        named.extend(Reject::ALL.iter().map(|reject| (reject.counter(), self.rejected_for(*reject))));
        named.extend([
            ("packets_fragment_joined", self.fragments_joined),
            ("packets_length_from_wire", self.length_from_wire),
            ("packets_length_over_wire", self.length_over_wire),
            ("packets_time_held", self.time_held),
            ("packets_time_missing", self.time_missing),
            ("flows_closed", self.flows_closed),
            ("flows_idle_timeout", self.flows_idle),
            ("flows_clock_step", self.flows_clock_step),
            ("flows_active_timeout", self.flows_cut),
            ("flows_evicted", self.flows_evicted),
            ("flows_open_at_end", self.flows_flushed),
            ("hosts_too_long", self.hosts_too_long),
        ]);
        named
    }
}
