//! `SO_MEMINFO`, `SO_BUF_LOCK` and `SIOCGSKNS`, which `rustix` does not wrap.
//!
//! Layouts: `include/uapi/linux/sock_diag.h` (`SK_MEMINFO_*`, nine u32), `include/uapi/linux/socket.h` (`SOCK_RCVBUF_LOCK`).
#![allow(unsafe_code, reason = "getsockopt and setsockopt with options that no safe wrapper knows")]

use std::ffi::c_int;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// What the kernel knows of a socket's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemInfo {
    /// Bytes charged to the receive queue, in truesize.
    pub queued_bytes: u32,
    /// The limit of the receive queue, in bytes of truesize: twice what a program asks for with `SO_RCVBUF`.
    pub ceiling_bytes: u32,
    /// Packets dropped by this socket since it was made. Wraps.
    pub drops: u32,
}

/// The bit of `SO_BUF_LOCK` that says that someone set the receive buffer, so that the kernel does not tune it.
const RCVBUF_LOCK: u32 = 2;

/// Number of words in `SO_MEMINFO`.
const WORDS: usize = 9;

/// Reads `SO_MEMINFO`.
pub fn mem_info(socket: BorrowedFd<'_>) -> io::Result<MemInfo> {
    let words: [u32; WORDS] = option(socket, libc::SO_MEMINFO)?;
    Ok(MemInfo {
        queued_bytes: words[libc::SK_MEMINFO_RMEM_ALLOC as usize],
        ceiling_bytes: words[libc::SK_MEMINFO_RCVBUF as usize],
        drops: words[libc::SK_MEMINFO_DROPS as usize],
    })
}

/// Whether someone (the program, or we) set the receive buffer by hand. `None` on kernels before 5.15, which do not tell.
pub fn is_locked(socket: BorrowedFd<'_>) -> Option<bool> {
    option::<1>(socket, libc::SO_BUF_LOCK).ok().map(|[bits]| bits & RCVBUF_LOCK != 0)
}

/// `SIOCGSKNS` of `linux/sockios.h`: a descriptor of the socket's network namespace.
const SIOCGSKNS: libc::Ioctl = 0x894c;

/// Inode of the network namespace that a socket is in. `None` without `CAP_NET_ADMIN` there.
pub fn netns(socket: BorrowedFd<'_>) -> Option<u32> {
    // SAFETY: this request takes no argument and gives a descriptor.
    let fd = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) };
    if fd < 0 {
        return None;
    }
    // SAFETY: the descriptor was just made and is nobody else's.
    let namespace = unsafe { OwnedFd::from_raw_fd(fd) };
    rustix::fs::fstat(&namespace).ok().map(|stat| stat.st_ino as u32)
}

/// Gives the receive buffer back to the kernel's own tuning; what was said of the send buffer stays.
pub fn unlock(socket: BorrowedFd<'_>) -> io::Result<()> {
    let [bits] = option::<1>(socket, libc::SO_BUF_LOCK)?;
    let bits = bits & !RCVBUF_LOCK;
    // SAFETY: the pointer is to a u32 that lives across the call, and the length is its size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BUF_LOCK,
            (&raw const bits).cast(),
            size_of::<u32>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// An option of the socket level that is `N` words long. Words the kernel does not fill are 0.
fn option<const N: usize>(socket: BorrowedFd<'_>, name: c_int) -> io::Result<[u32; N]> {
    let mut words = [0_u32; N];
    let mut length = size_of::<[u32; N]>() as libc::socklen_t;
    // SAFETY: the pointer is to `length` bytes that live across the call; any bits are a valid u32; the kernel writes no
    // more than `length` bytes.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, words.as_mut_ptr().cast(), &raw mut length)
    };
    if result == 0 { Ok(words) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_datagram_is_charged_with_its_truesize() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(mem_info(receiver.as_fd()).unwrap().queued_bytes, 0);
        sender.send_to(&[0; 100], receiver.local_addr().unwrap()).unwrap();
        let info = mem_info(receiver.as_fd()).unwrap();
        assert!((500..2_000).contains(&info.queued_bytes), "far more than its 100 B: {info:?}");
        assert!(info.ceiling_bytes > 4_000);
    }

    #[test]
    fn a_socket_is_in_our_namespace() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let Some(netns) = netns(socket.as_fd()) else {
            eprintln!("SKIPPED: needs CAP_NET_ADMIN");
            return;
        };
        assert_eq!(u64::from(netns), fs_err::metadata("/proc/self/ns/net").unwrap().ino());
    }

    #[test]
    fn the_lock_shows_who_set_the_size() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let Some(locked) = is_locked(socket.as_fd()) else {
            eprintln!("SKIPPED: this kernel has no SO_BUF_LOCK (5.15)");
            return;
        };
        assert!(!locked);
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 8_192).unwrap();
        assert_eq!(is_locked(socket.as_fd()), Some(true));
        assert_eq!(mem_info(socket.as_fd()).unwrap().ceiling_bytes, 16_384, "the kernel doubles it");
        unlock(socket.as_fd()).unwrap();
        assert_eq!(is_locked(socket.as_fd()), Some(false));
    }
}
