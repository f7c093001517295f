//! The ledger of what was changed, and the way back.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use super::buffer::{self, Force};
use super::host::Wish;
use super::state_file::{BufferEntry, HostEntry, Left, State, StateError, StateFile, VERSION, boot};
use crate::target::{Handle, HandleError, Identity, Kind, Process, all_processes, open_files};

/// What came of putting one thing back.
#[derive(Debug)]
pub enum Outcome {
    /// It is as it was.
    Restored,
    /// Its program, or an administrator, gave it another value since: left as it is.
    ChangedSince,
    /// It is no longer there.
    Gone,
    /// It could not be done.
    Failed(HandleError),
}

impl Outcome {
    /// The name in counters.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::ChangedSince => "changed_since",
            Self::Gone => "gone",
            Self::Failed(_) => "failed",
        }
    }

    /// All names.
    pub const NAMES: [&'static str; 4] = ["restored", "changed_since", "gone", "failed"];
}

impl From<HandleError> for Outcome {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Gone => Self::Gone,
            other => Self::Failed(other),
        }
    }
}

/// What is changed at the moment, in memory and in the file.
#[derive(Debug)]
pub struct Ledger {
    file: StateFile,
    boot: String,
    buffers: HashMap<Identity, BufferEntry>,
    /// Those of `buffers` that their process no longer has.
    lost: HashSet<Identity>,
    host: Vec<HostEntry>,
    is_dirty: bool,
}

/// What an earlier run had left, after it was put back.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Each thing and what came of it.
    pub outcomes: Vec<(String, Outcome)>,
    /// The file that could not be read, and lies aside.
    pub damaged: Option<std::path::PathBuf>,
}

impl Ledger {
    /// Locks the state file and puts back what an earlier run left.
    pub fn open(path: &Path, force: Force) -> Result<(Self, Recovered), StateError> {
        let (file, left) = StateFile::open(path)?;
        let mut ledger = Self {
            file,
            boot: boot(),
            buffers: HashMap::new(),
            lost: HashSet::new(),
            host: Vec::new(),
            is_dirty: false,
        };
        let mut recovered = Recovered::default();
        match left {
            Left::Nothing => {}
            Left::Damaged(aside) => recovered.damaged = Some(aside),
            Left::Changes(state) => {
                ledger.buffers.extend(state.buffers.into_iter().map(|entry| (entry.identity, entry)));
                ledger.host = state.host;
                recovered.outcomes = ledger.restore_all(force)?;
            }
        }
        Ok((ledger, recovered))
    }

    /// Writes down that `handle` will have `to_bytes` instead of `from_bytes`. In force with the next [`Ledger::save`].
    pub fn note(&mut self, handle: &Handle, original_bytes: u64, was_locked: Option<bool>, ours_bytes: [u64; 2]) {
        let entry = BufferEntry {
            identity: handle.identity,
            kind: handle.kind,
            pid: handle.process.owner.pid,
            start: handle.process.owner.start,
            fd: handle.fd,
            original_bytes,
            was_locked,
            ours_bytes,
        };
        self.buffers.insert(handle.identity, entry);
        self.is_dirty = true;
    }

    /// Strikes a buffer that its program has given another size since. The file follows with the next save.
    pub fn forget(&mut self, identity: Identity) {
        self.is_dirty |= self.buffers.remove(&identity).is_some();
        self.lost.remove(&identity);
    }

    /// What is written down of a buffer, if it is changed.
    pub fn entry(&self, identity: Identity) -> Option<&BufferEntry> {
        self.buffers.get(&identity)
    }

    /// Brings the file up to date.
    pub fn save(&mut self) -> Result<(), StateError> {
        if !self.is_dirty {
            return Ok(());
        }
        let mut buffers: Vec<BufferEntry> = self.buffers.values().cloned().collect();
        buffers.sort_unstable_by_key(|entry| (entry.identity.inode, entry.identity.cookie));
        let state = State { version: VERSION, boot: self.boot.clone(), buffers, host: self.host.clone() };
        self.file.write(&state)?;
        self.is_dirty = false;
        Ok(())
    }

    /// Raises a setting of the machine, written down before.
    pub fn set_host(&mut self, wish: &Wish) -> Result<io::Result<()>, StateError> {
        let original = match wish.setting.read() {
            Ok(original) => original,
            Err(error) => return Ok(Err(error)),
        };
        // One that could not be put back has not forgotten what it was at first.
        let before = self.host.iter().find(|entry| entry.setting == wish.setting);
        let original = before.map_or(original, |entry| entry.original.clone());
        self.host.retain(|entry| entry.setting != wish.setting);
        self.host.push(HostEntry { setting: wish.setting.clone(), original, ours: wish.value.clone() });
        self.is_dirty = true;
        self.save()?;
        let written = wish.setting.write(&wish.value);
        if written.is_err() {
            self.host.pop();
            self.is_dirty = true;
            self.save()?;
        }
        Ok(written)
    }

    /// Whether `wish` was set and is written down.
    pub fn has_host(&self, wish: &Wish) -> bool {
        self.host.iter().any(|entry| entry.setting == wish.setting && entry.ours == wish.value)
    }

    /// Puts back the settings of the machine that are not in `wishes`, or with another value. What failed stays in the file.
    pub fn keep_host(&mut self, wishes: &[Wish]) -> Result<Vec<(String, Outcome)>, StateError> {
        let (kept, others): (Vec<HostEntry>, Vec<HostEntry>) = std::mem::take(&mut self.host)
            .into_iter()
            .partition(|entry| wishes.iter().any(|wish| entry.setting == wish.setting && entry.ours == wish.value));
        self.host = kept;
        let mut named = Vec::with_capacity(others.len());
        for entry in others {
            let outcome = put_host_back(&entry);
            named.push((entry.setting.to_string(), outcome));
            if matches!(named.last(), Some((_, Outcome::Failed(_)))) {
                self.host.push(entry);
            }
            self.is_dirty = true;
        }
        self.save()?;
        Ok(named)
    }

    /// Puts one buffer back and forgets it; `None` if it was never changed. The file follows with the next save.
    ///
    /// A socket that its process no longer has may be held by another one. It stays in the file, [`Outcome::Gone`] or not, until
    /// [`Ledger::sweep`] has looked everywhere: that is too slow to do for each connection that ends.
    pub fn restore(&mut self, identity: Identity, force: Force) -> Option<Outcome> {
        let entry = self.buffers.get(&identity)?;
        let outcome = put_back(entry, held(entry), force);
        if matches!(outcome, Outcome::Gone) && entry.kind != Kind::Pipe {
            self.lost.insert(identity);
        } else {
            self.buffers.remove(&identity);
            self.is_dirty = true;
        }
        Some(outcome)
    }

    /// A buffer that was lost is in hand again.
    pub fn regain(&mut self, identity: Identity) {
        self.lost.remove(&identity);
    }

    /// Whether [`Ledger::sweep`] has anything to look for.
    pub fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Looks for all lost sockets in all processes, once, puts back those that are found and strikes the others.
    pub fn sweep(&mut self, force: Force) -> Result<Vec<(String, Outcome)>, StateError> {
        let lost = std::mem::take(&mut self.lost);
        let entries: Vec<BufferEntry> = lost.iter().filter_map(|identity| self.buffers.remove(identity)).collect();
        self.is_dirty |= !entries.is_empty();
        let outcomes = search(entries, force);
        self.save()?;
        Ok(outcomes.into_iter().map(|(entry, outcome)| (describe(&entry), outcome)).collect())
    }

    /// Puts everything back. What failed for a reason that may pass stays in the file.
    pub fn restore_all(&mut self, force: Force) -> Result<Vec<(String, Outcome)>, StateError> {
        let mut outcomes = Vec::new();
        let mut lost = Vec::new();
        for (_, entry) in std::mem::take(&mut self.buffers) {
            match put_back(&entry, held(&entry), force) {
                Outcome::Gone if entry.kind != Kind::Pipe => lost.push(entry),
                outcome => outcomes.push((entry, outcome)),
            }
        }
        outcomes.extend(search(lost, force));
        self.lost.clear();
        let mut named = Vec::with_capacity(outcomes.len());
        for (entry, outcome) in outcomes {
            named.push((describe(&entry), outcome));
            if matches!(named.last(), Some((_, Outcome::Failed(_)))) {
                self.buffers.insert(entry.identity, entry);
            }
        }
        for entry in std::mem::take(&mut self.host) {
            named.push((entry.setting.to_string(), put_host_back(&entry)));
            if matches!(named.last(), Some((_, Outcome::Failed(_)))) {
                self.host.push(entry);
            }
        }
        self.is_dirty = true;
        self.save()?;
        Ok(named)
    }
}

fn describe(entry: &BufferEntry) -> String {
    format!("{:?} {} of process {}", entry.kind, entry.identity.inode, entry.pid)
}

fn put_back(entry: &BufferEntry, handle: Result<Handle, HandleError>, force: Force) -> Outcome {
    let handle = match handle {
        Ok(handle) => handle,
        Err(error) => return error.into(),
    };
    let current = match buffer::look(&handle) {
        Ok(look) => look.ceiling_bytes,
        Err(error) => return error.into(),
    };
    if !entry.ours_bytes.contains(&current) {
        return Outcome::ChangedSince;
    }
    match buffer::put_back(&handle, force, entry.original_bytes, entry.was_locked) {
        Ok(()) => Outcome::Restored,
        Err(error) => error.into(),
    }
}

/// The buffer of `entry` where it was.
fn held(entry: &BufferEntry) -> Result<Handle, HandleError> {
    let process = Process::open(entry.pid).ok().filter(|process| process.owner.start == entry.start);
    let handle = Handle {
        process: process.ok_or(HandleError::Gone)?,
        fd: entry.fd,
        identity: entry.identity,
        kind: entry.kind,
        port: 0,
        netns: 0,
    };
    handle.open().map(|_| handle)
}

/// Looks for sockets in all processes: one that was handed to a child lives on. Told apart by their cookies, so that a number
/// that was given again misleads nobody.
fn search(entries: Vec<BufferEntry>, force: Force) -> Vec<(BufferEntry, Outcome)> {
    if entries.is_empty() {
        return Vec::new();
    }
    let wanted: HashMap<u64, usize> =
        entries.iter().zip(0..).map(|(entry, place)| (entry.identity.inode, place)).collect();
    let mut outcomes: Vec<Outcome> = entries.iter().map(|_| Outcome::Gone).collect();
    let mut numbers = Vec::new();
    if let Err(error) = all_processes(&mut numbers) {
        tracing::warn!(%error, "processes cannot be listed, so sockets that were handed on are not found");
    }
    for pid in numbers {
        let mut files = Vec::new();
        // Those we may not look into, and those that ended, hold nothing that we changed.
        let _ = open_files(pid, |file| {
            if let (Some(place), false) = (wanted.get(&file.inode), file.is_pipe) {
                files.push((*place, file));
            }
        });
        for (place, file) in files {
            let (entry, outcome) = (&entries[place], &mut outcomes[place]);
            if matches!(outcome, Outcome::Gone)
                && let Ok(process) = Process::open(pid)
            {
                let found = BufferEntry { pid, start: process.owner.start, fd: file.fd, ..entry.clone() };
                *outcome = put_back(entry, held(&found), force);
            }
        }
    }
    entries.into_iter().zip(outcomes).collect()
}

fn put_host_back(entry: &HostEntry) -> Outcome {
    match entry.setting.read() {
        Ok(current) if current == entry.ours => match entry.setting.write(&entry.original) {
            Ok(()) => Outcome::Restored,
            Err(error) => Outcome::Failed(error.into()),
        },
        // Killed between the note and the change.
        Ok(current) if current == entry.original => Outcome::Restored,
        Ok(_) => Outcome::ChangedSince,
        // An interface that is no longer there.
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Outcome::Gone,
        Err(error) => Outcome::Failed(error.into()),
    }
}
