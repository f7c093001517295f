//! Stream protocols that begin with a binary header, each recognised by fields that must hold fixed values.

/// Names that [`recognise`] gives.
#[cfg(test)]
pub(crate) const NAMES: [&str; 14] = [
    "smb",
    "rdp",
    "mysql",
    "postgresql",
    "mongodb",
    "mqtt",
    "amqp",
    "bittorrent",
    "telnet",
    "dnp3",
    "modbus",
    "s7comm",
    "ldap",
    "enip",
];

type Check = fn(&[u8], (u16, u16)) -> bool;

const CHECKS: [(Check, &str); 14] = [
    (is_smb, "smb"),
    (is_s7comm, "s7comm"),
    (is_rdp, "rdp"),
    (is_mysql, "mysql"),
    (is_postgresql, "postgresql"),
    (is_mongodb, "mongodb"),
    (is_mqtt, "mqtt"),
    (is_amqp, "amqp"),
    (is_bittorrent, "bittorrent"),
    (is_telnet, "telnet"),
    (is_dnp3, "dnp3"),
    (is_modbus, "modbus"),
    (is_ldap, "ldap"),
    (is_enip, "enip"),
];

/// The protocol whose header `payload` begins with.
pub(crate) fn recognise(payload: &[u8], ports: (u16, u16)) -> Option<&'static str> {
    CHECKS.iter().find(|(check, _)| check(payload, ports)).map(|(_, name)| *name)
}

fn on((src, dst): (u16, u16), port: u16) -> bool {
    src == port || dst == port
}

fn be32(payload: &[u8], at: usize) -> Option<u32> {
    payload.get(at..at + 4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn le32(payload: &[u8], at: usize) -> Option<u32> {
    be32(payload, at).map(u32::swap_bytes)
}

/// A `NetBIOS` session header, then the mark of SMB 1, 2, 3 or its encrypted form (MS-SMB2).
fn is_smb(payload: &[u8], _: (u16, u16)) -> bool {
    payload.first() == Some(&0) && matches!(payload.get(4..8), Some([0xfd..=0xff, b'S', b'M', b'B']))
}

/// TPKT and a connection request or confirm of X.224 (MS-RDPBCGR, section 2.2.1).
fn is_rdp(payload: &[u8], ports: (u16, u16)) -> bool {
    let request = matches!(payload.get(..7), Some([3, 0, _, _, _, 0xe0 | 0xd0, 0]));
    let cookie = payload.get(11..).is_some_and(|rest| rest.starts_with(b"Cookie: mstshash="));
    request && (cookie || on(ports, 3389))
}

/// TPKT over its own port carries S7 communication.
fn is_s7comm(payload: &[u8], ports: (u16, u16)) -> bool {
    on(ports, 102) && matches!(payload.get(..2), Some([3, 0]))
}

/// The server's greeting: 3 bytes of length, sequence 0, protocol 10, a version that begins with a digit.
fn is_mysql(payload: &[u8], _: (u16, u16)) -> bool {
    matches!(payload.get(..6), Some([_, _, 0, 0, 10, b'0'..=b'9']))
        && payload[6..].iter().take(80).any(|byte| *byte == 0)
}

/// A startup message of version 3, or a request for TLS.
fn is_postgresql(payload: &[u8], _: (u16, u16)) -> bool {
    const TLS_REQUEST: u32 = 80_877_103;
    let size = be32(payload, 0);
    match be32(payload, 4) {
        Some(0x0003_0000) => size.is_some_and(|size| (9..10_000).contains(&size)),
        Some(TLS_REQUEST) => size == Some(8),
        _ => false,
    }
}

/// The message header of the wire protocol: a length that holds the header, and a known operation.
fn is_mongodb(payload: &[u8], _: (u16, u16)) -> bool {
    let size_fits = le32(payload, 0).is_some_and(|size| (16..48_000_001).contains(&size));
    size_fits && matches!(le32(payload, 12), Some(1 | 2004 | 2010 | 2011 | 2012 | 2013))
}

/// CONNECT with the protocol's name.
fn is_mqtt(payload: &[u8], _: (u16, u16)) -> bool {
    payload.first() == Some(&0x10)
        && payload.get(2..14).is_some_and(|head| {
            head.windows(6).any(|window| window == b"\0\x04MQTT")
                || head.windows(8).any(|window| window == b"\0\x06MQIsdp")
        })
}

fn is_amqp(payload: &[u8], _: (u16, u16)) -> bool {
    payload.len() >= 8 && payload.starts_with(b"AMQP")
}

fn is_bittorrent(payload: &[u8], _: (u16, u16)) -> bool {
    payload.starts_with(b"\x13BitTorrent protocol")
}

/// Options are negotiated first (RFC 854): IAC and WILL, WONT, DO or DONT.
fn is_telnet(payload: &[u8], _: (u16, u16)) -> bool {
    matches!(payload.get(..3), Some([0xff, 0xfb..=0xfe, 0..=49]))
}

fn is_dnp3(payload: &[u8], _: (u16, u16)) -> bool {
    payload.len() >= 10 && payload.starts_with(b"\x05\x64")
}

/// Protocol identifier 0, a length that fits, on its port.
fn is_modbus(payload: &[u8], ports: (u16, u16)) -> bool {
    let Some([_, _, 0, 0, high, low, _, _]) = payload.get(..8) else { return false };
    on(ports, 502) && (2..=254).contains(&u16::from_be_bytes([*high, *low]))
}

/// A sequence with a message number and a bind or search request, on its port (RFC 4511).
fn is_ldap(payload: &[u8], ports: (u16, u16)) -> bool {
    let marked = payload.first() == Some(&0x30)
        && payload.get(..10).is_some_and(|head| {
            head.windows(4).any(|window| window[..2] == [2, 1] && matches!(window[3], 0x60..=0x65))
        });
    marked && (on(ports, 389) || on(ports, 3268))
}

/// Register session, or send data, with a zero status.
fn is_enip(payload: &[u8], ports: (u16, u16)) -> bool {
    on(ports, 44_818)
        && payload.len() >= 24
        && payload[8..12] == [0; 4]
        && matches!(payload[..2], [0x63..=0x66 | 0x6f | 0x70 | 4, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_settle_the_name() {
        let of = |payload: &[u8]| recognise(payload, (40_000, 50_000));
        assert_eq!(of(b"\x4a\0\0\0\x0a8.0.36\0rest"), Some("mysql"));
        assert_eq!(of(b"\0\0\0\x08\x04\xd2\x16\x2f"), Some("postgresql"));
        assert_eq!(of(b"\0\0\0\x45\xfeSMB\x40\0"), Some("smb"));
        assert_eq!(of(b"\x10\x0c\0\x04MQTT\x05\x02"), None, "too short to be a whole CONNECT");
        assert_eq!(of(b"\x10\x10\0\x04MQTT\x05\x02\0\x3c\0\0\0\x03abc"), Some("mqtt"));
        assert_eq!(of(b""), None);
        assert!(CHECKS.iter().all(|(_, name)| NAMES.contains(name)));
    }
}
