//! A buffer of another program, reached without keeping it.
//!
//! **Promise.** Each use takes a duplicate of the file from its owner, checks that it is still the same socket or pipe, and
//! closes it again: a duplicate that is kept would keep the port bound after its owner ended. A number that now means another
//! file, or another process, is [`HandleError::Gone`] and nothing is done to it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::net::sockopt::{socket_acceptconn, socket_cookie, socket_domain, socket_protocol};
use rustix::net::{AddressFamily, getsockname, ipproto};
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};

use super::process::{OpenFile, Process};
use crate::sys::sock_opt;

/// What kind of buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The receive queue of a UDP socket.
    Udp,
    /// A TCP socket that listens; connections inherit its size.
    TcpListener,
    /// The receive queue of a TCP connection.
    Tcp,
    /// A pipe.
    Pipe,
}

/// What tells a buffer from every other one since boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// The inode. Numbers of sockets may be given again.
    pub inode: u64,
    /// The socket's cookie (`SO_COOKIE`), which the kernel gives once; 0 for pipes, which have none.
    pub cookie: u64,
}

/// A buffer and the process it is reached through.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The process.
    pub process: Arc<Process>,
    /// The number of the file in that process.
    pub fd: i32,
    /// Which buffer.
    pub identity: Identity,
    /// What kind.
    pub kind: Kind,
    /// The local port; 0 where there is none.
    pub port: u16,
    /// Inode of the network namespace a socket is in; 0 where there is none or we may not know.
    pub netns: u32,
}

/// Why a buffer could not be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// Its program closed it or ended. Nobody's fault.
    #[error("the program closed it or ended")]
    Gone,
    /// We may not. The set-up's fault.
    #[error("not permitted: to reach into programs of other users the sidecar needs CAP_SYS_PTRACE")]
    Denied,
    /// The system refused otherwise.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<Errno> for HandleError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::BADF | Errno::SRCH | Errno::NOTSOCK => Self::Gone,
            Errno::PERM | Errno::ACCESS => Self::Denied,
            other => Self::System(other.into()),
        }
    }
}

impl Handle {
    /// Finds out what `file` of `process` is; none if it is no buffer that we know how to size.
    pub fn of(process: &Arc<Process>, file: OpenFile) -> Result<Option<Self>, HandleError> {
        let duplicate = pidfd_getfd(&process.pidfd, file.fd, PidfdGetfdFlags::empty())?;
        if fstat(&duplicate)?.st_ino != file.inode {
            return Err(HandleError::Gone);
        }
        let described =
            if file.is_pipe { Some((Kind::Pipe, 0, 0)) } else { describe(&duplicate).map_err(HandleError::from)? };
        let netns = if file.is_pipe { 0 } else { sock_opt::netns(duplicate.as_fd()).unwrap_or(0) };
        Ok(described.map(|(kind, port, cookie)| Self {
            process: Arc::clone(process),
            fd: file.fd,
            identity: Identity { inode: file.inode, cookie },
            kind,
            port,
            netns,
        }))
    }

    /// A duplicate of the file, known to be the right one. To be dropped at once.
    pub fn open(&self) -> Result<OwnedFd, HandleError> {
        let duplicate = pidfd_getfd(&self.process.pidfd, self.fd, PidfdGetfdFlags::empty())?;
        let is_same = if self.kind == Kind::Pipe {
            let stat = fstat(&duplicate)?;
            FileType::from_raw_mode(stat.st_mode) == FileType::Fifo && stat.st_ino == self.identity.inode
        } else {
            socket_cookie(duplicate.as_fd())? == self.identity.cookie
        };
        if is_same { Ok(duplicate) } else { Err(HandleError::Gone) }
    }
}

/// Kind, local port and cookie of a socket; none if it is not UDP or TCP.
fn describe(socket: &OwnedFd) -> Result<Option<(Kind, u16, u64)>, Errno> {
    let domain = socket_domain(socket)?;
    if domain != AddressFamily::INET && domain != AddressFamily::INET6 {
        return Ok(None);
    }
    let kind = match socket_protocol(socket)? {
        Some(ipproto::UDP) => Kind::Udp,
        Some(ipproto::TCP) if socket_acceptconn(socket)? => Kind::TcpListener,
        Some(ipproto::TCP) => Kind::Tcp,
        _ => return Ok(None),
    };
    let address: Option<std::net::SocketAddr> = getsockname(socket)?.try_into().ok();
    Ok(Some((kind, address.map_or(0, |address| address.port()), socket_cookie(socket)?)))
}
