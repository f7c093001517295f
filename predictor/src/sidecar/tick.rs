//! One tick: look, ask, share out, set.

use std::time::Instant;

use super::table::{Buffer, Port};
use super::{Event, Sidecar, TOLD_MAX, TargetReport};
use crate::actuate::buffer::{self, Force, Look, attainable};
use crate::budget::{Claim, Curve, fill};
use crate::control::{Verdict, grows, shrinks};
use crate::eyes::{Sight, TRUESIZE_BYTES};
use crate::observation::{Observation, Traffic};
use crate::policy::Tick;
use crate::target::{HandleError, Kind, Locked};

/// Ticks between two looks at a buffer that is known to be empty, or nearly, because arrivals are counted.
const IDLE_TICKS: usize = 16;

/// Part of its minimum under which a UDP buffer that is in use need not be looked at in every tick: a quarter. So little changes nothing: no
/// limit is ever less than the minimum.
const SMALL_PART: u64 = 4;

/// What packets may charge at most, in what they charge by estimate ([`crate::eyes::PortTick::charged`]): drivers differ in the memory they use.
const CHARGED_MOST: u64 = 2;

/// Quiet ticks after which a buffer may be known to be empty: a packet that was counted in one tick may reach its queue in the next.
const QUIET_TICKS: u32 = 2;

/// What it costs to ask one buffer (four system calls), to read all at once, and each of these: measured on two virtual cores
/// (Linux 6.18). Only their ratio counts.
const ASK_NS: usize = 1_900;
/// See [`ASK_NS`].
const GAUGE_NS: usize = 15_000;
/// See [`ASK_NS`].
const GAUGE_EACH_NS: usize = 250;

impl Sidecar {
    /// One tick at `now_ms`, a clock that need not agree with anything but itself.
    pub fn tick(&mut self, now_ms: u64) {
        let start = Instant::now();
        self.counts.add(Event::Tick);
        self.look();
        let tick = Tick { number: self.number, budget_bytes: self.budget_bytes, live: self.table.live() };
        self.number += 1;
        self.policy.decide(tick, &self.table.seen, &mut self.table.wanted);
        self.share_out();
        shrinks(self.rules, now_ms, self.budget_bytes, &mut self.table.seats, &mut self.table.verdicts);
        self.carry_out(Event::Shrink);
        grows(self.rules, now_ms, self.budget_bytes, &mut self.table.seats, &mut self.table.verdicts);
        self.carry_out(Event::Grow);
        self.tick_took = start.elapsed();
    }

    /// Reads every buffer; one that is known to hold nothing, or too little to matter, only now and then.
    fn look(&mut self) {
        self.tend();
        for port in &mut self.table.ports {
            let tick = self.arrivals.take(port.watch);
            port.traffic = tick.map(|tick| tick.charged());
            let is_quiet = tick.is_some_and(|tick| tick.packets == 0 && tick.drops == 0);
            port.quiet_ticks = if is_quiet { port.quiet_ticks.saturating_add(1) } else { 0 };
            port.is_dropping = tick.is_some_and(|tick| tick.drops > 0);
        }
        self.gauge();
        for slot in 0..self.table.buffers.len() {
            let Some(buffer) = &mut self.table.buffers[slot] else { continue };
            let is_due = self.table.due[slot];
            let port = buffer.port.and_then(|(place, rank)| Some((self.table.ports.get(place)?, rank)));
            let traffic = port.and_then(|(port, rank)| port.traffic.map(|traffic| traffic.part(rank, port.sharers)));
            buffer.is_counted = traffic.is_some();
            // All of a port that is shared may have gone to this socket; and what came in this tick may be queued in the next.
            let came_bytes = port.and_then(|(port, _)| port.traffic).map_or(0, |traffic| traffic.bytes);
            let is_seen = is_due || self.table.gauged[slot].is_some();
            buffer.unseen_bytes = if is_seen { came_bytes } else { buffer.unseen_bytes.saturating_add(came_bytes) };
            if let Some(traffic) = traffic {
                buffer.count(&traffic, &mut self.targets[buffer.target]);
            }
            let gauged = self.table.gauged[slot];
            if gauged.is_none() && !is_due {
                let seen = &mut self.table.seen[slot];
                (seen.drops, seen.dropped_bytes, seen.arrivals) = (0, 0, traffic);
                continue;
            }
            match gauged.map_or_else(|| buffer::look(&buffer.handle), Ok) {
                Ok(look) => {
                    let arrived_before = buffer.arrived_bytes;
                    let seen = buffer.see(look, traffic);
                    let target = &mut self.targets[buffer.target];
                    target.dropped_packets += seen.drops;
                    target.arrived_bytes += buffer.arrived_bytes - arrived_before;
                    self.table.seen[slot] = seen;
                    self.table.seats[slot].queued_bytes = look.queued_bytes;
                    if !self.dry_run {
                        self.heed(slot, look);
                    }
                }
                // The pass will say that it is gone; until then it is as it was.
                Err(HandleError::Gone) => {}
                Err(error) => self.fail(slot, &error),
            }
        }
    }

    /// Whether a buffer has to be looked at in this tick. Where nothing came and nothing was there, or so little that it does not matter, and
    /// nothing was dropped, every 16th tick is enough, the same one for those that are read together.
    fn is_due(&self, slot: usize) -> bool {
        let Some(buffer) = &self.table.buffers[slot] else { return false };
        let port = buffer.port.and_then(|(place, _)| self.table.ports.get(place));
        let is_calm = port.is_some_and(|port| buffer.is_idle(port) || buffer.is_small(port));
        let turn = if buffer.held.is_some() { 0 } else { slot };
        !is_calm || (self.number as usize + turn).is_multiple_of(IDLE_TICKS)
    }

    /// Finds out who is due, and reads those that can be read together, where so many are due that it is cheaper than asking each.
    fn gauge(&mut self) {
        self.table.gauged.fill(None);
        let (mut all, mut due) = (0, 0);
        for slot in 0..self.table.buffers.len() {
            let (is_due, is_held) =
                (self.is_due(slot), self.table.buffers[slot].as_ref().is_some_and(|b| b.held.is_some()));
            self.table.due[slot] = is_due;
            all += usize::from(is_held);
            due += usize::from(is_held && is_due);
        }
        if due * ASK_NS > GAUGE_NS + all * GAUGE_EACH_NS {
            let table = &mut self.table;
            self.arrivals.gauge(&mut |id, look| table.gauge(id, look));
        }
    }

    /// Lets what counts arrivals look after itself, and passes on what it says.
    fn tend(&mut self) {
        let (counts, told) = (&mut self.counts, &mut self.told);
        self.arrivals.tend(&mut |sight, what| {
            counts.add(sight.into());
            let key = |sight: Sight| format!("eyes {sight:?} {what}");
            if sight == Sight::Begun {
                let was_away = [Sight::Gone, Sight::Missing, Sight::Refused].map(|sight| told.remove(&key(sight)));
                if was_away.contains(&true) {
                    tracing::info!(interface = what, "arrivals are counted here again");
                }
            } else if told.len() < TOLD_MAX && told.insert(key(sight)) {
                match sight {
                    Sight::Gone => tracing::warn!(interface = what, "an interface has gone; the others go on"),
                    Sight::Missing => tracing::warn!(interface = what, "there is no such interface; the others go on"),
                    Sight::Refused => tracing::warn!(what, "arrivals cannot be counted on an interface; the others go on"),
                    Sight::NoRoom => tracing::warn!(what, "a port could not be watched; its sockets are asked themselves"),
                    Sight::Blind => tracing::warn!(
                        what,
                        "arrivals are not counted; queue, limit and drops of each socket are asked for in every tick instead"
                    ),
                    Sight::Partial | Sight::Failed | Sight::Begun => tracing::warn!(what, "what counts arrivals lacks a part"),
                }
            }
        });
    }

    /// Takes in a limit that is not the one we know of: the kernel tuned it, or its program set it.
    fn heed(&mut self, slot: usize, look: Look) {
        let Some(buffer) = &mut self.table.buffers[slot] else { return };
        let seat = &mut self.table.seats[slot];
        if !buffer.is_applied || look.ceiling_bytes == seat.ceiling_bytes {
            return;
        }
        seat.ceiling_bytes = look.ceiling_bytes;
        buffer.original_bytes = look.ceiling_bytes;
        if !buffer.is_changed {
            return;
        }
        buffer.is_changed = false;
        buffer.was_locked = buffer.was_locked.map(|_| true);
        let spec = &self.specs[buffer.target];
        if spec.locked == Locked::Leave {
            buffer.is_applied = false;
        } else {
            buffer.min_bytes = buffer.min_bytes.max(look.ceiling_bytes).min(buffer.max_bytes);
        }
        let (name, identity) = (spec.name.clone(), buffer.handle.identity);
        self.counts.add(Event::Overridden);
        if let Some(ledger) = &mut self.ledger {
            ledger.forget(identity);
        }
        if self.is_news(format!("overridden {name}")) {
            tracing::info!(
                target = name,
                bytes = look.ceiling_bytes,
                "its program set the size meanwhile, which is heeded"
            );
        }
    }

    /// Shares the budget out by what the policy wants. Where that is what it was in the last tick, so are the shares.
    fn share_out(&mut self) {
        let mut is_same = std::mem::replace(&mut self.table.is_shared, true);
        for (slot, claim) in self.table.claims.iter_mut().enumerate() {
            if let Some(buffer) = &self.table.buffers[slot] {
                let max_bytes = match self.force {
                    Force::No { max_bytes } if buffer.handle.kind != Kind::Pipe => buffer.max_bytes.min(max_bytes),
                    _ => buffer.max_bytes,
                };
                let curve = Curve::new(self.table.wanted[slot], buffer.weight);
                let now = Claim { min_bytes: buffer.min_bytes.min(max_bytes), max_bytes, curve };
                is_same &= *claim == now;
                *claim = now;
            }
        }
        if is_same {
            return;
        }
        match fill(&self.table.claims, self.budget_bytes, &mut self.table.shares) {
            Ok(filled) => self.filled = filled,
            // A minimum that rose while its buffer was in hand; shares stay as they were.
            Err(error) => {
                self.table.is_shared = false;
                self.counts.add(Event::LeftBudget);
                if self.is_news("minima".to_owned()) {
                    tracing::warn!(%error, "the shares stay as they were");
                }
            }
        }
        for (seat, share) in self.table.seats.iter_mut().zip(&self.table.shares).filter(|(seat, _)| seat.live) {
            seat.share_bytes = *share;
        }
    }

    /// Carries the verdicts out: all written down first, then each set.
    fn carry_out(&mut self, direction: Event) {
        if !self.note_all() {
            return;
        }
        for slot in 0..self.table.verdicts.len() {
            match self.table.verdicts[slot] {
                Verdict::Keep => {}
                Verdict::Wait(reason) => self.counts.add(reason.into()),
                Verdict::Set(bytes) => self.set(slot, bytes, direction),
            }
        }
    }

    /// Writes down what is about to change. Failing that, nothing is changed in this step.
    fn note_all(&mut self) -> bool {
        let Some(ledger) = &mut self.ledger else { return true };
        for (slot, verdict) in self.table.verdicts.iter().enumerate() {
            if let (Verdict::Set(bytes), Some(buffer)) = (verdict, &self.table.buffers[slot])
                && buffer.is_applied
            {
                let ours = [buffer.real_bytes, attainable(buffer.handle.kind, self.force, *bytes)];
                ledger.note(&buffer.handle, buffer.original_bytes, buffer.was_locked, ours);
            }
        }
        let Err(error) = ledger.save() else { return true };
        self.counts.add(Event::FailStateFile);
        if self.is_news("state file".to_owned()) {
            tracing::error!(%error, "what is changed cannot be written down, so nothing is changed until it can");
        }
        false
    }

    fn set(&mut self, slot: usize, bytes: u64, direction: Event) {
        let Some(buffer) = &mut self.table.buffers[slot] else { return };
        let seat = &mut self.table.seats[slot];
        if self.dry_run || !buffer.is_applied {
            seat.ceiling_bytes = bytes;
            self.counts.add(direction);
            if self.dry_run {
                tracing::info!(
                    program = buffer.handle.process.program,
                    pid = buffer.handle.process.owner.pid,
                    port = buffer.handle.port,
                    from = buffer.real_bytes,
                    to = bytes,
                    "would be set"
                );
            }
            return;
        }
        match buffer::set(&buffer.handle, self.force, bytes) {
            Ok(done) => {
                buffer.is_changed = true;
                buffer.real_bytes = done.ceiling_bytes;
                seat.ceiling_bytes = done.ceiling_bytes;
                self.counts.add(direction);
                if done.is_refused {
                    self.force = buffer::without_force();
                    if let Force::No { max_bytes } = self.force {
                        self.tell_unforced(max_bytes);
                    }
                }
            }
            Err(HandleError::Gone) => {}
            Err(error) => self.fail(slot, &error),
        }
    }

    fn fail(&mut self, slot: usize, error: &HandleError) {
        let event = match error {
            HandleError::Denied => Event::FailDenied,
            HandleError::System(error) if error.kind() == std::io::ErrorKind::ResourceBusy => Event::FailBusy,
            _ => Event::FailSystem,
        };
        self.counts.add(event);
        let Some(buffer) = &self.table.buffers[slot] else { return };
        let name = self.specs[buffer.target].name.clone();
        if self.is_news(format!("{} {name}", event.label())) {
            tracing::warn!(target = name, %error, "a buffer could not be reached or set; the rest goes on");
        }
    }
}

impl Buffer {
    /// Whether nothing came and nothing was there: then nothing can have been lost either.
    const fn is_idle(&self, port: &Port) -> bool {
        self.queued_before == 0 && port.quiet_ticks >= QUIET_TICKS
    }

    /// Whether so little can be queued that it is far under the least limit, if none of it was read. What TCP charges is not known so well.
    fn is_small(&self, port: &Port) -> bool {
        let Some(traffic) = port.traffic else { return false };
        let came_bytes = self.unseen_bytes.saturating_add(traffic.bytes).saturating_mul(CHARGED_MOST);
        self.handle.kind == Kind::Udp
            && !port.is_dropping
            && self.queued_before.saturating_add(came_bytes) <= self.min_bytes / SMALL_PART
    }

    /// Takes in what was counted for it.
    fn count(&mut self, traffic: &Traffic, target: &mut TargetReport) {
        self.arrived_packets += traffic.packets;
        self.arrived_bytes += traffic.bytes;
        target.arrived_packets += traffic.packets;
        target.arrived_bytes += traffic.bytes;
        target.new_flows += traffic.new_flows;
        target.syns += traffic.syns;
    }

    /// Takes in what was read.
    fn see(&mut self, look: Look, traffic: Option<Traffic>) -> Observation {
        let drops = u64::from(look.drops.wrapping_sub(self.drops_before));
        self.drops_before = look.drops;
        self.dropped_packets += drops;
        self.real_bytes = look.ceiling_bytes;
        // What a lost packet would have charged is known on average where packets are counted.
        let each = traffic.filter(|traffic| traffic.packets > 0).map_or(TRUESIZE_BYTES, |t| t.bytes / t.packets);
        let dropped_bytes = drops.saturating_mul(each);
        if traffic.is_none() {
            self.arrived_bytes += look.queued_bytes.saturating_sub(self.queued_before) + dropped_bytes;
        }
        self.queued_before = look.queued_bytes;
        Observation {
            live: true,
            queued_bytes: look.queued_bytes,
            ceiling_bytes: look.ceiling_bytes,
            drops,
            dropped_bytes,
            arrivals: traffic,
        }
    }
}
