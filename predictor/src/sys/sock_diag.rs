//! Which sockets have a local port, asked of the kernel (`include/uapi/linux/inet_diag.h`).
//!
//! Needs no capability. Sockets of the network namespace that the [`Netlink`] was opened in.

use std::io;

use super::netlink::{DUMP, Netlink, REQUEST, word};

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;

/// Bytes of `struct inet_diag_msg`; the inode is its last word.
const MESSAGE_BYTES: usize = 72;
const INODE_OFFSET: usize = 68;

/// `TCP_LISTEN` as a bit of states.
const LISTENING: u32 = 1 << 10;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP sockets.
    Udp,
    /// TCP sockets that listen. Connections are not dumped: a walk over all of them costs milliseconds on a busy server.
    TcpListeners,
}

/// Puts the inodes of all sockets with local port `port` into `inodes`, IPv4 and IPv6.
pub fn with_port(netlink: &mut Netlink, transport: Transport, port: u16, inodes: &mut Vec<u64>) -> io::Result<()> {
    let (protocol, states) = match transport {
        Transport::Udp => (libc::IPPROTO_UDP, u32::MAX),
        Transport::TcpListeners => (libc::IPPROTO_TCP, LISTENING),
    };
    for family in [libc::AF_INET, libc::AF_INET6] {
        let request = request(family as u8, protocol as u8, states, port);
        netlink.ask(BY_FAMILY, REQUEST | DUMP, &request, |body| {
            let has_port = body.get(4..6).is_some_and(|sport| sport == port.to_be_bytes());
            if body.len() >= MESSAGE_BYTES && has_port {
                inodes.push(u64::from(word(body, INODE_OFFSET)));
            }
        })?;
    }
    // A dual-stack socket answers to both families.
    inodes.sort_unstable();
    inodes.dedup();
    Ok(())
}

/// `struct inet_diag_req_v2` for a dump by source port.
fn request(family: u8, protocol: u8, states: u32, port: u16) -> [u8; 56] {
    let mut request = [0; 56];
    request[0] = family;
    request[1] = protocol;
    request[4..8].copy_from_slice(&states.to_ne_bytes());
    request[8..10].copy_from_slice(&port.to_be_bytes());
    request
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsFd as _;

    use rustix::net::netlink::SOCK_DIAG;

    use super::*;

    fn inode(socket: impl std::os::fd::AsFd) -> u64 {
        rustix::fs::fstat(socket.as_fd()).unwrap().st_ino
    }

    #[test]
    fn sockets_are_found_by_their_port_and_others_are_not() {
        let mut netlink = Netlink::open(Some(SOCK_DIAG)).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let six = UdpSocket::bind("[::]:0").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut find = |transport, port| {
            let mut inodes = Vec::new();
            with_port(&mut netlink, transport, port, &mut inodes).unwrap();
            inodes
        };
        assert_eq!(find(Transport::Udp, udp.local_addr().unwrap().port()), [inode(&udp)]);
        assert_eq!(find(Transport::Udp, six.local_addr().unwrap().port()), [inode(&six)]);
        let port = listener.local_addr().unwrap().port();
        assert_eq!(find(Transport::TcpListeners, port), [inode(listener.as_fd())]);
        assert_eq!(find(Transport::TcpListeners, udp.local_addr().unwrap().port()), [0_u64; 0]);
    }
}
