//! The state file: what is changed at the moment, so that the next start can put it back.
//!
//! **Layout.** One JSON object, [`State`]. It is written to `FILE.part` and renamed, so a reader sees one state or the other. It is not
//! synced to the disk: it need only outlive this process, since after a crash of the machine nothing of what it names
//! exists; `boot` tells.
//!
//! **Reading.** A file of another version, larger than [`STATE_BYTES_MAX`] or no JSON is set aside as `FILE.damaged` and
//! reported. **One writer.** `FILE.lock` is locked while a sidecar runs; a second one waits for a
//! second and is refused then.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::host::Setting;
use crate::limits::STATE_BYTES_MAX;
use crate::target::{Identity, Kind};

/// How long a start waits for the lock: a sidecar that is being replaced may still be putting back what it changed.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// How often it tries.
const LOCK_STEP: Duration = Duration::from_millis(10);

/// Version of the layout. Others are not read.
pub const VERSION: u32 = 1;

/// Everything that is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// [`VERSION`].
    pub version: u32,
    /// `/proc/sys/kernel/random/boot_id` when it was written.
    pub boot: String,
    /// Buffers.
    pub buffers: Vec<BufferEntry>,
    /// Settings of the machine.
    pub host: Vec<HostEntry>,
}

/// One buffer that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferEntry {
    /// Which buffer.
    pub identity: Identity,
    /// What kind.
    pub kind: Kind,
    /// The process it was reached through.
    pub pid: u32,
    /// When that process started, in clock ticks since boot.
    pub start: u64,
    /// The number of the file in that process.
    pub fd: i32,
    /// The size it had, in bytes.
    pub original_bytes: u64,
    /// Whether its program had set it by hand; none where the kernel does not tell.
    pub was_locked: Option<bool>,
    /// The size before the last change and the one after it: what it has now is one of the two, or its program's own doing.
    pub ours_bytes: [u64; 2],
}

/// One setting of the machine that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntry {
    /// Which setting.
    pub setting: Setting,
    /// What it was.
    pub original: String,
    /// What we set.
    pub ours: String,
}

/// The file, locked for us.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    part: PathBuf,
    _lock: fs_err::File,
    text: Vec<u8>,
}

/// Why the state file cannot be used. The operator's to decide: without it nothing may be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The folder or the file cannot be written.
    #[error("the state file {path}: {error}; name one that can be written with sidecar.state_file")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another sidecar runs.
    #[error(
        "another sidecar runs with the state file {0}; stop it, or give this one a file of its own (sidecar.state_file)"
    )]
    Taken(PathBuf),
}

/// What was found in the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: the last run ended in good order, or there was none since the machine started.
    Nothing,
    /// Changes that were not put back.
    Changes(State),
    /// A file that cannot be read as ours; where it was put.
    Damaged(PathBuf),
}

impl StateFile {
    /// Locks the file at `path`, whose folder is made if it is missing, and reads what an earlier run left.
    pub fn open(path: &Path) -> Result<(Self, Left), StateError> {
        let wrong = |error: io::Error| StateError::Io { path: path.to_owned(), error };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs_err::create_dir_all(folder).map_err(wrong)?;
        }
        let mut options = fs_err::OpenOptions::new();
        options.options_mut().mode(0o600);
        let lock = options.create(true).truncate(false).write(true).open(with_ending(path, "lock")).map_err(wrong)?;
        let start = Instant::now();
        loop {
            match flock(lock.as_fd(), FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) if start.elapsed() < LOCK_WAIT => thread::sleep(LOCK_STEP),
                Err(Errno::WOULDBLOCK) => return Err(StateError::Taken(path.to_owned())),
                Err(errno) => return Err(wrong(errno.into())),
            }
        }
        let left = read(path).map_err(wrong)?;
        let file = Self { path: path.to_owned(), part: with_ending(path, "part"), _lock: lock, text: Vec::new() };
        Ok((file, left))
    }

    /// Replaces what the file says; a state that holds nothing removes it.
    pub fn write(&mut self, state: &State) -> Result<(), StateError> {
        self.try_write(state).map_err(|error| StateError::Io { path: self.path.clone(), error })
    }

    fn try_write(&mut self, state: &State) -> io::Result<()> {
        if state.buffers.is_empty() && state.host.is_empty() {
            return match fs_err::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        self.text.clear();
        serde_json::to_writer(&mut self.text, state)?;
        let mut options = fs_err::OpenOptions::new();
        options.options_mut().mode(0o600);
        let mut part = options.create(true).truncate(true).write(true).open(&self.part)?;
        part.write_all(&self.text)?;
        fs_err::rename(&self.part, &self.path)
    }
}

/// The state that a sidecar which is not running left at `path`, without touching anything.
pub fn peek(path: &Path) -> Option<State> {
    let bytes = fs_err::read(path).ok()?;
    serde_json::from_slice::<State>(&bytes).ok().filter(|state| state.version == VERSION && state.boot == boot())
}

/// The identifier of this boot.
pub fn boot() -> String {
    fs_err::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn read(path: &Path) -> io::Result<Left> {
    let length = match fs_err::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::Nothing),
        Err(error) => return Err(error),
    };
    let state =
        if length <= STATE_BYTES_MAX { serde_json::from_slice::<State>(&fs_err::read(path)?).ok() } else { None };
    match state.filter(|state| state.version == VERSION) {
        Some(state) if state.boot == boot() => Ok(Left::Changes(state)),
        // The machine was started since: nothing of it is left.
        Some(_) => Ok(Left::Nothing),
        None => {
            let aside = with_ending(path, "damaged");
            fs_err::rename(path, &aside)?;
            Ok(Left::Damaged(aside))
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let entry = BufferEntry {
            identity: Identity { inode: 1, cookie: 2 },
            kind: Kind::Udp,
            pid: 3,
            start: 4,
            fd: 5,
            original_bytes: 212_992,
            was_locked: Some(false),
            ours_bytes: [212_992, 1 << 20],
        };
        State { version: VERSION, boot: boot(), buffers: vec![entry], host: Vec::new() }
    }

    #[test]
    fn what_is_written_is_read_by_the_next_and_an_empty_state_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/state.json");
        let (mut file, left) = StateFile::open(&path).unwrap();
        assert_eq!(left, Left::Nothing);
        file.write(&state()).unwrap();
        assert!(matches!(StateFile::open(&path), Err(StateError::Taken(_))), "one at a time");
        drop(file);
        let (mut file, left) = StateFile::open(&path).unwrap();
        assert_eq!(left, Left::Changes(state()));
        file.write(&State::default()).unwrap();
        assert!(!path.exists());
        file.write(&State::default()).unwrap();
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_one_of_another_boot_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        for text in ["", "{", "[]", "{\"version\":99,\"boot\":\"\",\"buffers\":[],\"host\":[]}"] {
            fs_err::write(&path, text).unwrap();
            let (_, left) = StateFile::open(&path).unwrap();
            assert_eq!(left, Left::Damaged(folder.path().join("state.json.damaged")), "{text}");
            assert!(!path.exists());
        }
        let old = State { boot: "another".to_owned(), ..state() };
        fs_err::write(&path, serde_json::to_vec(&old).unwrap()).unwrap();
        assert_eq!(StateFile::open(&path).unwrap().1, Left::Nothing);
    }
}
