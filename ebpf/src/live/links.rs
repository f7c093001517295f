//! Which interfaces a network namespace has, and when that changes (rtnetlink(7)).
//!
//! Two sockets, opened once in the namespace: one is asked, one is told. Needs no privilege.
//!
//! **Which are counted.** A packet for a program of this machine shall be counted once. So an interface that hands its packets on whole to
//! another one of the namespace is left out where that one counts them: ports of a bridge, a bond or a team (their master
//! sees them), and VLANs and macvlans (the interface below does).
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// Bytes of `struct nlmsghdr` and `struct ifinfomsg`.
const HEADER_BYTES: usize = 16;
/// See [`HEADER_BYTES`].
const INFO_BYTES: usize = 16;
/// The kernel answers in pieces of at most 32 KiB.
const READ_BYTES: usize = 64 * 1024;
/// Most pieces of an answer.
const PIECES_MAX: usize = 4096;

/// `linux/if_link.h`.
const IFLA_IFNAME: u16 = 3;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_LINK_NETNSID: u16 = 37;
/// The type bits of an attribute; the others are flags.
const TYPE_MASK: u16 = 0x3fff;

/// Hardware types (`linux/if_arp.h`) whose frames begin with IP: none, PPP, raw IP, IP in IP, IPv6 in IPv4, GRE.
const RAW_TYPES: [u16; 8] = [0xfffe, 512, 519, 768, 769, 776, 778, 823];

/// Kinds of interfaces whose packets the one below them sees as well, with the same headers.
const ABOVE_KINDS: [&str; 3] = ["vlan", "macvlan", "ipvlan"];

/// What frames begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Medium {
    /// An Ethernet header.
    Ethernet,
    /// The IP header.
    Ip,
    /// Something that is not read.
    #[default]
    Other,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: i32,
    pub(crate) name: String,
    pub(crate) is_up: bool,
    pub(crate) is_loopback: bool,
    pub(crate) medium: Medium,
    kind: String,
    master: Option<i32>,
    /// The interface below, of the same namespace.
    below: Option<i32>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Links {
    asked: OwnedFd,
    told: OwnedFd,
    buffer: Vec<u8>,
}

impl Links {
    /// Of the thread's network namespace.
    pub(crate) fn open() -> io::Result<Self> {
        let asked = socket(0)?;
        let told = socket(libc::RTMGRP_LINK as u32)?;
        Ok(Self { asked, told, buffer: vec![0; READ_BYTES] })
    }

    /// Whether anything changed since the last call.
    pub(crate) fn have_changed(&mut self) -> bool {
        let mut is_changed = false;
        for _ in 0..PIECES_MAX {
            match receive(&self.told, &mut self.buffer, libc::MSG_DONTWAIT) {
                Ok(_) => is_changed = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return is_changed,
                // More than the socket could hold: something did.
                Err(_) => return true,
            }
        }
        true
    }

    /// All interfaces.
    pub(crate) fn list(&mut self) -> io::Result<Vec<Link>> {
        let mut request = [0_u8; HEADER_BYTES + INFO_BYTES];
        request[0..4].copy_from_slice(&((HEADER_BYTES + INFO_BYTES) as u32).to_ne_bytes());
        request[4..6].copy_from_slice(&libc::RTM_GETLINK.to_ne_bytes());
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
        request[6..8].copy_from_slice(&flags.to_ne_bytes());
        // SAFETY: the pointer is to as many bytes as said, which live over the call.
        let sent = unsafe { libc::send(self.asked.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
        if sent < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut links = Vec::new();
        for _ in 0..PIECES_MAX {
            let bytes = receive(&self.asked, &mut self.buffer, 0)?;
            if read_piece(&self.buffer[..bytes], &mut links)? {
                return Ok(links);
            }
        }
        Err(io::Error::other("the list of interfaces does not end"))
    }
}

/// Those of `links` on which arrivals are counted so that each packet counts once.
pub(crate) fn counted(links: &[Link]) -> Vec<&Link> {
    let of = |index: i32| links.iter().find(|link| link.index == index);
    let is_counted = |link: &Link| {
        // A VRF is a master that never sees its ports' packets as they come in.
        let is_seen_above = link.master.and_then(of).is_some_and(|master| master.is_up && master.kind != "vrf");
        link.is_up && link.medium != Medium::Other && !is_seen_above
    };
    let is_seen_below = |link: &Link| {
        let below = link.below.filter(|_| ABOVE_KINDS.contains(&link.kind.as_str())).and_then(of);
        below.is_some_and(is_counted)
    };
    links.iter().filter(|link| is_counted(link) && !is_seen_below(link)).collect()
}

fn socket(groups: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes integers only.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and is nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: all bytes zero are a valid address.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_groups = groups;
    let size = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the pointer is to an address of the size that is said.
    let bound = unsafe { libc::bind(fd, (&raw const address).cast(), size) };
    if bound == 0 { Ok(socket) } else { Err(io::Error::last_os_error()) }
}

fn receive(socket: &OwnedFd, buffer: &mut [u8], flags: libc::c_int) -> io::Result<usize> {
    // SAFETY: the pointer is to as many bytes as said, which nothing else uses over the call.
    let bytes = unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
    if bytes < 0 { Err(io::Error::last_os_error()) } else { Ok(bytes as usize) }
}

/// Reads one piece of an answer; whether it is the last.
fn read_piece(mut piece: &[u8], links: &mut Vec<Link>) -> io::Result<bool> {
    while let Some(length) = word(piece, 0) {
        let Some(message) = piece.get(HEADER_BYTES..length as usize) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a list of interfaces is cut off"));
        };
        match i32::from(u16::from_ne_bytes([piece[4], piece[5]])) {
            libc::NLMSG_DONE => return Ok(true),
            libc::NLMSG_ERROR => {
                let code = word(message, 0).unwrap_or(0) as i32;
                return Err(io::Error::from_raw_os_error(code.saturating_neg()));
            }
            _ => links.extend(link_of(message)),
        }
        piece = piece.get((length as usize).next_multiple_of(4)..).unwrap_or(&[]);
    }
    Ok(false)
}

fn link_of(message: &[u8]) -> Option<Link> {
    let flags = word(message, 8)?;
    let hardware = u16::from_ne_bytes([*message.get(2)?, *message.get(3)?]);
    let medium = match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Medium::Ethernet,
        other if RAW_TYPES.contains(&other) => Medium::Ip,
        _ => Medium::Other,
    };
    let has = |flag: libc::c_int| flags & flag as u32 != 0;
    let mut link = Link {
        index: word(message, 4)? as i32,
        is_up: has(libc::IFF_UP),
        is_loopback: has(libc::IFF_LOOPBACK),
        medium,
        ..Link::default()
    };
    let mut is_elsewhere = false;
    for (kind, value) in attributes(message.get(INFO_BYTES..)?) {
        match kind {
            IFLA_IFNAME => link.name = text(value),
            IFLA_LINK => link.below = word(value, 0).map(|index| index as i32),
            IFLA_MASTER => link.master = word(value, 0).map(|index| index as i32),
            IFLA_LINK_NETNSID => is_elsewhere = true,
            IFLA_LINKINFO => {
                link.kind = attributes(value)
                    .find(|(kind, _)| *kind == IFLA_INFO_KIND)
                    .map(|(_, value)| text(value))
                    .unwrap_or_default();
            }
            _ => {}
        }
    }
    link.below = link.below.filter(|_| !is_elsewhere);
    Some(link)
}

fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let header = bytes.get(..4)?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & TYPE_MASK;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((kind, value))
    })
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|byte| *byte == 0).next().unwrap_or(&[])).into_owned()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_listed() {
        let links = Links::open().and_then(|mut links| links.list()).expect("every namespace has one");
        let loopback = links.iter().find(|link| link.name == "lo").expect("the loopback");
        assert!(loopback.is_loopback && loopback.medium == Medium::Ethernet && loopback.index > 0);
    }

    #[test]
    fn a_packet_that_passes_two_interfaces_is_counted_on_one() {
        let link = |index: i32, kind: &str| Link {
            index,
            kind: kind.to_owned(),
            is_up: true,
            medium: Medium::Ethernet,
            ..Link::default()
        };
        let links = [
            link(1, ""),
            Link { master: Some(3), ..link(2, "veth") },
            link(3, "bridge"),
            Link { below: Some(1), ..link(4, "vlan") },
            Link { master: Some(6), ..link(5, "") },
            link(6, "vrf"),
            Link { below: Some(2), ..link(7, "vlan") },
            Link { is_up: false, ..link(8, "") },
            Link { below: Some(1), ..link(9, "gre") },
            Link { medium: Medium::Other, ..link(10, "nlmon") },
            Link { below: None, ..link(11, "macvlan") },
        ];
        let places: Vec<i32> = counted(&links).iter().map(|link| link.index).collect();
        assert_eq!(places, [1, 3, 5, 6, 7, 9, 11]);
    }

    #[test]
    fn what_is_cut_off_is_an_error_and_no_panic() {
        let mut piece = 100_u32.to_ne_bytes().to_vec();
        piece.resize(40, 0);
        assert!(read_piece(&piece, &mut Vec::new()).is_err());
        assert!(!read_piece(&[], &mut Vec::new()).expect("nothing is no error"));
        assert_eq!(link_of(&[0; 8]), None);
    }
}
