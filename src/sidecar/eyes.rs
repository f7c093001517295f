//! The sidecar's eyes: kernel programs that count what arrives, for [`Arrivals`].
//!
//! What each socket holds is read of all at once ([`Gauge`]), of any namespace. Arrivals: one lookout for each network namespace that has something to be seen: our own, and those that targets name. A socket in
//! another one, or of a port there was no room for, is simply asked itself in every tick.
//!
//! **Failure.** Where the kernel or our privileges do not allow it, arrivals are not counted and everything else works; what is missing is
//! told once and counted.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use anyhow::Context as _;
use forebay_ebpf::live::capabilities::{Capability, give_up};
use forebay_ebpf::live::{Change, DropEvent, Gauge, HookChoice, Lookout, LookoutConfig, Netns, Watched};
use forebay_predictor::actuate::buffer::Look;
use forebay_predictor::eyes::{Arrivals, Blind, Blinded, PortTick, Sight, Watch};
use forebay_predictor::target::{NetNs, Spec};

/// Ports that can be watched in one namespace; it takes 16 KiB of kernel memory for each and every CPU.
const PORTS_MAX: u16 = 256;

/// Ticks between two looks for interfaces that came or went: a system call for each namespace.
const LOOK_TICKS: u32 = 8;

/// The setting that turns it off.
const NONE: &str = "none";

/// What counts arrivals for `targets` on `interfaces` (a setting). What only loading needs is given up when this returns.
pub(super) fn open(interfaces: &str, targets: &[Spec]) -> anyhow::Result<Box<dyn Arrivals>> {
    if interfaces.trim() == NONE {
        return Ok(Box::new(Blind));
    }
    let mut eyes = Eyes::default();
    let mut refusals = Vec::new();
    for (place, netns) in namespaces(targets).into_iter().enumerate() {
        // Names of interfaces are those of our own namespace.
        let interfaces = if place == 0 { names(interfaces) } else { Vec::new() };
        let config = LookoutConfig { netns, interfaces, ports_max: PORTS_MAX, hook: HookChoice::Auto };
        match Lookout::open(config) {
            Ok(lookout) if eyes.lookouts.iter().any(|other| other.netns() == lookout.netns()) => {}
            Ok(lookout) => eyes.lookouts.push(lookout),
            Err(error) => refusals.push(error.to_string()),
        }
    }
    if eyes.lookouts.is_empty() {
        return Ok(Box::new(Blinded::because(refusals.join("; "))));
    }
    match Gauge::open() {
        Ok(gauge) => eyes.gauge = Some(gauge),
        Err(error) => eyes.news.push((Sight::Partial, format!("each socket is asked itself: {error}"))),
    }
    eyes.news.extend(refusals.into_iter().map(|reason| (Sight::Blind, reason)));
    // Attached before the privileges go; what is told of it is told in the first tick.
    eyes.look();
    let gone = give_up(&[Capability::Bpf, Capability::Perfmon]).context("giving up capabilities")?;
    tracing::debug!(?gone, "arrivals are counted");
    Ok(Box::new(eyes))
}

/// Our own, and those that targets name.
fn namespaces(targets: &[Spec]) -> Vec<Option<Netns>> {
    let mut found = vec![None];
    for spec in targets {
        let netns = match &spec.netns {
            NetNs::Own => None,
            NetNs::Pid(pid) => Some(Netns::Pid(*pid)),
            NetNs::Named(name) => Some(Netns::Name(name.clone())),
        };
        if !found.contains(&netns) {
            found.push(netns);
        }
    }
    found
}

/// `eth0, eth1` as names.
fn names(list: &str) -> Vec<String> {
    list.split([',', ';', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// See the module.
#[derive(Default)]
struct Eyes {
    lookouts: Vec<Lookout>,
    /// Reads all sockets in hand at once.
    gauge: Option<Gauge>,
    /// What is told with the next tick.
    news: Vec<(Sight, String)>,
    /// Room for drop events; the totals of ports have them.
    events: Vec<DropEvent>,
    /// How many notes of each lookout were told.
    noted: Vec<usize>,
    /// Ticks since interfaces were looked for.
    ticks: u32,
}

impl Eyes {
    fn look(&mut self) {
        self.noted.resize(self.lookouts.len(), 0);
        for (lookout, noted) in self.lookouts.iter_mut().zip(&mut self.noted) {
            let news = &mut self.news;
            let looked = lookout.look(&mut |change| {
                news.push(match change {
                    Change::Begun { interface, .. } => (Sight::Begun, interface),
                    Change::Gone { interface } => (Sight::Gone, interface),
                    Change::Missing { interface } => (Sight::Missing, interface),
                    Change::Refused { interface, reason } => (Sight::Refused, format!("{interface}: {reason}")),
                });
            });
            if let Err(error) = looked {
                self.news.push((Sight::Failed, error.to_string()));
            }
            self.news.extend(lookout.notes()[*noted..].iter().map(|note| (Sight::Partial, note.clone())));
            *noted = lookout.notes().len();
        }
    }

    /// Drop events are only taken out, so that there is room for others.
    fn empty_events(&mut self) {
        for lookout in &mut self.lookouts {
            self.events.clear();
            lookout.drops(&mut self.events);
        }
    }
}

impl Arrivals for Eyes {
    fn watch(&mut self, ports: &[Watch]) {
        for lookout in &mut self.lookouts {
            let here: Vec<Watched> =
                ports.iter().filter(|watch| watch.netns == lookout.netns()).map(|watch| watched(*watch)).collect();
            match lookout.watch(&here) {
                Ok(left) => {
                    self.news.extend(left.iter().map(|port| (Sight::NoRoom, format!("port {}", port.port()))));
                }
                Err(error) => self.news.push((Sight::Failed, error.to_string())),
            }
        }
    }

    fn take(&mut self, port: Watch) -> Option<PortTick> {
        let lookout = self.lookouts.iter_mut().find(|lookout| lookout.netns() == port.netns)?;
        let arrived = lookout.take(watched(port))?;
        Some(PortTick {
            packets: arrived.rows.packets,
            bytes: arrived.rows.bytes,
            new_flows: u64::from(arrived.rows.new_flows),
            syns: u64::from(arrived.rows.syns),
            drops: arrived.totals.dropped,
            drained_bytes: arrived.totals.drained_bytes,
        })
    }

    fn tend(&mut self, told: &mut dyn FnMut(Sight, &str)) {
        self.ticks += 1;
        if self.ticks >= LOOK_TICKS {
            self.ticks = 0;
            self.look();
        }
        self.empty_events();
        for (sight, what) in self.news.drain(..) {
            told(sight, &what);
        }
    }

    fn rest(&mut self, time: Duration) -> bool {
        // What came after this tick had begun is still there, and ends the wait at once: nothing was done about it yet.
        Lookout::wait_for_drops(&self.lookouts, time)
    }

    fn hold(&mut self, socket: BorrowedFd<'_>, id: u64) -> bool {
        self.gauge.as_mut().is_some_and(|gauge| gauge.hold(socket, id).is_ok())
    }

    fn let_go(&mut self, socket: BorrowedFd<'_>) {
        if let Some(gauge) = &mut self.gauge {
            gauge.let_go(socket);
        }
    }

    fn gauge(&mut self, each: &mut dyn FnMut(u64, Look)) -> bool {
        let Some(gauge) = &mut self.gauge else { return false };
        let read = gauge.read(&mut |held| {
            let (queued_bytes, ceiling_bytes) = (u64::from(held.queued_bytes), u64::from(held.limit_bytes));
            each(held.id, Look { queued_bytes, ceiling_bytes, drops: held.drops });
        });
        if let Err(error) = &read {
            self.news.push((Sight::Failed, format!("each socket is asked itself: {error}")));
        }
        read.is_ok()
    }

    fn interfaces(&self) -> usize {
        self.lookouts.iter().map(|lookout| lookout.interfaces().count()).sum()
    }
}

fn watched(watch: Watch) -> Watched {
    if watch.is_udp { Watched::Udp(watch.port) } else { Watched::Tcp(watch.port) }
}

#[cfg(test)]
mod tests {
    use forebay_predictor::target::parse_targets;

    use super::*;

    #[test]
    fn each_namespace_is_looked_into_once() {
        let targets = parse_targets("port:1; port:2 netns=lab; port:3 netns=pid:7; port:4 netns=lab").expect("right");
        let found = namespaces(&targets);
        assert_eq!(found, [None, Some(Netns::Name("lab".to_owned())), Some(Netns::Pid(7))]);
    }

    #[test]
    fn interfaces_are_listed_as_people_write_them() {
        assert_eq!(names("eth0, eth1;lo"), ["eth0", "eth1", "lo"]);
        assert!(names(" ").is_empty());
    }
}
