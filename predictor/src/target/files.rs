//! What a process has open, where we may take duplicates of its files and not read its folder.
//!
//! `/proc/PID/fd` belongs to the user of the process and to whoever may read everything (`CAP_DAC_READ_SEARCH`); `CAP_SYS_PTRACE` alone opens no
//! folder. It allows `pidfd_getfd` though, so that every number the process may have is tried: some 0.3 us for one that is not open.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Stat, fstat};
use rustix::io::Errno;
use rustix::pipe::pipe;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::process::OpenFile;
use crate::limits::FILES_MAX;

/// Hands every socket and pipe of `pid` to `each`.
pub(super) fn try_all(pid: u32, mut each: impl FnMut(OpenFile)) -> io::Result<()> {
    let pidfd = open(pid)?;
    let pipes = device_of_pipes()?;
    for fd in 0..numbers(pid)?.min(FILES_MAX) as i32 {
        match pidfd_getfd(&pidfd, fd, PidfdGetfdFlags::empty()) {
            Ok(copy) => fstat(&copy).ok().and_then(|stat| seen(fd, &stat, pipes)).into_iter().for_each(&mut each),
            // Not open, or closed by now.
            Err(Errno::BADF) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// The file `fd` of `pid`, if it is a socket or a pipe.
pub(super) fn try_one(pid: u32, fd: i32) -> Option<OpenFile> {
    let copy = pidfd_getfd(open(pid).ok()?, fd, PidfdGetfdFlags::empty()).ok()?;
    seen(fd, &fstat(&copy).ok()?, device_of_pipes().ok()?)
}

fn open(pid: u32) -> io::Result<OwnedFd> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_open(number, PidfdFlags::empty())?)
}

fn seen(fd: i32, stat: &Stat, pipes: u64) -> Option<OpenFile> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => Some(OpenFile { fd, inode: stat.st_ino, is_pipe: false }),
        // A named one lies in a folder, and is none of ours.
        FileType::Fifo if stat.st_dev == pipes => Some(OpenFile { fd, inode: stat.st_ino, is_pipe: true }),
        _ => None,
    }
}

/// The device that all pipes without a name are on.
fn device_of_pipes() -> io::Result<u64> {
    let (reader, _writer) = pipe()?;
    Ok(fstat(&reader)?.st_dev)
}

/// One more than the largest number that the process can have open at the moment.
fn numbers(pid: u32) -> io::Result<usize> {
    let status = fs_err::read_to_string(format!("/proc/{pid}/status"))?;
    let size = status.lines().find_map(|line| line.strip_prefix("FDSize:")?.trim().parse().ok());
    size.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/status has no FDSize")))
}

#[cfg(test)]
mod tests {
    use super::super::process::open_files;
    use super::*;

    #[test]
    fn both_ways_find_the_same() {
        // A child that does nothing: our own files come and go with the other tests.
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id();
        let (mut tried, mut listed) = (Vec::new(), Vec::new());
        try_all(pid, |file| tried.push(file)).unwrap();
        open_files(pid, |file| listed.push(file)).unwrap();
        listed.sort_unstable_by_key(|file: &OpenFile| file.fd);
        assert_eq!(tried, listed);
        assert!(tried.len() >= 2 && tried.iter().all(|file| try_one(pid, file.fd) == Some(*file)), "{tried:?}");
        assert_eq!(try_one(pid, 4_000), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
