//! The ledger of what was changed, and the way back.

use std::collections::HashMap;
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
        let mut ledger = Self { file, boot: boot(), buffers: HashMap::new(), host: Vec::new(), is_dirty: false };
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

    /// Puts one buffer back and forgets it; `None` if it was never changed. The file follows with the next save.
    pub fn restore(&mut self, identity: Identity, force: Force) -> Option<Outcome> {
        let entry = self.buffers.remove(&identity)?;
        self.is_dirty = true;
        Some(put_back(&entry, force))
    }

    /// Puts everything back. What failed for a reason that may pass stays in the file.
    pub fn restore_all(&mut self, force: Force) -> Result<Vec<(String, Outcome)>, StateError> {
        let mut outcomes = Vec::new();
        for (identity, entry) in std::mem::take(&mut self.buffers) {
            let outcome = put_back(&entry, force);
            let name = format!("{:?} socket or pipe {} of process {}", entry.kind, identity.inode, entry.pid);
            if matches!(outcome, Outcome::Failed(_)) {
                self.buffers.insert(identity, entry);
            }
            outcomes.push((name, outcome));
        }
        for entry in std::mem::take(&mut self.host) {
            let outcome = put_host_back(&entry);
            outcomes.push((entry.setting.to_string(), outcome));
            if matches!(outcomes.last(), Some((_, Outcome::Failed(_)))) {
                self.host.push(entry);
            }
        }
        self.is_dirty = true;
        self.save()?;
        Ok(outcomes)
    }
}

fn put_back(entry: &BufferEntry, force: Force) -> Outcome {
    let handle = match reach(entry) {
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

/// The buffer of `entry`: where it was, or, for a socket that another process holds now, wherever its cookie is.
fn reach(entry: &BufferEntry) -> Result<Handle, HandleError> {
    let held = Process::open(entry.pid).ok().filter(|process| process.owner.start == entry.start);
    if let Some(process) = held {
        let (identity, kind) = (entry.identity, entry.kind);
        let handle = Handle { process, fd: entry.fd, identity, kind, port: 0 };
        match handle.open() {
            Ok(_) => return Ok(handle),
            Err(HandleError::Gone) => {}
            Err(other) => return Err(other),
        }
    }
    search(entry)
}

/// Looks for the socket in all processes. A pipe is not looked for: it has no cookie, so a found one could be another.
fn search(entry: &BufferEntry) -> Result<Handle, HandleError> {
    if entry.kind == Kind::Pipe {
        return Err(HandleError::Gone);
    }
    let mut numbers = Vec::new();
    all_processes(&mut numbers)?;
    for pid in numbers {
        let mut files = Vec::new();
        // Those we may not look into, and those that ended.
        let _ = open_files(pid, |file| {
            if file.inode == entry.identity.inode && !file.is_pipe {
                files.push(file);
            }
        });
        let Some(file) = files.first() else { continue };
        let Ok(process) = Process::open(pid) else { continue };
        let (identity, kind) = (entry.identity, entry.kind);
        let handle = Handle { process, fd: file.fd, identity, kind, port: 0 };
        if handle.open().is_ok() {
            return Ok(handle);
        }
    }
    Err(HandleError::Gone)
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
