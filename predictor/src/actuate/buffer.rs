//! Looks at one buffer, and sets it.
//!
//! Sizes are the kernel's own (`sk_rcvbuf`, truesize): twice what a program asks for with `SO_RCVBUF`. The option is given half of what
//! is wanted, and the kernel doubles it (`sock_set_rcvbuf` in `net/core/sock.c`).

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::io::{Errno, ioctl_fionread};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};

use crate::sys::sock_opt;
use crate::target::{Handle, HandleError, Kind};

/// What a buffer holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Bytes charged to the queue.
    pub queued_bytes: u64,
    /// The limit, in bytes.
    pub ceiling_bytes: u64,
    /// Packets dropped since the socket was made. Wraps; 0 for pipes, whose writers wait.
    pub drops: u32,
}

/// Looks at a buffer.
pub fn look(handle: &Handle) -> Result<Look, HandleError> {
    look_at(handle.kind, &handle.open()?)
}

/// Looks, and says as well whether someone set the size by hand; `None` where the kernel does not tell (before 5.15, pipes).
pub fn look_closely(handle: &Handle) -> Result<(Look, Option<bool>), HandleError> {
    let file = handle.open()?;
    let is_locked = if handle.kind == Kind::Pipe { None } else { sock_opt::is_locked(file.as_fd()) };
    Ok((look_at(handle.kind, &file)?, is_locked))
}

fn look_at(kind: Kind, file: &OwnedFd) -> Result<Look, HandleError> {
    if kind == Kind::Pipe {
        let ceiling_bytes = fcntl_getpipe_size(file)? as u64;
        return Ok(Look { queued_bytes: ioctl_fionread(file)?, ceiling_bytes, drops: 0 });
    }
    let info = sock_opt::mem_info(file.as_fd())?;
    Ok(Look {
        queued_bytes: u64::from(info.queued_bytes),
        ceiling_bytes: u64::from(info.ceiling_bytes),
        drops: info.drops,
    })
}

/// Whether limits beyond `net.core.rmem_max` can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// With `CAP_NET_ADMIN`.
    Yes,
    /// Without: `SO_RCVBUF`, which the kernel cuts off at `net.core.rmem_max`.
    No {
        /// The largest limit that can be set, in bytes: twice `net.core.rmem_max`.
        max_bytes: u64,
    },
}

/// What came of setting a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// The limit that is now in force, in bytes.
    pub ceiling_bytes: u64,
    /// Whether `SO_RCVBUFFORCE` was refused, so that [`Force::No`] holds from now on.
    pub is_refused: bool,
}

/// The size that setting `bytes` will give.
pub fn attainable(kind: Kind, force: Force, bytes: u64) -> u64 {
    match (kind, force) {
        // The kernel rounds up to a power of two (`round_pipe_size` in `fs/pipe.c`); rounded down here, so as not to go beyond what was given.
        (Kind::Pipe, _) => bytes.checked_ilog2().map_or(0, |log| 1 << log),
        (_, Force::No { max_bytes }) => bytes.min(max_bytes) & !1,
        (_, Force::Yes) => bytes & !1,
    }
}

/// Sets the limit of a buffer to [`attainable`] bytes.
pub fn set(handle: &Handle, force: Force, bytes: u64) -> Result<Set, HandleError> {
    let file = handle.open()?;
    let bytes = attainable(handle.kind, force, bytes);
    let mut is_refused = false;
    if handle.kind == Kind::Pipe {
        fcntl_setpipe_size(&file, bytes as usize)?;
    } else {
        let half = (bytes / 2) as usize;
        let forced = match force {
            Force::Yes => set_socket_recv_buffer_size_force(&file, half),
            Force::No { .. } => Err(Errno::PERM),
        };
        match forced {
            Err(Errno::PERM) => {
                is_refused = force == Force::Yes;
                set_socket_recv_buffer_size(&file, half)?;
            }
            other => other?,
        }
    }
    Ok(Set { ceiling_bytes: look_at(handle.kind, &file)?.ceiling_bytes, is_refused })
}

/// Sets the size a buffer had, and lets the kernel tune it again if it did before.
pub fn put_back(handle: &Handle, force: Force, bytes: u64, was_locked: Option<bool>) -> Result<(), HandleError> {
    set(handle, force, bytes)?;
    if was_locked == Some(false) {
        sock_opt::unlock(handle.open()?.as_fd())?;
    }
    Ok(())
}

/// What can be set by this process, as far as it can be known before the first change: by trying it on a socket of our own.
pub fn probe() -> Force {
    let forced = std::net::UdpSocket::bind("127.0.0.1:0").is_ok_and(|socket| {
        let size = rustix::net::sockopt::socket_recv_buffer_size(&socket).unwrap_or(0);
        set_socket_recv_buffer_size_force(&socket, size / 2).is_ok()
    });
    if forced { Force::Yes } else { without_force() }
}

/// [`Force::No`] with the limit of this machine.
pub fn without_force() -> Force {
    let max = fs_err::read_to_string("/proc/sys/net/core/rmem_max").ok().and_then(|text| text.trim().parse().ok());
    Force::No { max_bytes: max.unwrap_or(RMEM_MAX_BYTES) * 2 }
}

/// `net.core.rmem_max` where it cannot be read: the kernel's own value.
const RMEM_MAX_BYTES: u64 = 212_992;
