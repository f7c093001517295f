//! Packets in, ended flows out.
//!
//! **Promise.** The rules of the event schema: a flow ends on RST, on the ACK after FIN from both sides, after
//! `idle_timeout` without a packet; at `active_timeout` it goes on as a new event with the next segment number. A
//! direction is fixed by the first packet of the flow and kept over its segments.
//!
//! **Time** is that of the packets. A packet up to `idle_timeout` older than the last one of its flow is counted at the
//! time of that one; a larger step back, or forward, ends flows as a pause does, so that one wrong timestamp does no
//! lasting harm.
//!
//! **Limits.** `flows_max` flows at a time; for one more, the flow idle for longest is ended early and counted.
//!
//! ICMP has no ports: all ICMP between two addresses is one flow. The VLAN is part of a flow's key.

use std::collections::VecDeque;

use crate::app::{self, AppFacts};
use crate::core::{self, CLAMPED, ENDED, FlowKey, FlowState, LATER_FRAGMENT, Limits, PacketFacts, Verdict};
use crate::core::{ACTIVE_TIMEOUT_MAX_US, NOTE_LENGTH_FROM_WIRE, NOTE_LENGTH_OVER_WIRE};
use crate::counters::Counters;
use crate::fragment::FragmentTable;
use crate::packet::{Packet, Reject};
use crate::table::{Entry, FlowTable};

/// Payloads of one flow that are looked at to find out its application, both directions together.
const PROBES: u8 = 6;

/// How a meter cuts flows, and what it writes into every event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterConfig {
    /// A flow without a packet for longer than this has ended, us.
    pub idle_timeout_us: i64,
    /// A flow longer than this goes on as a new event, us. At most one hour; longer values count as one hour.
    pub active_timeout_us: i64,
    /// A pause longer than this ends an active period, us.
    pub activity_timeout_us: i64,
    /// Flows kept at a time.
    pub flows_max: usize,
    /// `node_id` of every event.
    pub node_id: String,
    /// `sensor` of every event.
    pub sensor: String,
    /// `interface` of every event.
    pub interface: String,
}

impl Default for MeterConfig {
    fn default() -> Self {
        Self {
            idle_timeout_us: 120_000_000,
            active_timeout_us: 120_000_000,
            activity_timeout_us: 5_000_000,
            flows_max: 1_000_000,
            node_id: String::new(),
            sensor: "meter".to_owned(),
            interface: String::new(),
        }
    }
}

/// A flow, or a segment of one, that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) state: FlowState,
    pub(crate) key: FlowKey,
    pub(crate) app: Option<Box<AppFacts>>,
    pub(crate) ordinal: u16,
    pub(crate) icmp_type: u8,
    pub(crate) icmp_code: u8,
}

/// See the module.
pub(crate) struct Meter {
    limits: Limits,
    flows_max: usize,
    table: FlowTable,
    fragments: FragmentTable,
    /// What the last packet ended: three at most (its old flow, an evicted one, and its own).
    ended: VecDeque<Ended>,
    counters: Counters,
    newest_start_us: i64,
    newest_ordinal: u16,
}

impl Meter {
    pub(crate) fn new(config: &MeterConfig) -> Self {
        Self {
            limits: limits_of(config),
            // Slots are 32 bit, and two values of them mean something else.
            flows_max: config.flows_max.clamp(1, u32::MAX as usize / 2),
            table: FlowTable::new(),
            fragments: FragmentTable::new(),
            ended: VecDeque::with_capacity(4),
            counters: Counters::default(),
            newest_start_us: i64::MIN,
            newest_ordinal: 0,
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn counters_mut(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// Parses a frame and finds the ports of a later fragment. A frame that is not metered is counted.
    pub(crate) fn accept(&mut self, link_type: u32, frame: &[u8], wire: u32, now: i64) -> Option<Packet> {
        self.counters.packets += 1;
        let parsed = Packet::parse(link_type, frame, wire).and_then(|mut packet| {
            let known = self.fragments.resolve(&mut packet.facts, now);
            known.then_some(packet).ok_or(Reject::FragmentWithoutFirst)
        });
        match parsed {
            Ok(packet) => Some(packet),
            Err(reject) => {
                self.counters.reject(reject);
                None
            }
        }
    }

    /// Ends one flow that has been idle for too long at `now`; to be called until there is none.
    pub(crate) fn expire(&mut self, now: i64) -> Option<Ended> {
        let slot = self.table.oldest()?;
        let idle = now - self.table.entry(slot).state.last_us();
        if idle.abs() <= self.limits.idle_us {
            return None;
        }
        if idle < 0 {
            self.counters.flows_clock_step += 1;
        } else {
            self.counters.flows_idle += 1;
        }
        Some(self.take(slot))
    }

    /// Meters an accepted packet; what it ends is given by [`Self::pop`].
    pub(crate) fn push(&mut self, packet: &Packet, frame: &[u8], now: i64) {
        let facts = &packet.facts;
        self.counters.accepted += 1;
        self.counters.bytes += u64::from(facts.ip_bytes);
        self.note(facts);
        let (key, swapped) = core::key_of(facts);
        let hash = self.table.hash(&key);
        let found = self.table.find(&key, hash).filter(|slot| self.goes_on(*slot, facts, now));
        let slot = match found {
            Some(slot) => {
                self.table.touch(slot);
                slot
            }
            None => self.begin(key, hash, swapped, facts, now),
        };
        let entry = self.table.entry_mut(slot);
        if entry.probes_left > 0 && facts.payload_bytes > 0 && facts.fragment != LATER_FRAGMENT {
            entry.probes_left = app::probe(entry, packet, frame, &mut self.counters.hosts_too_long);
        }
        let said = entry.state.add(facts, now, swapped, &self.limits);
        if said & CLAMPED != 0 {
            self.counters.time_held += 1;
        }
        if said & ENDED != 0 {
            self.counters.flows_closed += 1;
            let ended = self.take(slot);
            self.ended.push_back(ended);
        }
    }

    /// What the last packet ended.
    pub(crate) fn pop(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// The flows that are open, by their start: what remains to be taken at the end of a capture.
    pub(crate) fn open_flows(&self) -> Vec<u32> {
        let mut slots = self.table.slots();
        slots.sort_by_cached_key(|slot| {
            let entry = self.table.entry(*slot);
            (entry.state.start_us, entry.ordinal)
        });
        slots
    }

    /// Ends an open flow because the capture has ended.
    pub(crate) fn flush(&mut self, slot: u32) -> Ended {
        self.counters.flows_flushed += 1;
        self.take(slot)
    }

    fn note(&mut self, facts: &PacketFacts) {
        self.counters.fragments_joined += u64::from(facts.fragment == LATER_FRAGMENT);
        self.counters.length_from_wire += u64::from(facts.notes & NOTE_LENGTH_FROM_WIRE != 0);
        self.counters.length_over_wire += u64::from(facts.notes & NOTE_LENGTH_OVER_WIRE != 0);
    }

    /// Whether the flow in `slot` takes the packet; if not, it has been ended.
    fn goes_on(&mut self, slot: u32, facts: &PacketFacts, now: i64) -> bool {
        let entry = self.table.entry_mut(slot);
        match entry.state.judge(facts, now, &self.limits) {
            Verdict::GoesOn => return true,
            Verdict::NextSegment => {
                self.counters.flows_cut += 1;
                let ended = ended_of(entry, entry.app.clone());
                entry.state.proceed(now);
                self.ended.push_back(ended);
                return true;
            }
            Verdict::IdleTimeout => self.counters.flows_idle += 1,
            Verdict::ClockStep => self.counters.flows_clock_step += 1,
            Verdict::Reopened => self.counters.flows_closed += 1,
        }
        let ended = self.take(slot);
        self.ended.push_back(ended);
        false
    }

    fn begin(&mut self, key: FlowKey, hash: u32, swapped: u32, facts: &PacketFacts, now: i64) -> u32 {
        if self.table.len() >= self.flows_max
            && let Some(oldest) = self.table.oldest()
        {
            self.counters.flows_evicted += 1;
            let ended = self.take(oldest);
            self.ended.push_back(ended);
        }
        self.newest_ordinal = if now == self.newest_start_us { self.newest_ordinal.wrapping_add(1) } else { 0 };
        self.newest_start_us = now;
        let entry = Entry {
            state: FlowState::begin(now, swapped),
            key,
            app: None,
            ordinal: self.newest_ordinal,
            probes_left: PROBES,
            icmp_type: facts.icmp_type,
            icmp_code: facts.icmp_code,
        };
        self.table.insert(entry, hash)
    }

    fn take(&mut self, slot: u32) -> Ended {
        let mut entry = self.table.remove(slot);
        let app = entry.app.take();
        ended_of(&entry, app)
    }
}

/// What the core is told of `config`.
pub(crate) fn limits_of(config: &MeterConfig) -> Limits {
    Limits {
        idle_us: config.idle_timeout_us.max(0),
        active_us: config.active_timeout_us.clamp(0, ACTIVE_TIMEOUT_MAX_US),
        activity_us: config.activity_timeout_us.max(0),
    }
}

fn ended_of(entry: &Entry, app: Option<Box<AppFacts>>) -> Ended {
    let mut state = entry.state;
    state.end();
    Ended { state, key: entry.key, app, ordinal: entry.ordinal, icmp_type: entry.icmp_type, icmp_code: entry.icmp_code }
}
