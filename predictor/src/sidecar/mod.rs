//! The sidecar: looks at buffers, asks the policy, shares the budget, and sets what is due, tick after tick.
//!
//! **Promise.** A target that is missing, denied or gone, a buffer that cannot be set, a budget that is too small for one more buffer:
//! each is told once, counted, and the rest goes on. Nothing is changed before it is written down
//! ([`crate::actuate::restore`]); what cannot be written down is not changed.
//!
//! **Layout.** [`Settings`] is what a deployment decides; [`Sidecar`] the state, with `adopt` (buffers come and go) and
//! `tick` (the loop's body); [`run()`] the loop with its threads; [`Report`] what there is to see, [`Counts`] what was counted.
//!
//! **Memory.** After the buffers are known a tick allocates only when it changes something.

mod adopt;
mod counts;
mod report;
mod run;
mod settings;
mod table;
mod tick;

use std::collections::HashSet;
use std::time::Duration;

pub use counts::{Counts, Event};
pub use report::{BufferReport, Recommendation, Report, TargetReport, VERSION};
pub use run::{Control, Reread, run};
pub use settings::{Settings, SidecarError};

use crate::actuate::buffer::{Force, probe};
use crate::actuate::host::Wish;
use crate::actuate::restore::{Ledger, Outcome};
use crate::actuate::state_file::{self, StateError};
use crate::control::Rules;
use crate::eyes::Arrivals;
use crate::policy::Policy;
use crate::target::{Found, Spec};
use table::Table;

/// Everything the loop works on.
pub struct Sidecar {
    specs: Vec<Spec>,
    budget_bytes: u64,
    rules: Rules,
    dry_run: bool,
    policy: Box<dyn Policy>,
    arrivals: Box<dyn Arrivals>,
    /// None in a dry run: nothing is changed, so nothing is written down.
    ledger: Option<Ledger>,
    force: Force,
    table: Table,
    /// Buffers that the budget has no room for; tried again when others go.
    waiting: Vec<Found>,
    targets: Vec<TargetReport>,
    counts: Counts,
    told: HashSet<String>,
    number: u64,
    swept_ms: u64,
    filled: crate::budget::Filled,
    tick_took: Duration,
    pass_took: Duration,
}

impl Sidecar {
    /// Takes hold of the state file, puts back what an earlier run left, and raises the settings of the machine.
    pub fn start(
        settings: &Settings,
        policy: Box<dyn Policy>,
        arrivals: Box<dyn Arrivals>,
    ) -> Result<Self, SidecarError> {
        settings.check()?;
        let force = probe();
        let mut sidecar = Self {
            specs: settings.targets.clone(),
            budget_bytes: settings.budget_bytes,
            rules: settings.rules,
            dry_run: settings.dry_run,
            policy,
            arrivals,
            ledger: None,
            force,
            table: Table::default(),
            waiting: Vec::new(),
            targets: Vec::new(),
            counts: Counts::default(),
            told: HashSet::new(),
            number: 0,
            swept_ms: 0,
            filled: crate::budget::Filled { given_bytes: 0, level: crate::budget::HOLD_PRICE },
            tick_took: Duration::ZERO,
            pass_took: Duration::ZERO,
        };
        sidecar.name_targets();
        if let Force::No { max_bytes } = force {
            sidecar.tell_unforced(max_bytes);
        }
        if settings.dry_run {
            if let Some(state) = state_file::peek(&settings.state_file) {
                let count = state.buffers.len() + state.host.len();
                tracing::info!(count, "an earlier run left changes; a run that is not dry would put them back");
            }
        } else {
            sidecar.recover(settings)?;
        }
        Ok(sidecar)
    }

    fn recover(&mut self, settings: &Settings) -> Result<(), SidecarError> {
        let (ledger, recovered) = Ledger::open(&settings.state_file, self.force)?;
        if let Some(aside) = &recovered.damaged {
            self.counts.add(Event::FailStateFile);
            tracing::warn!(
                file = %aside.display(),
                "the state file could not be read and lies aside; if an earlier run was killed, what it changed stays as it is"
            );
        }
        for (name, outcome) in &recovered.outcomes {
            self.counts.add(outcome.into());
            tracing::info!(what = name, outcome = outcome.name(), "left by an earlier run that was killed");
        }
        self.ledger = Some(ledger);
        self.set_host(&settings.host)?;
        Ok(())
    }

    /// Makes the settings of the machine what `wishes` say; what is no longer wished for is put back.
    fn set_host(&mut self, wishes: &[Wish]) -> Result<(), StateError> {
        let Some(ledger) = &mut self.ledger else { return Ok(()) };
        for (name, outcome) in ledger.keep_host(wishes)? {
            self.counts.add((&outcome).into());
            tracing::info!(setting = name, outcome = outcome.name(), "is no longer wished for, or otherwise");
        }
        for wish in wishes {
            if ledger.has_host(wish) {
                continue;
            }
            match ledger.set_host(wish)? {
                Ok(()) => tracing::info!(setting = %wish.setting, value = wish.value, "set while the sidecar runs"),
                Err(error) => {
                    self.counts.add(Event::FailHost);
                    tracing::warn!(setting = %wish.setting, %error, "could not be set; the rest goes on");
                }
            }
        }
        Ok(())
    }

    /// Puts everything back. What could not be put back stays in the state file for the next start.
    pub fn finish(mut self) -> Result<Counts, SidecarError> {
        if let Some(ledger) = &mut self.ledger {
            for (name, outcome) in ledger.restore_all(self.force)? {
                self.counts.add((&outcome).into());
                match outcome {
                    Outcome::Failed(error) => {
                        tracing::warn!(what = name, %error, "could not be put back; the next start tries again");
                    }
                    other => tracing::debug!(what = name, outcome = other.name(), "put back"),
                }
            }
        }
        Ok(self.counts)
    }

    /// What was counted since the start.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How long the last tick took.
    pub const fn tick_took(&self) -> Duration {
        self.tick_took
    }

    /// Buffers in hand.
    pub const fn live(&self) -> usize {
        self.table.live()
    }

    /// Everything there is to see.
    pub fn report(&self) -> Report {
        let mut targets = self.targets.clone();
        let mut buffers: Vec<BufferReport> = Vec::with_capacity(self.table.live());
        for (slot, buffer) in self.table.iter() {
            let seen = &self.table.seen[slot];
            let target = &mut targets[buffer.target];
            target.buffers += 1;
            target.queued_bytes += seen.queued_bytes;
            target.ceiling_bytes += buffer.real_bytes;
            buffers.push(BufferReport {
                id: buffer.handle.identity.inode,
                target: self.specs[buffer.target].name.clone(),
                program: buffer.handle.process.program.clone(),
                pid: buffer.handle.process.owner.pid,
                kind: buffer.handle.kind,
                port: buffer.handle.port,
                queued_bytes: seen.queued_bytes,
                ceiling_bytes: buffer.real_bytes,
                recommended_bytes: self.table.seats[slot].ceiling_bytes,
                original_bytes: buffer.original_bytes,
                dropped_packets: buffer.dropped_packets,
                arrived_bytes: buffer.arrived_bytes,
                arrived_packets: buffer.arrived_packets,
                is_counted: buffer.is_counted,
                is_applied: buffer.is_applied && !self.dry_run,
                forecast_bytes: self.policy.band(slot).map(|demand| demand.bytes()),
            });
        }
        buffers.sort_by(|a, b| (&a.target, a.port, a.id).cmp(&(&b.target, b.port, b.id)));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Report {
            version: VERSION,
            time_us: now.as_micros() as i64,
            policy: self.policy.name(),
            dry_run: self.dry_run,
            budget_bytes: self.budget_bytes,
            committed_bytes: self.table.seats.iter().filter(|seat| seat.live).map(|seat| seat.ceiling_bytes).sum(),
            queued_bytes: targets.iter().map(|target| target.queued_bytes).sum(),
            is_short: self.filled.is_short(),
            price: self.filled.level,
            targets,
            buffers,
            counts: self.counts.clone(),
            interfaces: self.arrivals.interfaces(),
            tick_us: self.tick_took.as_micros() as u64,
            pass_us: self.pass_took.as_micros() as u64,
        }
    }

    fn name_targets(&mut self) {
        self.targets =
            self.specs.iter().map(|spec| TargetReport { name: spec.name.clone(), ..TargetReport::default() }).collect();
    }

    /// Whether this is the first time; each thing that goes on and on is told once.
    fn is_news(&mut self, what: String) -> bool {
        self.told.len() < TOLD_MAX && self.told.insert(what)
    }

    fn tell_unforced(&mut self, max_bytes: u64) {
        self.counts.add(Event::Unforced);
        if self.is_news("unforced".to_owned()) {
            tracing::warn!(
                max_bytes,
                "without CAP_NET_ADMIN limits go no further than net.core.rmem_max; run with it, or raise that setting"
            );
        }
    }
}

/// Most things that are remembered as told; beyond it nothing more is told, only counted.
const TOLD_MAX: usize = 4_096;
