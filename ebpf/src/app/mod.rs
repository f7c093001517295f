//! What a flow speaks and with which host, found in its first payloads.
//!
//! **Promise.** A name is given only where the payload shows it (a TLS hello, an HTTP request line, a DNS header, a
//! banner); ports alone decide nothing, they only back up the short headers of a few datagram protocols. Host names
//! are those of TLS SNI, HTTP Host and the first DNS question; they are untrusted text, and are cleaned ([`host`]).
//!
//! **Limits.** At most six payloads of a flow are looked at, each as it lies in its packet: nothing is reassembled, so that
//! a name in the second segment of a long TLS hello is not found. QUIC is recognised, its encrypted hello is not read.
//! Every loop is bounded by the packet.

mod banner;
mod binary;
mod bytes;
mod datagram;
mod dns;
mod host;
mod http;
mod tls;

use crate::packet::Packet;
use crate::table::Entry;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// What was found out about one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppFacts {
    /// A name of `event::service::SERVICES`.
    pub(crate) protocol: &'static str,
    pub(crate) host: Option<Box<str>>,
}

/// What one payload shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    protocol: &'static str,
    host: HostFinding,
}

/// Where the host name stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HostFinding {
    /// This protocol names no host, or this flow's has been passed: looking further is no use.
    Never,
    /// Not in this payload; it may be in a later one.
    Later,
    /// Here, cleaned.
    Name(String),
    /// Here, and too long to keep.
    TooLong,
}

/// Looks at the payload of `packet`; says how many more are to be looked at.
pub(crate) fn probe(entry: &mut Entry, packet: &Packet, frame: &[u8], too_long: &mut u64) -> u8 {
    let left = entry.probes_left - 1;
    let payload = packet.payload(frame);
    let ports = (packet.src_port(), packet.dst_port());
    let finding = match packet.protocol() {
        TCP => stream(payload, ports),
        UDP => datagram::recognise(payload, ports),
        _ => return 0,
    };
    let Some(finding) = finding else { return left };
    // The first name stands; a later payload may only add the host to it.
    let facts = entry.app.get_or_insert_with(|| Box::new(AppFacts { protocol: finding.protocol, host: None }));
    if facts.protocol != finding.protocol {
        return left;
    }
    match finding.host {
        HostFinding::Later => left,
        HostFinding::Never => 0,
        HostFinding::Name(name) => {
            facts.host = Some(name.into_boxed_str());
            0
        }
        HostFinding::TooLong => {
            *too_long += 1;
            0
        }
    }
}

fn stream(payload: &[u8], ports: (u16, u16)) -> Option<Finding> {
    tls::recognise(payload)
        .or_else(|| http::recognise(payload))
        .or_else(|| banner::recognise(payload).map(nameless))
        .or_else(|| binary::recognise(payload, ports).map(nameless))
        .or_else(|| dns::recognise_stream(payload, ports))
}

fn nameless(protocol: &'static str) -> Finding {
    Finding { protocol, host: HostFinding::Never }
}

#[cfg(test)]
mod tests {
    use forebay_event::service::place_of;

    use super::*;

    #[test]
    fn every_name_given_is_one_the_models_know() {
        let names = banner::NAMES.iter().chain(&binary::NAMES).chain(&datagram::NAMES);
        for name in names.chain(&["tls", "http", "dns", "mdns", "llmnr"]) {
            assert!(place_of(name).is_some(), "{name} is not in the table of services");
        }
    }

    #[test]
    fn streams_are_told_apart() {
        let of = |payload: &[u8]| stream(payload, (40_000, 50_000)).map(|finding| finding.protocol);
        assert_eq!(of(b"SSH-2.0-OpenSSH_9.2\r\n"), Some("ssh"));
        assert_eq!(of(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), Some("http"));
        assert_eq!(of(b"220 mail.example ESMTP Postfix\r\n"), Some("smtp"));
        assert_eq!(of(b"220 (vsFTPd 3.0.3)\r\n"), Some("ftp"));
        assert_eq!(of(b"\x00\x00\x00\x01\x00random"), None);
        assert_eq!(of(b""), None);
    }
}
