//! One question and its answers over netlink (RFC 3549; `include/uapi/linux/netlink.h`).
//!
//! **Limits.** An answer of more than [`MESSAGES_MAX`] messages, or one that does not come within [`WAIT`], is an error. What
//! the kernel sends is checked for length before it is read.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

/// `NLM_F_REQUEST`.
pub const REQUEST: u16 = 0x01;
/// `NLM_F_ACK`.
pub const ACK: u16 = 0x04;
/// `NLM_F_ROOT | NLM_F_MATCH`: everything there is.
pub const DUMP: u16 = 0x300;

/// Most messages of one answer.
const MESSAGES_MAX: usize = 1 << 20;

/// Bytes read at once; the kernel sends at most 32 KiB.
const READ_BYTES: usize = 64 * 1024;

/// How long an answer may take.
const WAIT: Duration = Duration::from_secs(2);

const HEADER_BYTES: usize = 16;
const TYPE_ERROR: u16 = 2;
const TYPE_DONE: u16 = 3;

/// A netlink socket. It belongs to the network namespace of the thread that opened it, wherever it is used.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens a socket of `protocol` (none is routing).
    pub fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(WAIT))?;
        Ok(Self { socket, sequence: 0, buffer: vec![0; READ_BYTES] })
    }

    /// Asks, and hands the body of each message of the answer to `each`.
    pub fn ask(&mut self, kind: u16, flags: u16, body: &[u8], mut each: impl FnMut(&[u8])) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let length = (HEADER_BYTES + body.len()) as u32;
        let mut request = Vec::with_capacity(length as usize);
        request.extend_from_slice(&length.to_ne_bytes());
        request.extend_from_slice(&kind.to_ne_bytes());
        request.extend_from_slice(&flags.to_ne_bytes());
        request.extend_from_slice(&self.sequence.to_ne_bytes());
        request.extend_from_slice(&0_u32.to_ne_bytes());
        request.extend_from_slice(body);
        send(&self.socket, &request, SendFlags::empty())?;
        for _ in 0..MESSAGES_MAX {
            let (bytes, _) = recv(&self.socket, &mut self.buffer[..], RecvFlags::empty())?;
            if messages(&self.buffer[..bytes], self.sequence, &mut each)? {
                return Ok(());
            }
        }
        Err(io::Error::other("netlink: the answer does not end"))
    }
}

/// Reads one datagram; whether it ends the answer.
fn messages(mut datagram: &[u8], sequence: u32, each: &mut impl FnMut(&[u8])) -> io::Result<bool> {
    while datagram.len() >= HEADER_BYTES {
        let length = word(datagram, 0) as usize;
        let Some(body) = datagram.get(HEADER_BYTES..length) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "netlink: a message is cut off"));
        };
        let kind = u16::from_ne_bytes([datagram[4], datagram[5]]);
        // Answers to a question that was given up earlier may still lie in the queue.
        if word(datagram, 8) == sequence {
            match kind {
                TYPE_DONE => return Ok(true),
                TYPE_ERROR => {
                    return match word(body, 0) as i32 {
                        0 => Ok(true),
                        code => Err(io::Error::from_raw_os_error(code.saturating_neg())),
                    };
                }
                _ => each(body),
            }
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    Ok(false)
}

/// The word at `offset` in the byte order of the machine; 0 beyond the end.
pub fn word(bytes: &[u8], offset: usize) -> u32 {
    bytes.get(offset..offset + 4).map_or(0, |word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
}

/// The attributes of a message from `offset` on, as type and payload.
pub fn attributes(body: &[u8], offset: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = body.get(offset..).unwrap_or(&[]);
    std::iter::from_fn(move || {
        let header = rest.get(..4)?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]);
        let payload = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((kind, payload))
    })
}

/// Appends one attribute.
pub fn push_attribute(body: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    body.extend_from_slice(&((payload.len() + 4) as u16).to_ne_bytes());
    body.extend_from_slice(&kind.to_ne_bytes());
    body.extend_from_slice(payload);
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_back_and_a_cut_one_ends_them() {
        let mut body = vec![0; 8];
        push_attribute(&mut body, 3, b"pfifo\0");
        push_attribute(&mut body, 9, &[1, 2, 3, 4]);
        let read: Vec<_> = attributes(&body, 8).collect();
        assert_eq!(read, [(3, &b"pfifo\0"[..]), (9, &[1, 2, 3, 4][..])]);
        assert_eq!(attributes(&body[..body.len() - 1], 8).count(), 1);
        assert_eq!(attributes(&[0, 0, 0, 0], 0).count(), 0, "a length of nothing does not go on for ever");
    }

    #[test]
    fn a_message_that_says_it_is_longer_is_refused() {
        let mut datagram = 100_u32.to_ne_bytes().to_vec();
        datagram.resize(HEADER_BYTES, 0);
        assert!(messages(&datagram, 0, &mut |_| ()).is_err());
    }
}
