//! Looks again and again for the buffers that the targets mean.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::netlink::SOCK_DIAG;

use super::handle::{Handle, HandleError, Identity, Kind};
use super::netns::NetNs;
use super::owners::Owners;
use super::process::{self, OpenFile, Process};
use super::processes::Processes;
use super::spec::{Kinds, Selector, Spec};
use crate::limits::BUFFERS_MAX;
use crate::sys::netlink::Netlink;
use crate::sys::sock_diag::{Transport, with_port};

/// A buffer that is there now and was not, or is reached another way.
#[derive(Clone, Debug)]
pub struct Found {
    /// Place of its target in the list.
    pub target: usize,
    /// How it is reached.
    pub handle: Handle,
}

/// Why a target, or a part of it, could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing that runs is what the target names.
    Nothing,
    /// Processes that we may not look into.
    Denied,
    /// The namespace is not there, or we may not enter it; what the system said.
    Namespace(String),
    /// More buffers than [`BUFFERS_MAX`].
    TooMany,
}

/// What one pass saw.
#[derive(Debug, Default)]
pub struct Pass {
    /// New buffers.
    pub found: Vec<Found>,
    /// Buffers that are no longer there, or that no target means any more.
    pub gone: Vec<Identity>,
    /// For each target how many buffers it has.
    pub counts: Vec<usize>,
    /// Targets that something is wrong with, once for each pass.
    pub missing: Vec<(usize, Missing)>,
    /// How long the pass took.
    pub took: Duration,
}

/// Remembers what it saw from pass to pass.
#[derive(Debug)]
pub struct Finder {
    specs: Vec<Spec>,
    processes: Processes,
    owners: Owners,
    /// Processes that are held, by number.
    held: HashMap<u32, Arc<Process>>,
    netlinks: HashMap<NetNs, Netlink>,
    known: HashMap<u64, Known>,
    number: u64,
}

/// What is known of one inode.
#[derive(Debug)]
struct Known {
    /// None for a file that is no buffer.
    handle: Option<Handle>,
    target: usize,
    /// The pass that saw it last, and the one that a target meant it in last.
    seen: u64,
    meant: u64,
}

impl Finder {
    /// A finder that has seen nothing yet.
    pub fn new(specs: Vec<Spec>) -> Self {
        Self {
            specs,
            processes: Processes::default(),
            owners: Owners::default(),
            held: HashMap::new(),
            netlinks: HashMap::new(),
            known: HashMap::new(),
            number: 0,
        }
    }

    /// Looks for other targets from now on. What they do not mean is gone in the next pass; what they do is found anew.
    pub fn retarget(&mut self, specs: Vec<Spec>) {
        self.specs = specs;
        self.processes.clear();
        for known in self.known.values_mut() {
            known.target = usize::MAX;
        }
    }

    /// Looks once.
    pub fn pass(&mut self) -> io::Result<Pass> {
        let start = Instant::now();
        self.number += 1;
        let mut pass = Pass { counts: vec![0; self.specs.len()], ..Pass::default() };
        let mut sightings = self.programs(start, &mut pass)?;
        self.inodes(start, &mut pass, &mut sightings)?;
        // The first target in the list has a buffer that several mean.
        sightings.sort_unstable_by_key(|sighting| (sighting.target, sighting.pid, sighting.file.fd));
        for sighting in sightings {
            self.take(sighting, &mut pass);
        }
        self.forget(&mut pass);
        for (target, count) in pass.counts.iter().enumerate() {
            if *count == 0 && !pass.missing.iter().any(|(place, _)| *place == target) {
                pass.missing.push((target, Missing::Nothing));
            }
        }
        pass.took = start.elapsed();
        Ok(pass)
    }

    /// Files of the processes that targets name.
    fn programs(&mut self, now: Instant, pass: &mut Pass) -> io::Result<Vec<Sighting>> {
        let mut sightings = Vec::new();
        for (pid, targets) in self.processes.pass(&self.specs, now)? {
            let seen = process::open_files(pid, |file| {
                for &target in targets {
                    sightings.push(Sighting { target, pid, file, port: None });
                }
            });
            if seen.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
                pass.missing.extend(targets.iter().map(|target| (*target, Missing::Denied)));
            }
        }
        Ok(sightings)
    }

    /// Sockets that targets name by port or inode, and the connections of listeners among them.
    fn inodes(&mut self, now: Instant, pass: &mut Pass, sightings: &mut Vec<Sighting>) -> io::Result<()> {
        let mut wanted: Vec<(u64, usize)> = Vec::new();
        for target in 0..self.specs.len() {
            match self.specs[target].selector {
                Selector::Socket(inode) => wanted.push((inode, target)),
                Selector::Port(port) => match self.ports(target, port) {
                    Ok(inodes) => wanted.extend(inodes.into_iter().map(|inode| (inode, target))),
                    Err(error) => pass.missing.push((target, Missing::Namespace(error.to_string()))),
                },
                _ => {}
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let inodes: Vec<u64> = wanted.iter().map(|(inode, _)| *inode).collect();
        let places = self.owners.find(&inodes, now, || self.processes.numbers())?;
        for (inode, target) in wanted {
            let Some((_, pid, fd)) = places.iter().find(|(found, ..)| *found == inode) else {
                // A port has a socket, and no process that we can look into has it open.
                if matches!(self.specs[target].selector, Selector::Port(_)) {
                    pass.missing.push((target, Missing::Denied));
                }
                continue;
            };
            let file = OpenFile { fd: *fd, inode, is_pipe: false };
            sightings.push(Sighting { target, pid: *pid, file, port: None });
            if let (Selector::Port(port), true) = (&self.specs[target].selector, self.specs[target].kinds.tcp) {
                let port = Some(*port);
                // A process that ended meanwhile has no connections.
                let _ = process::open_files(*pid, |file| {
                    if file.inode != inode && !file.is_pipe {
                        sightings.push(Sighting { target, pid: *pid, file, port });
                    }
                });
            }
        }
        Ok(())
    }

    fn ports(&mut self, target: usize, port: u16) -> io::Result<Vec<u64>> {
        let Spec { netns, kinds, .. } = &self.specs[target];
        if !self.netlinks.contains_key(netns) {
            self.netlinks.insert(netns.clone(), netns.netlink(Some(SOCK_DIAG))?);
        }
        let netlink = self.netlinks.get_mut(netns).expect("just put there");
        let mut inodes = Vec::new();
        if kinds.udp {
            with_port(netlink, Transport::Udp, port, &mut inodes)?;
        }
        if kinds.tcp {
            with_port(netlink, Transport::TcpListeners, port, &mut inodes)?;
        }
        Ok(inodes)
    }

    /// Takes in one file that a target may mean.
    fn take(&mut self, sighting: Sighting, pass: &mut Pass) {
        let Sighting { target, pid, file, port } = sighting;
        if let Some(known) = self.known.get_mut(&file.inode)
            && known.is_at(pid, file.fd, self.number)
        {
            known.seen = self.number;
            let Some(handle) = &known.handle else { return };
            if known.meant == self.number || !is_meant(self.specs[target].kinds, port, handle) {
                return;
            }
            known.meant = self.number;
            pass.counts[target] += 1;
            if known.target != target {
                known.target = target;
                pass.found.push(Found { target, handle: handle.clone() });
            }
            return;
        }
        match self.meet(pid, file) {
            Ok(handle) => {
                let is_meant = handle.as_ref().is_some_and(|handle| is_meant(self.specs[target].kinds, port, handle));
                let mut known = Known { handle, target: usize::MAX, seen: self.number, meant: 0 };
                if let (Some(handle), true) = (&known.handle, is_meant) {
                    if self.known.len() >= BUFFERS_MAX {
                        pass.missing.push((target, Missing::TooMany));
                        return;
                    }
                    (known.target, known.meant) = (target, self.number);
                    pass.counts[target] += 1;
                    pass.found.push(Found { target, handle: handle.clone() });
                }
                if let Some(before) = self.known.insert(file.inode, known)
                    && let (Some(before), Some(now)) = (before.handle, &self.known[&file.inode].handle)
                    && before.identity != now.identity
                {
                    pass.gone.push(before.identity);
                }
            }
            Err(HandleError::Denied) => pass.missing.push((target, Missing::Denied)),
            // Closed since the folder was read, or something the next pass will see again.
            Err(HandleError::Gone | HandleError::System(_)) => {}
        }
    }

    /// Finds out what a file is that was not met before, or not there.
    fn meet(&mut self, pid: u32, file: OpenFile) -> Result<Option<Handle>, HandleError> {
        let is_same = |held: &Arc<Process>| process::start_time(pid).is_ok_and(|start| start == held.owner.start);
        let process = if let Some(held) = self.held.get(&pid).filter(|held| is_same(held)) {
            Arc::clone(held)
        } else {
            let process = Process::open(pid).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => HandleError::Gone,
                _ => error.into(),
            })?;
            self.held.insert(pid, Arc::clone(&process));
            process
        };
        Handle::of(&process, file)
    }

    /// Lets go of what this pass did not see.
    fn forget(&mut self, pass: &mut Pass) {
        let number = self.number;
        self.known.retain(|_, known| {
            let was_meant = known.target != usize::MAX || known.meant > 0;
            if let (Some(handle), true) = (&known.handle, was_meant && known.meant != number) {
                pass.gone.push(handle.identity);
                (known.target, known.meant) = (usize::MAX, 0);
            }
            known.seen == number
        });
        self.held.retain(|_, process| Arc::strong_count(process) > 1);
    }
}

impl Known {
    /// Whether this is where it was, or where another target has already seen it in this pass.
    fn is_at(&self, pid: u32, fd: i32, number: u64) -> bool {
        self.seen == number
            || self.handle.as_ref().is_none_or(|handle| handle.fd == fd && handle.process.owner.pid == pid)
    }
}

/// A file that a target may mean; with a port if only sockets of that port are meant.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    target: usize,
    pid: u32,
    file: OpenFile,
    port: Option<u16>,
}

fn is_meant(kinds: Kinds, port: Option<u16>, handle: &Handle) -> bool {
    let is_kind = match handle.kind {
        Kind::Udp => kinds.udp,
        Kind::Tcp | Kind::TcpListener => kinds.tcp,
        Kind::Pipe => kinds.pipe,
    };
    is_kind && port.is_none_or(|port| port == handle.port)
}
