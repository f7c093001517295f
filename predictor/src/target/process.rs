//! One process: who it is, what it is called, what it has open. All from `/proc/PID`.

use std::io;
use std::sync::Arc;

use std::os::fd::OwnedFd;

use rustix::fs::{CWD, Dir, Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::files;
use super::spec::Selector;
use crate::limits::FILES_MAX;

/// Longest name in `/proc/PID/comm` (`TASK_COMM_LEN` less its end).
const COMM_BYTES_MAX: usize = 15;

/// A process that cannot be taken for another: the number, and when it started in clock ticks since boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The process number.
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`.
    pub start: u64,
}

/// A process held by a descriptor, which goes on meaning this process when the number is given to another.
#[derive(Debug)]
pub struct Process {
    /// Who it is.
    pub owner: Owner,
    /// What it is called.
    pub program: String,
    /// The descriptor. It keeps nothing of the process alive: no file, no port.
    pub pidfd: OwnedFd,
}

/// An open file that may be a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFile {
    /// Its number in the process.
    pub fd: i32,
    /// Its inode.
    pub inode: u64,
    /// Whether it is a pipe and no socket.
    pub is_pipe: bool,
}

impl Process {
    /// Takes hold of process `pid`. The start time is read after the descriptor is open, so both are of the same process.
    pub fn open(pid: u32) -> io::Result<Arc<Self>> {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        let pidfd = pidfd_open(number, PidfdFlags::empty())?;
        let start = start_time(pid)?;
        let program = comm(pid)?;
        Ok(Arc::new(Self { owner: Owner { pid, start }, program, pidfd }))
    }
}

/// When process `pid` started, in clock ticks since boot.
pub fn start_time(pid: u32) -> io::Result<u64> {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold anything, brackets included; field 3 follows the last of them.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let field = fields.split_whitespace().nth(19).and_then(|field| field.parse().ok());
    field.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat has no start time")))
}

/// The name of the process.
pub(super) fn comm(pid: u32) -> io::Result<String> {
    let mut name = String::from_utf8_lossy(&fs_err::read(format!("/proc/{pid}/comm"))?).into_owned();
    name.truncate(name.trim_end_matches('\n').len());
    Ok(name)
}

/// Whether process `pid` is one that `selector` names.
pub(super) fn matches(pid: u32, selector: &Selector) -> bool {
    match selector {
        Selector::Pid(wanted) => *wanted == pid,
        Selector::Process(name) => comm(pid).is_ok_and(|comm| is_called(&comm, name)) || program_file(pid, name),
        Selector::Unit(unit) => cgroups(pid, |path| path.split('/').any(|part| part == unit)),
        Selector::Cgroup(group) => cgroups(pid, |path| {
            path.strip_prefix(group.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }),
        Selector::Port(_) | Selector::Socket(_) => false,
    }
}

fn is_called(comm: &str, name: &str) -> bool {
    // The kernel cuts names off; a long one is recognised by what is left of it.
    comm == name || (comm.len() == COMM_BYTES_MAX && name.starts_with(comm))
}

/// Whether the program's file has this name. Not readable for processes of others without `CAP_SYS_PTRACE`.
fn program_file(pid: u32, name: &str) -> bool {
    let link = readlinkat(CWD, format!("/proc/{pid}/exe"), Vec::new()).unwrap_or_default();
    let path = link.to_string_lossy();
    let path = path.trim_end_matches(" (deleted)");
    path.rsplit('/').next() == Some(name)
}

/// Whether any of the process's control groups is one that `is_it` accepts.
fn cgroups(pid: u32, is_it: impl Fn(&str) -> bool) -> bool {
    let text = fs_err::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    text.lines().filter_map(|line| line.splitn(3, ':').nth(2)).any(is_it)
}

/// Hands every socket and pipe that `pid` has open to `each`.
pub fn open_files(pid: u32, mut each: impl FnMut(OpenFile)) -> io::Result<()> {
    let path = format!("/proc/{pid}/fd");
    let folder = match openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::ACCESS) => return files::try_all(pid, each),
        Err(errno) => return Err(errno.into()),
    };
    let mut link = Vec::with_capacity(64);
    for entry in Dir::read_from(&folder)?.take(FILES_MAX) {
        let entry = entry?;
        let Some(fd) = entry.file_name().to_str().ok().and_then(|name| name.parse().ok()) else { continue };
        let target = match readlinkat(&folder, entry.file_name(), link) {
            Ok(target) => target,
            // With `CAP_DAC_OVERRIDE` the folder can be read, and its links can not.
            Err(errno @ (Errno::ACCESS | Errno::PERM)) => return Err(errno.into()),
            // Closed since the folder was read: no fault of anyone.
            Err(_) => {
                link = Vec::with_capacity(64);
                continue;
            }
        };
        if let Some((inode, is_pipe)) = target.to_str().ok().and_then(inode) {
            each(OpenFile { fd, inode, is_pipe });
        }
        link = target.into_bytes();
    }
    Ok(())
}

/// What `/proc/PID/fd/FD` points to, if it is a socket or a pipe.
pub(super) fn file(pid: u32, fd: i32) -> Option<OpenFile> {
    let target = match readlinkat(CWD, format!("/proc/{pid}/fd/{fd}"), Vec::new()) {
        Ok(target) => target,
        Err(Errno::ACCESS) => return files::try_one(pid, fd),
        Err(_) => return None,
    };
    let (inode, is_pipe) = inode(target.to_str().ok()?)?;
    Some(OpenFile { fd, inode, is_pipe })
}

/// `socket:[123]` or `pipe:[123]`.
fn inode(target: &str) -> Option<(u64, bool)> {
    let (kind, rest) = target.split_once(":[")?;
    let is_pipe = match kind {
        "socket" => false,
        "pipe" => true,
        _ => return None,
    };
    Some((rest.strip_suffix(']')?.parse().ok()?, is_pipe))
}

/// The numbers of all processes, ascending.
pub fn all(numbers: &mut Vec<u32>) -> io::Result<()> {
    numbers.clear();
    let folder = openat(CWD, "/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    for entry in Dir::read_from(&folder)? {
        if let Some(pid) = entry?.file_name().to_str().ok().and_then(|name| name.parse().ok()) {
            numbers.push(pid);
        }
        if numbers.len() >= crate::limits::PROCESSES_MAX {
            break;
        }
    }
    numbers.sort_unstable();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn we_find_ourselves_and_our_socket() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let pid = std::process::id();
        let mut pids = Vec::new();
        all(&mut pids).unwrap();
        assert!(pids.contains(&pid));
        let mut files = Vec::new();
        open_files(pid, |file| files.push(file)).unwrap();
        let ours = files.iter().find(|file| file.fd == socket.as_raw_fd()).unwrap();
        assert_eq!(ours.inode, rustix::fs::fstat(&socket).unwrap().st_ino);
        assert_eq!(file(pid, socket.as_raw_fd()), Some(*ours));
        let process = Process::open(pid).unwrap();
        assert_eq!(process.owner.start, start_time(pid).unwrap());
        assert!(matches(pid, &Selector::Process(process.program.clone())));
        assert!(!matches(pid, &Selector::Process("no-such-program".to_owned())));
    }

    #[test]
    fn names_that_the_kernel_cut_are_recognised() {
        assert!(is_called("forebay_predict", "forebay_predictor"));
        assert!(!is_called("forebay", "forebay_predictor"));
    }

    #[test]
    fn only_sockets_and_pipes_count() {
        assert_eq!(inode("socket:[12]"), Some((12, false)));
        assert_eq!(inode("pipe:[7]"), Some((7, true)));
        for other in ["/dev/null", "anon_inode:[eventpoll]", "socket:[x]", "socket:[1"] {
            assert_eq!(inode(other), None, "{other}");
        }
    }
}
