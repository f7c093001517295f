//! An interface: what kind of link it is, and whether it is still there.
//!
//! It is asked through a socket that stays in the namespace the interface lies in, so that nothing has to be entered again
//! and no privilege is needed later.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// Hardware types of `linux/if_arp.h` whose frames begin with an Ethernet header.
const ETHERNET_TYPES: [u16; 2] = [libc::ARPHRD_ETHER, libc::ARPHRD_LOOPBACK];

/// See the module.
#[derive(Debug)]
pub(crate) struct Interface {
    socket: OwnedFd,
    name: String,
    index: i32,
    /// Frames begin with IP.
    pub(crate) is_raw: bool,
    /// Every packet passes it twice, out and in again.
    pub(crate) is_loopback: bool,
}

impl Interface {
    /// The interface `name` of the thread's network namespace.
    pub(crate) fn open(name: &str) -> io::Result<Self> {
        // SAFETY: takes integers only.
        let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and is nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut found = Self { socket, name: name.to_owned(), index: 0, is_raw: false, is_loopback: false };
        found.index = found.ask_index()?;
        let mut request = found.request()?;
        found.ioctl(libc::SIOCGIFFLAGS, &mut request)?;
        // SAFETY: SIOCGIFFLAGS has filled this field.
        found.is_loopback = i32::from(unsafe { request.ifr_ifru.ifru_flags }) & libc::IFF_LOOPBACK != 0;
        let mut request = found.request()?;
        found.ioctl(libc::SIOCGIFHWADDR, &mut request)?;
        // SAFETY: SIOCGIFHWADDR has filled this field.
        let hardware = unsafe { request.ifr_ifru.ifru_hwaddr.sa_family };
        found.is_raw = !ETHERNET_TYPES.contains(&hardware);
        Ok(found)
    }

    /// Whether it is still there and still the same one.
    pub(crate) fn is_there(&self) -> bool {
        self.ask_index().is_ok_and(|index| index == self.index)
    }

    fn ask_index(&self) -> io::Result<i32> {
        let mut request = self.request()?;
        self.ioctl(libc::SIOCGIFINDEX, &mut request)?;
        // SAFETY: SIOCGIFINDEX has filled this field.
        Ok(unsafe { request.ifr_ifru.ifru_ifindex })
    }

    fn request(&self) -> io::Result<libc::ifreq> {
        // SAFETY: all bytes zero are a valid request.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        let name = self.name.as_bytes();
        // One byte stays for the 0 at the end.
        if name.is_empty() || name.len() >= request.ifr_name.len() || name.contains(&0) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no name of an interface (1 to 15 bytes)"));
        }
        for (to, from) in request.ifr_name.iter_mut().zip(name) {
            *to = *from as libc::c_char;
        }
        Ok(request)
    }

    fn ioctl(&self, what: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
        // SAFETY: the request is valid for these calls, which read the name and write one field.
        if unsafe { libc::ioctl(self.socket.as_raw_fd(), what, std::ptr::from_mut(request)) } == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_there_and_others_are_not() {
        let loopback = Interface::open("lo").expect("every namespace has one");
        assert!(loopback.is_loopback && !loopback.is_raw && loopback.is_there());
        for name in ["", "no-such-if", "a-name-that-is-far-too-long"] {
            assert!(Interface::open(name).is_err(), "{name:?}");
        }
    }
}
