//! The loop, with a thread beside it that looks for programs.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Event, Settings, Sidecar, SidecarError};
use crate::limits::{EARLY_EVERY, PASS_EVERY, PASS_SHARE};
use crate::policy::Policy;
use crate::target::{Finder, Pass, Spec};

/// What the loop is told from outside, looked at once a tick.
pub enum Control {
    /// Go on.
    Go,
    /// Go on by these from now on.
    Reread(Box<Reread>),
    /// End.
    Stop,
}

/// What can be changed while it runs: targets, settings of the machine, budget, rules and tick, and the policy. The rest of the settings is that of
/// the start.
pub struct Reread {
    /// See there; what cannot be changed is not looked at.
    pub settings: Settings,
    /// Taken where its name is another than that of the one in use, which otherwise keeps what it knows.
    pub policy: Box<dyn Policy>,
}

/// Runs until `control` says stop. `see` is called after every tick with the sidecar; what takes long does not belong there.
/// The caller calls [`Sidecar::finish`] then.
pub fn run(
    sidecar: &mut Sidecar,
    mut tick: Duration,
    mut control: impl FnMut() -> Control,
    mut see: impl FnMut(&Sidecar),
) -> Result<(), SidecarError> {
    let seeker = Seeker::start(sidecar.specs.clone())?;
    let start = Instant::now();
    let mut due = start;
    loop {
        match control() {
            Control::Go => {}
            Control::Stop => return Ok(()),
            Control::Reread(reread) => {
                tick = reread.settings.tick;
                seeker.retarget(reread.settings.targets.clone());
                sidecar.reread(*reread);
            }
        }
        let now_ms = start.elapsed().as_millis() as u64;
        seeker.passes(|pass| match pass {
            Ok(pass) => sidecar.take(pass, now_ms),
            Err(error) => {
                sidecar.counts.add(Event::FailPass);
                if sidecar.is_news("pass".to_owned()) {
                    tracing::warn!(%error, "programs cannot be looked for");
                }
            }
        })?;
        sidecar.tick(now_ms);
        sidecar.sweep(now_ms);
        see(sidecar);
        due += tick;
        let now = Instant::now();
        if now > due + tick {
            // The machine was too busy: ticks that were missed are not caught up with, they would all see the same.
            sidecar.counts.add(Event::LateTick);
            due = now;
        }
        rest(sidecar, start, due);
    }
}

/// Waits until `due`. Where something is dropped meanwhile, a tick comes at once, and another one if that goes on.
fn rest(sidecar: &mut Sidecar, start: Instant, due: Instant) {
    let mut ticked = Instant::now();
    loop {
        let has_dropped = sidecar.arrivals.rest(due.saturating_duration_since(Instant::now()));
        let early = Instant::now().max(ticked + EARLY_EVERY);
        if !has_dropped || early >= due {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            return;
        }
        thread::sleep(early.saturating_duration_since(Instant::now()));
        sidecar.counts.add(Event::EarlyTick);
        sidecar.tick(start.elapsed().as_millis() as u64);
        ticked = Instant::now();
    }
}

type Looked = (u64, std::io::Result<Pass>);

/// The thread that looks for programs. It ends when this is dropped.
struct Seeker {
    passes: Receiver<Looked>,
    orders: SyncSender<(u64, Vec<Spec>)>,
    generation: std::cell::Cell<u64>,
}

impl Seeker {
    fn start(specs: Vec<Spec>) -> Result<Self, SidecarError> {
        let (send, passes) = sync_channel(1);
        let (orders, receive) = sync_channel(1);
        thread::Builder::new().name("finder".to_owned()).spawn(move || seek(specs, &send, &receive))?;
        Ok(Self { passes, orders, generation: std::cell::Cell::new(0) })
    }

    fn retarget(&self, specs: Vec<Spec>) {
        self.generation.set(self.generation.get() + 1);
        // The thread takes orders between passes, which wait for us if need be; so it is asked until it has room.
        let mut order = (self.generation.get(), specs);
        while let Err(std::sync::mpsc::TrySendError::Full(back)) = self.orders.try_send(order) {
            order = back;
            let _ = self.passes.try_recv();
            thread::yield_now();
        }
    }

    fn passes(&self, mut each: impl FnMut(std::io::Result<Pass>)) -> Result<(), SidecarError> {
        loop {
            match self.passes.try_recv() {
                Ok((generation, pass)) if generation == self.generation.get() => each(pass),
                // Of the targets before the last change, whose places mean others now. What is gone is gone all the same; what
                // was found is found again.
                Ok((_, pass)) => each(pass.map(|pass| Pass { gone: pass.gone, took: pass.took, ..Pass::default() })),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => {
                    return Err(std::io::Error::other("the thread that looks for programs ended").into());
                }
            }
        }
    }
}

fn seek(specs: Vec<Spec>, passes: &SyncSender<Looked>, orders: &Receiver<(u64, Vec<Spec>)>) {
    let mut finder = Finder::new(specs);
    let mut generation = 0;
    loop {
        let start = Instant::now();
        match orders.try_recv() {
            Ok((number, specs)) => {
                generation = number;
                finder.retarget(specs);
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        if passes.send((generation, finder.pass())).is_err() {
            return;
        }
        let took = start.elapsed();
        thread::sleep(PASS_EVERY.max(took.saturating_mul(PASS_SHARE)).saturating_sub(took));
    }
}
