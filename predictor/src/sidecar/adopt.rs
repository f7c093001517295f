//! Buffers come and go.

use std::os::fd::AsFd as _;

use super::table::{Buffer, Port};
use super::{Event, Reread, Sidecar, TargetReport};
use crate::actuate::buffer::look_closely;
use crate::actuate::restore::Outcome;
use crate::eyes::Watch;
use crate::limits::CEILING_MIN_BYTES;
use crate::target::{Found, HandleError, Identity, Kind, Locked, Missing, Mode, Pass, Spec};

/// How often sockets that are out of sight are looked for in all processes, which takes some milliseconds.
const SWEEP_EVERY_MS: u64 = 10_000;

impl Sidecar {
    /// Takes in what a look for programs saw.
    pub fn take(&mut self, pass: Pass, now_ms: u64) {
        self.counts.add(Event::Pass);
        self.pass_took = pass.took;
        for identity in pass.gone.iter().copied() {
            self.let_go(identity);
        }
        for (target, missing) in pass.missing {
            self.tell_missing(target, &missing);
        }
        for (target, count) in pass.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if self.told.remove(&format!("nothing {target}")) {
                tracing::info!(target = self.specs[target].name, buffers = *count, "is there now");
            }
        }
        let is_changed = !pass.found.is_empty() || !pass.gone.is_empty();
        let again = std::mem::take(&mut self.waiting);
        for found in again.into_iter().chain(pass.found) {
            self.adopt(found, now_ms);
        }
        if is_changed {
            self.watch_ports();
        }
    }

    /// Goes on by other settings from now on.
    pub fn reread(&mut self, reread: Reread) {
        let Reread { settings, policy } = reread;
        self.budget_bytes = settings.budget_bytes;
        self.rules = settings.rules;
        self.table.is_shared = false;
        if policy.name() != self.policy.name() {
            self.policy = policy;
            for (slot, buffer) in self.table.iter() {
                self.policy.begin(slot, buffer.original_bytes);
            }
        }
        if let Err(error) = self.set_host(&settings.host) {
            self.counts.add(Event::FailStateFile);
            tracing::error!(%error, "what is changed cannot be written down, so sidecar.host stays as it was");
        }
        self.retarget(settings.targets);
    }

    /// Other targets from now on. Buffers that no longer count are given back in the pass that follows.
    pub fn retarget(&mut self, specs: Vec<Spec>) {
        if specs.is_empty() {
            return;
        }
        let before = std::mem::take(&mut self.targets);
        // Until the next pass a buffer belongs to the new target of the same name, or to the first.
        let places: Vec<usize> =
            self.specs.iter().map(|old| specs.iter().position(|new| new.name == old.name).unwrap_or(0)).collect();
        self.specs = specs;
        self.name_targets();
        for target in &mut self.targets {
            if let Some(old) = before.iter().find(|old| old.name == target.name) {
                let (buffers, queued_bytes, ceiling_bytes) = (0, 0, 0);
                *target = TargetReport { buffers, queued_bytes, ceiling_bytes, ..old.clone() };
            }
        }
        for buffer in self.table.buffers.iter_mut().flatten() {
            buffer.target = places[buffer.target];
        }
        self.waiting.clear();
        self.told.clear();
    }

    /// Takes one buffer in hand, or another way to one that already is.
    fn adopt(&mut self, found: Found, now_ms: u64) {
        let spec = self.specs[found.target].clone();
        if let Some(slot) = self.table.slot_of(found.handle.identity) {
            let buffer = self.table.buffers[slot].as_mut().expect("the table knows its slots");
            (buffer.handle, buffer.target) = (found.handle, found.target);
            (buffer.max_bytes, buffer.weight) = (spec.max_bytes, spec.weight);
            buffer.min_bytes = spec.min_bytes;
            return;
        }
        let (look, locked) = match look_closely(&found.handle) {
            Ok(closely) => closely,
            Err(HandleError::Gone) => return,
            Err(error) => {
                self.counts.add(Event::LeftDenied);
                if self.is_news(format!("look {}", spec.name)) {
                    tracing::warn!(target = spec.name, %error, "a buffer cannot be looked at and is left alone");
                }
                return;
            }
        };
        let before = self.before(&found, look.ceiling_bytes, locked);
        let (original_bytes, was_locked, is_changed) = (before.bytes, before.was_locked, before.is_changed);
        let identity = found.handle.identity;
        let Some((min_bytes, max_bytes)) = self.bounds(&spec, &found, original_bytes, was_locked) else { return };
        if self.table.minima_bytes().saturating_add(min_bytes) > self.budget_bytes {
            self.counts.add(Event::LeftBudget);
            if self.is_news(format!("budget {}", spec.name)) {
                tracing::warn!(
                    target = spec.name,
                    budget_bytes = self.budget_bytes,
                    min_bytes,
                    "the budget has no room for the minimum of one more buffer, which is left alone; raise sidecar.budget_bytes or lower min="
                );
            }
            self.waiting.push(found);
            return;
        }
        let slot = self.table.insert(
            Buffer {
                target: found.target,
                handle: found.handle,
                original_bytes,
                was_locked,
                min_bytes,
                max_bytes,
                weight: spec.weight,
                is_applied: spec.mode == Mode::Apply,
                is_changed,
                real_bytes: look.ceiling_bytes,
                drops_before: look.drops,
                queued_before: look.queued_bytes,
                unseen_bytes: 0,
                dropped_packets: 0,
                arrived_packets: 0,
                arrived_bytes: 0,
                is_counted: false,
                held: None,
                port: None,
            },
            look,
            now_ms,
        );
        if let Some(ledger) = &mut self.ledger {
            ledger.regain(identity);
        }
        self.hold(slot);
        self.policy.begin(slot, original_bytes);
        tracing::debug!(target = spec.name, slot, original_bytes, "a buffer is in hand");
    }

    /// Has a socket read together with the others, where that can be had.
    fn hold(&mut self, slot: usize) {
        let id = self.table.hold_id(slot);
        let Some(buffer) = &mut self.table.buffers[slot] else { return };
        if buffer.handle.kind != Kind::Pipe
            && let Ok(file) = buffer.handle.open()
            && self.arrivals.hold(file.as_fd(), id)
        {
            buffer.held = Some(id);
        }
    }

    /// What a buffer was before we came: what is written down of one that went out of sight and came back, and what its listener was
    /// for a connection that inherited the size that we gave the listener.
    fn before(&mut self, found: &Found, bytes: u64, was_locked: Option<bool>) -> Before {
        let as_is = Before { bytes, was_locked, is_changed: false };
        let Some(ledger) = &mut self.ledger else { return as_is };
        if let Some(entry) = ledger.entry(found.handle.identity) {
            return Before { bytes: entry.original_bytes, was_locked: entry.was_locked, is_changed: true };
        }
        let listener = self.table.iter().map(|(_, buffer)| buffer).find(|buffer| {
            buffer.handle.kind == Kind::TcpListener && buffer.handle.port == found.handle.port && buffer.is_changed
        });
        match listener {
            Some(listener)
                if found.handle.kind == Kind::Tcp && was_locked != Some(false) && bytes == listener.real_bytes =>
            {
                // In the file with the next change, or with the next start's look at it: a crash before leaves one connection as
                // large as its listener was, which ends with it.
                ledger.note(&found.handle, listener.original_bytes, listener.was_locked, [bytes; 2]);
                Before { bytes: listener.original_bytes, was_locked: listener.was_locked, is_changed: true }
            }
            _ => as_is,
        }
    }

    /// The bounds of a buffer; none if it is to be left alone.
    fn bounds(&mut self, spec: &Spec, found: &Found, original: u64, locked: Option<bool>) -> Option<(u64, u64)> {
        let mut min = spec.min_bytes;
        if locked == Some(true) {
            if spec.locked == Locked::Leave {
                self.counts.add(Event::LeftLocked);
                if self.is_news(format!("locked {}", spec.name)) {
                    tracing::info!(
                        target = spec.name,
                        original,
                        "its program set the size itself and locked=leave: left alone"
                    );
                }
                return None;
            }
            if self.is_news(format!("floor {}", spec.name)) {
                tracing::info!(
                    target = spec.name,
                    original,
                    "its program set the size itself, which is the least it gets"
                );
            }
            min = min.max(original);
        }
        if found.handle.kind == Kind::Pipe {
            // A pipe is 64 KiB from the start, and sizes are powers of two: a minimum meant for sockets would not fit.
            min = min.min(original).max(CEILING_MIN_BYTES);
        }
        Some((min, spec.max_bytes.max(min)))
    }

    /// A buffer that is no longer there, or no longer meant: put back if it can be.
    fn let_go(&mut self, identity: Identity) {
        self.waiting.retain(|found| found.handle.identity != identity);
        let Some(slot) = self.table.slot_of(identity) else { return };
        if let Some(buffer) = self.table.remove(slot)
            && buffer.held.is_some()
            && let Ok(file) = buffer.handle.open()
        {
            self.arrivals.let_go(file.as_fd());
        }
        let Some(ledger) = &mut self.ledger else { return };
        let Some(outcome) = ledger.restore(identity, self.force) else { return };
        if !matches!(outcome, Outcome::Gone) {
            self.counts.add((&outcome).into());
        }
        if let Outcome::Failed(error) = &outcome {
            tracing::warn!(inode = identity.inode, %error, "a buffer that is no longer a target could not be put back");
        }
        if let Err(error) = ledger.save() {
            self.counts.add(Event::FailStateFile);
            tracing::warn!(%error, "what was put back is still in the state file");
        }
    }

    /// Now and then looks for sockets that were handed on by the process they were changed in.
    pub fn sweep(&mut self, now_ms: u64) {
        let Some(ledger) = &mut self.ledger else { return };
        if !ledger.has_lost() || now_ms.saturating_sub(self.swept_ms) < SWEEP_EVERY_MS {
            return;
        }
        self.swept_ms = now_ms;
        match ledger.sweep(self.force) {
            Ok(outcomes) => outcomes.iter().for_each(|(_, outcome)| self.counts.add(outcome.into())),
            Err(error) => {
                self.counts.add(Event::FailStateFile);
                tracing::warn!(%error, "what was put back is still in the state file");
            }
        }
    }

    fn tell_missing(&mut self, target: usize, missing: &Missing) {
        let name = self.specs.get(target).map_or_else(String::new, |spec| spec.name.clone());
        let (event, key) = match missing {
            Missing::Nothing => (Event::MissingNothing, format!("nothing {target}")),
            Missing::Denied => (Event::MissingDenied, format!("denied {target}")),
            Missing::Namespace(_) => (Event::MissingNamespace, format!("namespace {target}")),
            Missing::TooMany => (Event::LeftTooMany, format!("many {target}")),
        };
        self.counts.add(event);
        if !self.is_news(key) {
            return;
        }
        match missing {
            Missing::Nothing => {
                tracing::warn!(target = name, "nothing that runs is this target; it is taken in hand when it appears");
            }
            Missing::Denied => {
                tracing::warn!(
                    target = name,
                    "we may not look into its processes; run as the same user or with CAP_SYS_PTRACE"
                );
            }
            Missing::Namespace(error) => {
                tracing::warn!(target = name, error, "its namespace cannot be looked into");
            }
            Missing::TooMany => {
                tracing::warn!(target = name, "there are too many buffers; further ones are left alone");
            }
        }
    }

    /// Which ports matter now, and who shares them.
    fn watch_ports(&mut self) {
        let ports = &mut self.table.ports;
        ports.clear();
        for buffer in self.table.buffers.iter_mut().flatten() {
            let handle = &buffer.handle;
            let watch = Watch { port: handle.port, is_udp: handle.kind == Kind::Udp, netns: handle.netns };
            buffer.port = None;
            if watch.port == 0 {
                continue;
            }
            let place = ports.iter().position(|port| port.watch == watch).unwrap_or_else(|| {
                ports.push(Port { watch, sharers: 0, traffic: None, quiet_ticks: 0, is_dropping: false });
                ports.len() - 1
            });
            buffer.port = Some((place, ports[place].sharers));
            ports[place].sharers += 1;
        }
        let watches: Vec<Watch> = ports.iter().map(|port| port.watch).collect();
        self.arrivals.watch(&watches);
    }
}

/// What a buffer was before we came.
struct Before {
    bytes: u64,
    was_locked: Option<bool>,
    is_changed: bool,
}
