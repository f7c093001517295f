//! DNS (RFC 1035), multicast DNS (RFC 6762) and LLMNR (RFC 4795): the name of the first question.

use super::bytes::Cursor;
use super::{Finding, HostFinding, host};

const DNS: u16 = 53;
const MDNS: u16 = 5353;
const LLMNR: u16 = 5355;

const NAME_BYTES_MAX: usize = 255;
const LABEL_BYTES_MAX: u8 = 63;
const CLASS_IN: u16 = 1;
const CLASS_CHAOS: u16 = 3;
const CLASS_ANY: u16 = 255;
/// Records in one section beyond which a header is not believed without its port.
const RECORDS_MAX: u16 = 64;

/// A datagram that is DNS.
pub(crate) fn recognise(payload: &[u8], ports: (u16, u16)) -> Option<Finding> {
    let by_port = by_port(ports);
    let message = message_of(payload)?;
    let protocol = match by_port {
        Some(protocol) => protocol,
        // On an odd port only a header without any oddity, and a question, is believed.
        None if message.strict && message.name.is_some() => "dns",
        None => return None,
    };
    let host = match message.name {
        Some(name) => host::clean(&name),
        None => HostFinding::Later,
    };
    Some(Finding { protocol, host })
}

/// The same in a stream: two bytes of length first.
pub(crate) fn recognise_stream(payload: &[u8], ports: (u16, u16)) -> Option<Finding> {
    by_port(ports)?;
    let mut cursor = Cursor::new(payload);
    let size = cursor.u16()?;
    recognise(cursor.take_up_to(size.into()), ports)
}

struct Message {
    name: Option<Vec<u8>>,
    strict: bool,
}

fn by_port((src, dst): (u16, u16)) -> Option<&'static str> {
    [src, dst].into_iter().find_map(|port| match port {
        DNS => Some("dns"),
        MDNS => Some("mdns"),
        LLMNR => Some("llmnr"),
        _ => None,
    })
}

fn message_of(payload: &[u8]) -> Option<Message> {
    let mut cursor = Cursor::new(payload);
    cursor.u16()?;
    let flags = cursor.u16()?;
    let counts = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
    let opcode = flags >> 11 & 0xf;
    if opcode > 6 || counts.iter().all(|count| *count == 0) {
        return None;
    }
    if counts[0] == 0 {
        return Some(Message { name: None, strict: false });
    }
    let name = name_of(&mut cursor)?;
    let (_kind, class) = (cursor.u16()?, cursor.u16()? & 0x7fff);
    let class_known = matches!(class, CLASS_IN | CLASS_CHAOS | CLASS_ANY);
    if !class_known {
        return None;
    }
    let reserved = flags & 0x0040;
    let strict = opcode == 0
        && reserved == 0
        && counts[0] == 1
        && counts[1..].iter().all(|count| *count <= RECORDS_MAX)
        && name.contains(&b'.');
    Some(Message { name: Some(name), strict })
}

/// Labels joined with dots. A question holds no compressed name, since nothing stands before it.
fn name_of(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    loop {
        let size = cursor.u8()?;
        if size == 0 {
            return Some(name);
        }
        if size > LABEL_BYTES_MAX {
            return None;
        }
        if !name.is_empty() {
            name.push(b'.');
        }
        name.extend_from_slice(cursor.take(size.into())?);
        if name.len() > NAME_BYTES_MAX {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03WwW\x07example\x03com\x00\x00\x01\x00\x01";

    #[test]
    fn the_question_is_the_host() {
        let found = recognise(QUERY, (40_000, 53)).unwrap();
        assert_eq!(found, Finding { protocol: "dns", host: HostFinding::Name("www.example.com".to_owned()) });
        assert_eq!(recognise(QUERY, (5353, 5353)).unwrap().protocol, "mdns");
        assert_eq!(recognise(QUERY, (40_000, 40_001)).unwrap().protocol, "dns");
    }

    #[test]
    fn pointers_cuts_and_noise_give_nothing() {
        let mut pointer = QUERY.to_vec();
        pointer[12] = 0xc0;
        assert_eq!(recognise(&pointer, (1, 53)), None);
        for end in 0..QUERY.len() {
            assert_eq!(recognise(&QUERY[..end], (1, 53)), None);
        }
    }

    #[test]
    fn streams_have_a_length_first() {
        let mut stream = (QUERY.len() as u16).to_be_bytes().to_vec();
        stream.extend(QUERY);
        assert_eq!(recognise_stream(&stream, (1, 53)).unwrap().protocol, "dns");
    }
}
