//! What arrives at watched ports of one network namespace, by whichever interface: counted, without following flows.
//!
//! **Promise.** A packet for a watched port is counted once, on the interface by which it came in. An interface that vanishes is told and
//! the rest goes on; one that comes, or comes back, is counted from then on. What was counted is never taken back, and no
//! packet is lost between two calls of [`Lookout::take`].
//!
//! **Limits.** New flows are known by their marks (`c/live/recent.h`): approximate above 65,536 flows within the idle timeout. Packets that
//! only pass through (a router's) count for a watched port of the same number. One set of programs and maps serves all interfaces.
//!
//! **Failure.** Without the capabilities or the kernel's help there is none ([`LiveError`]); without BTF, drops and drains are missing
//! and said ([`Lookout::notes`]).

use std::os::fd::AsFd as _;
use std::time::Duration;

use aya::Ebpf;

use crate::live::bins::{Bins, RowTotals};
use crate::live::books::Books;
use crate::live::capabilities::{Missing, missing};
use crate::live::clock;
use crate::live::config::{HookChoice, LiveConfig};
use crate::live::drops::{self, DropEvent, Drops, PortTotals};
use crate::live::error::LiveError;
use crate::live::limits;
use crate::live::links::{Link, Links, Medium, counted};
use crate::live::mapped::Mapped;
use crate::live::meter::{CLSACT_TOLD, Maps, NEEDED};
use crate::live::netns::{Home, Netns};
use crate::live::ports::{Ports, Watched};
use crate::live::program::{self, COUNT, COUNT_RAW, Hook, Purpose, Wanted};
use crate::live::table::Table;

/// What a lookout is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookoutConfig {
    /// The network namespace; ours, where there is none.
    pub netns: Option<Netns>,
    /// Interfaces by name; empty is all that are up, those left out that would count a packet twice.
    pub interfaces: Vec<String>,
    /// Ports that can be watched at a time; fewer where their rows would take more than 64 MiB.
    pub ports_max: u16,
    /// What is attached to.
    pub hook: HookChoice,
}

impl Default for LookoutConfig {
    fn default() -> Self {
        Self { netns: None, interfaces: Vec::new(), ports_max: 256, hook: HookChoice::Auto }
    }
}

/// Something about an interface changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is counted from now on.
    Begun {
        /// Its name.
        interface: String,
        /// What the programs sit on.
        hook: Hook,
    },
    /// It has gone, is down, or is counted on another one now.
    Gone {
        /// Its name.
        interface: String,
    },
    /// It was asked for by name and is not there.
    Missing {
        /// Its name.
        interface: String,
    },
    /// It is there and cannot be counted on.
    Refused {
        /// Its name.
        interface: String,
        /// What the kernel said.
        reason: String,
    },
}

/// What happened at a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Packets, bytes, new flows and SYNs.
    pub rows: RowTotals,
    /// Drains and drops.
    pub totals: PortTotals,
}

/// See the module.
pub struct Lookout {
    ebpf: Ebpf,
    home: Home,
    config: LookoutConfig,
    links: Links,
    is_new: bool,
    on: Vec<On>,
    /// Interfaces that were refused or missing, so that each is told once.
    not_on: Vec<String>,
    bins: Bins,
    ports: Ports,
    drops: Drops,
    drops_missed: Mapped,
    table: Table,
    notes: Vec<String>,
    /// What was taken of each row.
    taken: Vec<(Option<Watched>, Arrived)>,
}

/// An interface that is counted.
struct On {
    index: i32,
    name: String,
    links: program::Links,
    hook: Hook,
}

impl Lookout {
    /// Loads the programs; the first [`Lookout::look`] attaches them.
    pub fn open(config: LookoutConfig) -> Result<Self, LiveError> {
        let gone = missing(&NEEDED).map_err(LiveError::map("our capabilities"))?;
        if !gone.is_empty() {
            return Err(LiveError::Capabilities(Missing(gone)));
        }
        let home = Home::open(config.netns.as_ref())?;
        let links = home.run(|| Links::open().map_err(LiveError::map("the list of interfaces")))?;
        let ports_max = limits::counted_ports_max(config.ports_max, program::cpus()?);
        let live = LiveConfig { ports_max, hook: config.hook, ..LiveConfig::of("") };
        let mut ebpf =
            program::open(&live, Purpose { netns: home.inode, wanted: Wanted::Counts, ..Purpose::default() })?;
        program::load(&mut ebpf, &[COUNT.ingress, COUNT.egress, COUNT_RAW.ingress, COUNT_RAW.egress])?;
        let notes = program::attach_tracepoints(&mut ebpf);
        let Maps { table, bins, ports, drops, drops_missed } = Maps::take(&mut ebpf, &live, clock::epoch_offset_us)?;
        let taken = vec![(None, Arrived::default()); usize::from(ports_max)];
        let (on, not_on) = (Vec::new(), Vec::new());
        let is_new = true;
        Ok(Self {
            ebpf,
            home,
            config,
            links,
            is_new,
            on,
            not_on,
            bins,
            ports,
            drops,
            drops_missed,
            table,
            notes,
            taken,
        })
    }

    /// What could not be had, in words; nothing else is lost by it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Inode of the network namespace: what tells whether a socket is in it.
    pub fn netns(&self) -> u32 {
        self.home.inode
    }

    /// Names of the interfaces that are counted.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.on.iter().map(|on| on.name.as_str())
    }

    /// Sees to it that the right interfaces are counted; what changed is given to `told`. One system call where nothing did: to be called
    /// often.
    pub fn look(&mut self, told: &mut dyn FnMut(Change)) -> Result<(), LiveError> {
        let have_changed = self.links.have_changed();
        if !have_changed && !self.is_new {
            return Ok(());
        }
        self.is_new = false;
        self.attach(told)
    }

    fn attach(&mut self, told: &mut dyn FnMut(Change)) -> Result<(), LiveError> {
        let links = self.links.list().map_err(LiveError::map("the list of interfaces"))?;
        let wanted = self.wanted(&links);
        let (stay, gone) = std::mem::take(&mut self.on)
            .into_iter()
            .partition(|on| wanted.iter().any(|link| link.index == on.index && link.name == on.name));
        self.on = stay;
        for On { name, links, hook, .. } in gone {
            program::detach(&mut self.ebpf, &self.home, links, hook);
            told(Change::Gone { interface: name });
        }
        self.not_on.retain(|name| links.iter().any(|link| link.name == *name) || self.config.interfaces.contains(name));
        for link in wanted {
            if !self.on.iter().any(|on| on.index == link.index) {
                self.begin(link, told);
            }
        }
        for name in &self.config.interfaces {
            if !links.iter().any(|link| link.name == *name) && !self.not_on.contains(name) {
                self.not_on.push(name.clone());
                told(Change::Missing { interface: name.clone() });
            }
        }
        Ok(())
    }

    fn wanted<'l>(&self, links: &'l [Link]) -> Vec<&'l Link> {
        if self.config.interfaces.is_empty() {
            return counted(links);
        }
        links.iter().filter(|link| link.is_up && self.config.interfaces.contains(&link.name)).collect()
    }

    fn begin(&mut self, link: &Link, told: &mut dyn FnMut(Change)) {
        let pair = if link.medium == Medium::Ip { COUNT_RAW } else { COUNT };
        let (ebpf, hook) = (&mut self.ebpf, self.config.hook);
        let attached = self.home.run(|| program::attach(ebpf, &link.name, link.is_loopback, pair, hook));
        match attached {
            Ok((links, hook)) => {
                self.not_on.retain(|name| *name != link.name);
                if hook == Hook::Clsact && !self.notes.iter().any(|note| note == CLSACT_TOLD) {
                    self.notes.push(CLSACT_TOLD.to_owned());
                }
                self.on.push(On { index: link.index, name: link.name.clone(), links, hook });
                told(Change::Begun { interface: link.name.clone(), hook });
            }
            Err(error) => {
                if !self.not_on.contains(&link.name) {
                    self.not_on.push(link.name.clone());
                    told(Change::Refused { interface: link.name.clone(), reason: error.to_string() });
                }
            }
        }
    }

    /// Watches these ports from now on and no others; gives those that there was no room for.
    pub fn watch(&mut self, wanted: &[Watched]) -> Result<Vec<Watched>, LiveError> {
        let old: Vec<Watched> = self.ports.watched().filter(|watched| !wanted.contains(watched)).collect();
        for watched in old {
            self.ports.unwatch(watched)?;
        }
        let mut left = Vec::new();
        for &watched in wanted {
            match self.ports.watch(watched, &self.bins) {
                Ok(()) => {}
                Err(LiveError::Port { .. }) => left.push(watched),
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    /// What happened at a watched port since the last call.
    pub fn take(&mut self, watched: Watched) -> Option<Arrived> {
        let (place, row) = self.ports.places(watched)?;
        let (owner, before) = &mut self.taken[place];
        if *owner != Some(watched) {
            (*owner, *before) = (Some(watched), Arrived::default());
        }
        let now = Arrived { rows: self.bins.totals(row), totals: self.ports.totals(watched)? };
        let arrived = Arrived { rows: now.rows.since(&before.rows), totals: now.totals.since(&before.totals) };
        *before = now;
        Some(arrived)
    }

    /// Appends the drop events there are.
    pub fn drops(&mut self, into: &mut Vec<DropEvent>) {
        self.drops.read(into);
    }

    /// Waits `time` at most, until there is a drop event at any of `lookouts`. Gives whether there is one.
    pub fn wait_for_drops(lookouts: &[Self], time: Duration) -> bool {
        drops::wait(&mut lookouts.iter().map(|lookout| lookout.drops.ring.as_fd()), time)
    }

    /// What became of every packet so far; flows have no part in it.
    pub fn books(&mut self) -> Result<Books, LiveError> {
        let books = self.table.books()?;
        books.drop_events_missed = self.drops_missed.word64(0);
        Ok(books.clone())
    }

    /// Nanoseconds and runs of the programs, as the kernel counts them while `bpf_stats_enabled` is set.
    pub fn run_time(&mut self) -> Result<(u64, u64), LiveError> {
        program::run_time(&mut self.ebpf, &[COUNT.ingress, COUNT.egress, COUNT_RAW.ingress, COUNT_RAW.egress])
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        for On { links, hook, .. } in std::mem::take(&mut self.on) {
            program::detach(&mut self.ebpf, &self.home, links, hook);
        }
    }
}
