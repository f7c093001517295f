//! The proving ground: unmodified programs, arrivals over a wire, and what each policy lost and held.
//!
//! ```text
//! proving-ground [--program receiver|rsyslog|nfcapd] [--receivers 8] [--stuck 0] [--drain 20000] [--seconds 10] [--seed 1]
//!                [--burst 2000] [--traces FOLDER] [--budget 8M] [--udp-mem SIZE] [--wait-ms N] [--policy NAME]...
//! ```
//! Every policy gets the same programs and the same arrivals (the same seed): every 100 ms one of them, chosen at random, gets a burst
//! at 100,000 datagrams a second; or each is sent a part of a real trace. Programs and sidecar are in one network namespace,
//! the sender in another one (`ground.rs`); it needs root and `ip`. `--stuck` programs read nothing. `--udp-mem` sets
//! `net.ipv4.udp_mem` of the whole machine for the time of the run; `--wait-ms` bounds each buffer by what is read in that time.
//!
//! Drops are those the kernel counted, and are checked against what was sent and what was read; memory is the mean over all ticks of
//! what the limits allow and of what was queued, in truesize; the longest wait is what was queued at a tick, at the pace of its
//! reader. One JSON object a policy. The sidecar asks each socket itself here; kernel programs count nothing.

mod arrivals;
mod ground;
mod plan;
mod program;
mod send;

use std::cell::Cell;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use forebay_predictor::control::Rules;
use forebay_predictor::eyes::Blind;
use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::{Control, Event, Report, Settings, Sidecar, run};
use forebay_predictor::target::parse_targets;
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::plan::Plan;
use crate::program::{Program, Programs};

/// How long the sidecar may take to have all buffers in hand.
const BEFORE: Duration = Duration::from_millis(300);

/// How long the programs may empty their queues at the end.
const AFTER: Duration = Duration::from_millis(700);

fn main() -> Result<(), Box<dyn Error>> {
    let plan = Plan::read(std::env::args().skip(1))?;
    let ground = Ground::enter(plan.udp_mem_bytes)?;
    for kind in &plan.policies {
        println!("{}", prove(&plan, &ground, *kind)?);
    }
    Ok(())
}

/// One policy, from the first datagram to the last one read.
fn prove(plan: &Plan, ground: &Ground, kind: Kind) -> Result<Value, Box<dyn Error>> {
    // In memory where that can be had, as a state file should be: a rename on a busy disk has held the loop up for seconds.
    let places = [PathBuf::from("/dev/shm"), std::env::temp_dir()];
    let place = places.into_iter().find(|place| place.is_dir()).ok_or("no folder for what is written")?;
    let folder = place.join(format!("forebay-proving-{}", std::process::id()));
    fs_err::create_dir_all(&folder)?;
    let (arrivals, made_of) = arrivals::arrivals(plan)?;
    let programs = Programs::start(plan, &folder)?;
    let before = ground::counted()?;
    let mut sidecar = Sidecar::start(&settings(plan, &programs, &folder)?, kind.build(), Box::new(Blind))?;
    let (datagram, ports, netns) = (plan.program.datagram(), programs.ports.clone(), ground.sender());
    let sender = thread::spawn(move || {
        thread::sleep(BEFORE);
        send::send(&arrivals, &datagram, &ports, &netns)
    });
    let mut watched = Watched::default();
    let ticked = Cell::new(Instant::now());
    let end = Instant::now() + BEFORE + Duration::from_secs(plan.seconds) + AFTER;
    // A tick that took long may have looked before the end: the last one looks after it.
    let control = || if ticked.get() < end || !sender.is_finished() { Control::Go } else { Control::Stop };
    let see = |sidecar: &Sidecar| {
        watched.see(sidecar.report(), plan);
        watched.longest_tick = watched.longest_tick.max(sidecar.tick_took());
        ticked.set(Instant::now().checked_sub(sidecar.tick_took()).unwrap_or_else(Instant::now));
    };
    run(&mut sidecar, TICK, control, see)?;
    let sent = sender.join().map_err(|_| "the sender ended")??;
    let counts = sidecar.finish()?;
    let after = ground::counted()?;
    let read = programs.end()?;
    fs_err::remove_dir_all(&folder)?;
    let report = watched.last.take().ok_or("no tick")?;
    let reading = plan.stuck..;
    let sum_sent: u64 = sent[reading.clone()].iter().sum();
    let lost = |targets: &[forebay_predictor::sidecar::TargetReport]| -> u64 {
        targets.iter().map(|target| target.dropped_packets).sum()
    };
    let dropped = lost(&report.targets[reading.clone()]);
    let received = read.map_or(after.0 - before.0, |read| read[reading].iter().sum());
    let mean = |sum: u128| (sum / u128::from(watched.ticks.max(1))) as u64;
    Ok(json!({
        "setting": plan.setting,
        "program": plan.program.name(),
        "arrivals": made_of,
        "policy": plan.label.as_deref().unwrap_or(kind.name()),
        "seed": plan.seed,
        "sent": sum_sent,
        "received": received,
        "dropped": dropped,
        "unaccounted": sum_sent as i64 - received as i64 - dropped as i64,
        "lost_percent": (dropped as f64 / sum_sent.max(1) as f64 * 1e4).round() / 100.0,
        "dropped_by_stuck": lost(&report.targets[..plan.stuck]),
        "dropped_by_udp_mem": lost(&report.targets).saturating_sub(after.1 - before.1),
        "mean_limits_bytes": mean(watched.limits_bytes),
        "mean_queued_bytes": mean(watched.queued_bytes),
        "longest_wait_ms": (plan.program == Program::Receiver).then(|| watched.wait_ms(plan)),
        "budget_bytes": plan.budget_bytes,
        "udp_mem_bytes": plan.udp_mem_bytes,
        "wait_bound_ms": plan.wait_ms,
        "changes": counts.get(Event::Grow) + counts.get(Event::Shrink),
        "ticks": watched.ticks,
        "longest_tick_ms": watched.longest_tick.as_millis() as u64,
        "ticks_late": counts.get(Event::LateTick),
    }))
}

const TICK: Duration = Duration::from_millis(10);

fn settings(plan: &Plan, programs: &Programs, folder: &Path) -> Result<Settings, Box<dyn Error>> {
    let bound = plan.limit_bytes().map_or_else(String::new, |bytes| format!(" max={bytes}"));
    let targets: Vec<String> = programs.ports.iter().map(|port| format!("port:{port}{bound}")).collect();
    Ok(Settings {
        targets: parse_targets(&targets.join(";"))?,
        host: Vec::new(),
        budget_bytes: plan.budget_bytes,
        rules: Rules::default(),
        tick: TICK,
        state_file: folder.join("state.json"),
        dry_run: false,
    })
}

/// What the ticks of one run add up to.
#[derive(Default)]
struct Watched {
    ticks: u64,
    limits_bytes: u128,
    queued_bytes: u128,
    /// The most that one queue of a program that reads held.
    longest_bytes: u64,
    longest_tick: Duration,
    last: Option<Report>,
}

impl Watched {
    fn see(&mut self, report: Report, plan: &Plan) {
        self.ticks += 1;
        self.limits_bytes += u128::from(report.targets.iter().map(|target| target.ceiling_bytes).sum::<u64>());
        self.queued_bytes += u128::from(report.queued_bytes);
        let longest = report.targets[plan.stuck..].iter().map(|target| target.queued_bytes).max();
        self.longest_bytes = self.longest_bytes.max(longest.unwrap_or(0));
        self.last = Some(report);
    }

    /// How long the last datagram of that queue waited.
    fn wait_ms(&self, plan: &Plan) -> u64 {
        self.longest_bytes * 1_000 / (plan.drain_pps * plan.program.charged_bytes()).max(1)
    }
}
