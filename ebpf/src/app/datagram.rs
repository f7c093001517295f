//! Protocols over UDP, each recognised by fields that must hold fixed values.

use super::{Finding, dns, nameless};

/// Names that [`recognise`] gives, apart from those of DNS.
#[cfg(test)]
pub(crate) const NAMES: [&str; 16] = [
    "quic",
    "stun",
    "dhcp",
    "ntp",
    "snmp",
    "ssdp",
    "sip",
    "wireguard",
    "syslog",
    "tftp",
    "radius",
    "netbios",
    "coap",
    "netflow",
    "bacnet",
    "rtp",
];

type Check = fn(&[u8], (u16, u16)) -> bool;

const CHECKS: [(Check, &str); 15] = [
    (is_stun, "stun"),
    (is_quic, "quic"),
    (is_dhcp, "dhcp"),
    (is_ssdp, "ssdp"),
    (is_sip, "sip"),
    (is_wireguard, "wireguard"),
    (is_ntp, "ntp"),
    (is_snmp, "snmp"),
    (is_syslog, "syslog"),
    (is_tftp, "tftp"),
    (is_radius, "radius"),
    (is_netbios, "netbios"),
    (is_coap, "coap"),
    (is_netflow, "netflow"),
    (is_bacnet, "bacnet"),
];

/// What the datagram `payload` shows.
pub(crate) fn recognise(payload: &[u8], ports: (u16, u16)) -> Option<Finding> {
    let by_header = CHECKS.iter().find(|(check, _)| check(payload, ports)).map(|(_, name)| nameless(name));
    by_header.or_else(|| dns::recognise(payload, ports))
}

fn on((src, dst): (u16, u16), port: u16) -> bool {
    src == port || dst == port
}

/// The magic cookie, and two zero bits first (RFC 8489).
fn is_stun(payload: &[u8], _: (u16, u16)) -> bool {
    payload.len() >= 20 && payload[0] < 4 && payload[4..8] == [0x21, 0x12, 0xa4, 0x42]
}

/// A long header (RFC 8999) of a version that is spoken: 1, 2, a draft, or Google's.
fn is_quic(payload: &[u8], _: (u16, u16)) -> bool {
    let Some([first, version @ .., id]) = payload.get(..6) else { return false };
    let known = matches!(version, [0, 0, 0, 1] | [0x6b, 0x33, 0x43, 0xcf] | [0xff, 0, 0, _] | [b'Q', b'0', _, _]);
    first & 0xc0 == 0xc0 && known && *id <= 20 && payload.len() >= 30
}

/// The magic cookie of BOOTP options (RFC 2131).
fn is_dhcp(payload: &[u8], ports: (u16, u16)) -> bool {
    let four = payload.len() >= 240 && matches!(payload[0], 1 | 2) && payload[236..240] == [0x63, 0x82, 0x53, 0x63];
    let six = matches!(ports, (546, 547) | (547, 546 | 547)) && matches!(payload.first(), Some(1..=13));
    four || six
}

fn is_ssdp(payload: &[u8], _: (u16, u16)) -> bool {
    payload.starts_with(b"M-SEARCH * HTTP/1.") || payload.starts_with(b"NOTIFY * HTTP/1.")
}

fn is_sip(payload: &[u8], _: (u16, u16)) -> bool {
    super::banner::recognise(payload) == Some("sip")
}

/// A handshake: type, three zero bytes, and its exact length (the `WireGuard` paper, section 5.4).
fn is_wireguard(payload: &[u8], _: (u16, u16)) -> bool {
    matches!((payload.get(..4), payload.len()), (Some([1, 0, 0, 0]), 148) | (Some([2, 0, 0, 0]), 92))
}

/// 48 bytes at least, a version of 1 to 4 and a mode, on its port (RFC 5905).
fn is_ntp(payload: &[u8], ports: (u16, u16)) -> bool {
    on(ports, 123) && payload.len() >= 48 && (1..=4).contains(&(payload[0] >> 3 & 7)) && payload[0] & 7 != 0
}

/// A sequence that begins with the version (RFC 3416).
fn is_snmp(payload: &[u8], ports: (u16, u16)) -> bool {
    let versioned = payload.first() == Some(&0x30)
        && payload.get(1..8).is_some_and(|head| head.windows(3).any(|window| matches!(window, [2, 1, 0 | 1 | 3])));
    versioned && (on(ports, 161) || on(ports, 162))
}

/// `<priority>` and text, on its port (RFC 5424).
fn is_syslog(payload: &[u8], ports: (u16, u16)) -> bool {
    let digits = payload.iter().skip(1).take(3).take_while(|byte| byte.is_ascii_digit()).count();
    on(ports, 514) && payload.first() == Some(&b'<') && digits > 0 && payload.get(digits + 1) == Some(&b'>')
}

/// A read or write request with a mode (RFC 1350).
fn is_tftp(payload: &[u8], ports: (u16, u16)) -> bool {
    let request = matches!(payload.get(..2), Some([0, 1 | 2]));
    let moded = |mode: &[u8]| payload.to_ascii_lowercase().windows(mode.len()).any(|window| window == mode);
    on(ports, 69) && request && (moded(b"\0octet\0") || moded(b"\0netascii\0"))
}

/// A known code and the datagram's own length, on its port (RFC 2865).
fn is_radius(payload: &[u8], ports: (u16, u16)) -> bool {
    let Some([1..=5 | 11, _, high, low]) = payload.get(..4) else { return false };
    let size = usize::from(u16::from_be_bytes([*high, *low]));
    (on(ports, 1812) || on(ports, 1813)) && size >= 20 && size <= payload.len()
}

/// A name of 32 letters (RFC 1002), on its ports.
fn is_netbios(payload: &[u8], ports: (u16, u16)) -> bool {
    (on(ports, 137) && payload.get(12) == Some(&32)) || (on(ports, 138) && matches!(payload.first(), Some(0x10..=0x16)))
}

/// Version 1 and a token of at most 8 bytes, on its port (RFC 7252).
fn is_coap(payload: &[u8], ports: (u16, u16)) -> bool {
    on(ports, 5683) && payload.len() >= 4 && payload[0] >> 6 == 1 && payload[0] & 0xf <= 8
}

/// `NetFlow` 5 or 9, or IPFIX with the datagram's own length, on its ports.
fn is_netflow(payload: &[u8], ports: (u16, u16)) -> bool {
    let version = matches!(payload.get(..2), Some([0, 5 | 9 | 10]));
    version && payload.len() >= 16 && [2055, 4739, 9995, 9996].iter().any(|port| on(ports, *port))
}

/// The virtual link's mark, on its port.
fn is_bacnet(payload: &[u8], ports: (u16, u16)) -> bool {
    on(ports, 47_808) && matches!(payload.get(..2), Some([0x81, 0..=0x0c]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_settle_the_name() {
        let of = |payload: &[u8], ports| recognise(payload, ports).map(|finding| finding.protocol);
        let mut wireguard = vec![1, 0, 0, 0];
        wireguard.resize(148, 7);
        assert_eq!(of(&wireguard, (1, 2)), Some("wireguard"));
        assert_eq!(of(&wireguard[..147], (1, 2)), None);
        assert_eq!(of(b"<34>Oct 11 22:14:15 su: failed", (5000, 514)), Some("syslog"));
        assert_eq!(of(b"M-SEARCH * HTTP/1.1\r\n", (1, 1900)), Some("ssdp"));
        assert_eq!(of(&[0x1b; 48], (123, 9)), Some("ntp"));
        assert_eq!(of(&[0x1b; 48], (124, 9)), None);
        assert!(CHECKS.iter().all(|(_, name)| NAMES.contains(name)));
    }
}
