//! Another network namespace: by the name `ip netns` gave it, by a path, or by a process that lives in it.
//!
//! It is entered by a thread of its own, which ends there: whatever happens, no other thread changes its namespace.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use crate::live::LiveError;
use crate::live::capabilities::{Capability, Missing, missing};

/// A network namespace as a user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Netns {
    /// A name of `ip netns` (a file in `/run/netns`).
    Name(String),
    /// A file that is one.
    Path(PathBuf),
    /// That of a process.
    Pid(u32),
}

impl Netns {
    /// A number is a process, something with a slash a path, anything else a name.
    pub fn parse(text: &str) -> Self {
        match text.parse::<u32>() {
            Ok(pid) => Self::Pid(pid),
            Err(_) if text.contains('/') => Self::Path(PathBuf::from(text)),
            Err(_) => Self::Name(text.to_owned()),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Name(name) => PathBuf::from("/run/netns").join(name),
            Self::Path(path) => path.clone(),
            Self::Pid(pid) => PathBuf::from(format!("/proc/{pid}/ns/net")),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Path(path) => path.display().to_string(),
            Self::Pid(pid) => format!("of process {pid}"),
        }
    }

    fn error(&self, reason: &str, error: io::Error) -> LiveError {
        LiveError::Netns { name: self.shown(), reason: reason.to_owned(), error }
    }
}

/// A network namespace that is held open: it can be entered again after its name has gone.
#[derive(Debug)]
pub(crate) struct Home {
    /// None for our own.
    other: Option<(Netns, fs_err::File)>,
    /// What names it to the kernel's programs.
    pub(crate) inode: u32,
}

impl Home {
    /// That of `netns`, or ours where there is none.
    pub(crate) fn open(netns: Option<&Netns>) -> Result<Self, LiveError> {
        let Some(netns) = netns else {
            let own = fs_err::metadata("/proc/thread-self/ns/net").map_err(LiveError::map("our network namespace"))?;
            return Ok(Self { other: None, inode: own.ino() as u32 });
        };
        let file = open(netns)?;
        let inode = file.metadata().map_err(|error| netns.error("cannot be looked at", error))?.ino() as u32;
        Ok(Self { other: Some((netns.clone(), file)), inode })
    }

    /// Runs `work` there.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> Result<T, LiveError> + Send) -> Result<T, LiveError> {
        let Some((netns, file)) = &self.other else { return work() };
        let entered = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                enter(netns, file)?;
                work()
            });
            thread.join()
        });
        entered.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn open(netns: &Netns) -> Result<fs_err::File, LiveError> {
    fs_err::File::open(netns.path()).map_err(|error| {
        let is_refused = error.kind() == io::ErrorKind::PermissionDenied;
        match missing(&[Capability::SysPtrace]) {
            Ok(gone) if is_refused && !gone.is_empty() => LiveError::Capabilities(Missing(gone)),
            _ => {
                netns.error("cannot be opened (a name of `ip netns`, a path, or a process number was expected)", error)
            }
        }
    })
}

fn enter(netns: &Netns, file: &fs_err::File) -> Result<(), LiveError> {
    // SAFETY: takes integers only; the namespace changes for this thread alone, which ends after its work.
    if unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match missing(&[Capability::SysAdmin]) {
        Ok(gone) if error.raw_os_error() == Some(libc::EPERM) && !gone.is_empty() => {
            Err(LiveError::Capabilities(Missing(gone)))
        }
        _ => Err(netns.error("cannot be entered", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_named_in_three_ways() {
        assert_eq!(Netns::parse("41"), Netns::Pid(41));
        assert_eq!(Netns::parse("/proc/41/ns/net"), Netns::Path("/proc/41/ns/net".into()));
        assert_eq!(Netns::parse("blue"), Netns::Name("blue".to_owned()));
    }

    #[test]
    fn one_that_is_not_there_is_named() {
        let error = Home::open(Some(&Netns::parse("no-such-namespace"))).expect_err("there is none");
        assert!(error.to_string().contains("network namespace no-such-namespace: cannot be opened"), "{error}");
    }
}
