//! The books: what became of every packet that the programs saw.
//!
//! `seen = exported + lost, by reason + still in the table`. The last is 0 when metering has ended, and then the books
//! balance to the packet. While programs run, counters of several CPUs are read one after the other, so that packets on their
//! way may count on one side only.

use crate::live::layout::KernelBooks;
use crate::packet::Reject;

/// Everything counted since the start, in packets of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Packets that the programs saw.
    pub seen: u64,
    /// Packets that became part of a flow.
    pub accounted: u64,
    /// IP bytes of these.
    pub bytes: u64,
    /// Packets in events that were given out.
    pub exported: u64,
    /// Packets not in any event, by reason; see [`Books::LOST`].
    pub lost: [u64; 13],
    /// Events that were given out.
    pub events: u64,
    /// Flows that began.
    pub flows_begun: u64,
    /// Flows that ended by RST, or FIN from both sides.
    pub flows_closed: u64,
    /// Flows that ended by the idle timeout.
    pub flows_idle: u64,
    /// Flows that ended because the clock jumped.
    pub flows_clock_step: u64,
    /// Flows that were cut at the active timeout and went on.
    pub flows_cut: u64,
    /// Flows ended early because the table was nearly full: those idle for longest.
    pub flows_evicted: u64,
    /// Flows that were open when metering ended.
    pub flows_flushed: u64,
    /// Packets of the kernel that were several on the wire.
    pub super_packets: u64,
    /// Later fragments that joined the flow of their first one.
    pub fragments_joined: u64,
    /// Packets whose IP length was 0 and was taken from the frame.
    pub length_from_wire: u64,
    /// Packets whose IP length goes beyond the frame.
    pub length_over_wire: u64,
    /// Packets older than the last one of their flow: counted at the time of that one.
    pub time_held: u64,
    /// Drop events that found their ring full; totals of ports have them all the same.
    pub drop_events_missed: u64,
}

impl Books {
    /// Names of [`Books::lost`]: those of [`Reject`], then three of the live table.
    pub const LOST: [&'static str; 13] = {
        let mut names = [""; 13];
        let mut place = 0;
        while place < Reject::ALL.len() {
            names[place] = Reject::ALL[place].counter();
            place += 1;
        }
        names[10] = "packets_table_full";
        names[11] = "packets_slot_busy";
        names[12] = "packets_record_undelivered";
        names
    };

    /// Packets in no event, whatever the reason.
    pub fn lost_total(&self) -> u64 {
        self.lost.iter().sum()
    }

    /// Packets of flows that are still in the table: what is seen and neither exported nor lost.
    pub fn open(&self) -> i64 {
        self.seen as i64 - self.exported as i64 - self.lost_total() as i64
    }

    /// Every counter by its stable name.
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let mut named = vec![
            ("packets_seen", self.seen),
            ("packets_accounted", self.accounted),
            ("bytes_accounted", self.bytes),
            ("packets_exported", self.exported),
        ];
        named.extend(Self::LOST.into_iter().zip(self.lost));
        named.extend([
            ("events_exported", self.events),
            ("flows_begun", self.flows_begun),
            ("flows_closed", self.flows_closed),
            ("flows_idle_timeout", self.flows_idle),
            ("flows_clock_step", self.flows_clock_step),
            ("flows_active_timeout", self.flows_cut),
            ("flows_evicted", self.flows_evicted),
            ("flows_open_at_end", self.flows_flushed),
            ("packets_super", self.super_packets),
            ("packets_fragment_joined", self.fragments_joined),
            ("packets_length_from_wire", self.length_from_wire),
            ("packets_length_over_wire", self.length_over_wire),
            ("packets_time_held", self.time_held),
            ("drop_events_missed", self.drop_events_missed),
        ]);
        named
    }

    /// Takes over what the kernel has counted; `cpus` are the books of each.
    pub(crate) fn set_kernel<'k>(&mut self, cpus: impl Iterator<Item = &'k KernelBooks>) {
        let exported = (self.exported, self.events);
        let flows = (self.flows_closed, self.flows_idle, self.flows_clock_step, self.flows_cut);
        let ends = (self.flows_evicted, self.flows_flushed, self.drop_events_missed);
        *self = Self::default();
        (self.exported, self.events) = exported;
        (self.flows_closed, self.flows_idle, self.flows_clock_step, self.flows_cut) = flows;
        (self.flows_evicted, self.flows_flushed, self.drop_events_missed) = ends;
        for cpu in cpus {
            self.add_kernel(cpu);
        }
    }

    fn add_kernel(&mut self, cpu: &KernelBooks) {
        self.seen += cpu.seen;
        self.accounted += cpu.accounted;
        self.bytes += cpu.bytes;
        for (lost, rejected) in self.lost.iter_mut().zip(&cpu.rejected[1..]) {
            *lost += rejected;
        }
        self.lost[Reject::FragmentWithoutFirst as usize] += cpu.fragment_without_first;
        self.lost[10] += cpu.table_full;
        self.lost[11] += cpu.slot_busy;
        self.lost[12] += cpu.undelivered;
        self.flows_begun += cpu.flows_begun;
        self.super_packets += cpu.super_packets;
        self.fragments_joined += cpu.fragments_joined;
        self.length_from_wire += cpu.length_from_wire;
        self.length_over_wire += cpu.length_over_wire;
        self.time_held += cpu.time_held;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_loss_has_a_name_and_is_in_the_balance() {
        assert!(Books::LOST.iter().all(|name| name.starts_with("packets_")));
        let mut cpu = KernelBooks { seen: 100, accounted: 70, fragment_without_first: 1, ..KernelBooks::default() };
        cpu.rejected[1] = 9;
        cpu.rejected[9] = 10;
        (cpu.table_full, cpu.slot_busy, cpu.undelivered) = (4, 6, 5);
        let mut books = Books { exported: 60, ..Books::default() };
        books.set_kernel([&cpu, &KernelBooks::default()].into_iter());
        assert_eq!(books.lost_total(), 35);
        assert_eq!(books.open(), 5, "70 accounted, 60 exported, 5 not delivered");
        assert_eq!(books.lost[Reject::Jumbogram as usize], 10);
        assert_eq!(books.named().len(), 4 + 13 + 14);
    }
}
