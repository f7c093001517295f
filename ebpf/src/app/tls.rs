//! TLS (RFC 8446): the first record of a connection, and the server name of a client's hello (RFC 6066, section 3).

use super::bytes::Cursor;
use super::{Finding, HostFinding, host};

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;
/// Longest record: 2^14 bytes and what encryption may add in old versions.
const RECORD_BYTES_MAX: u16 = 16_384 + 2_048;

/// Whether `payload` begins with a TLS hello, and whom it names.
pub(crate) fn recognise(payload: &[u8]) -> Option<Finding> {
    let mut cursor = Cursor::new(payload);
    let (kind, major, minor) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    if kind != HANDSHAKE || major != 3 || minor > 4 || cursor.u16()? > RECORD_BYTES_MAX {
        return None;
    }
    let finding = |host| Some(Finding { protocol: "tls", host });
    match cursor.u8()? {
        CLIENT_HELLO => finding(server_name(cursor).map_or(HostFinding::Never, host::clean)),
        // The client's hello was not seen first; there is nothing to wait for.
        SERVER_HELLO => finding(HostFinding::Later),
        _ => None,
    }
}

/// Walks a client's hello, as far as this packet holds it, to the first host name.
fn server_name(mut hello: Cursor<'_>) -> Option<&[u8]> {
    hello.u24()?;
    hello.take(2 + 32)?; // version, random
    let session = hello.u8()?;
    hello.take(session.into())?;
    let ciphers = hello.u16()?;
    hello.take(ciphers.into())?;
    let compressions = hello.u8()?;
    hello.take(compressions.into())?;
    let size = hello.u16()?;
    let mut extensions = Cursor::new(hello.take_up_to(size.into()));
    while !extensions.is_empty() {
        let (kind, size) = (extensions.u16()?, extensions.u16()?);
        let body = extensions.take(size.into())?;
        if kind == SERVER_NAME {
            return first_host(Cursor::new(body));
        }
    }
    None
}

fn first_host(mut names: Cursor<'_>) -> Option<&[u8]> {
    names.u16()?;
    let (kind, size) = (names.u8()?, names.u16()?);
    if kind == HOST_NAME { names.take(size.into()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(name: &[u8]) -> Vec<u8> {
        let mut sni = vec![0, 0];
        sni.extend((name.len() as u16 + 5).to_be_bytes());
        sni.extend((name.len() as u16 + 3).to_be_bytes());
        sni.push(0);
        sni.extend((name.len() as u16).to_be_bytes());
        sni.extend(name);
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 1, 1, 0]);
        body.extend((sni.len() as u16 + 4).to_be_bytes());
        body.extend([0, 23, 0, 0]);
        body.extend(sni);
        let mut record = vec![22, 3, 1];
        record.extend((body.len() as u16 + 4).to_be_bytes());
        record.extend([1, 0]);
        record.extend((body.len() as u16).to_be_bytes());
        record.extend(body);
        record
    }

    #[test]
    fn the_server_name_is_found_and_any_cut_is_harmless() {
        let whole = hello(b"Shop.Example");
        let name = HostFinding::Name("shop.example".to_owned());
        assert_eq!(recognise(&whole), Some(Finding { protocol: "tls", host: name }));
        for end in 0..whole.len() {
            let cut = recognise(&whole[..end]);
            assert!(cut.is_none_or(|finding| finding.host == HostFinding::Never));
        }
    }
}
