//! Cleaning of host names from packets: whoever sent the packet chose the bytes.

use forebay_event::limits::HOST_BYTES_MAX;

use super::HostFinding;

/// Lower case; letters, digits and `.-_:*[]` stay, every other byte becomes `?`; no dot at the end.
pub(crate) fn clean(raw: &[u8]) -> HostFinding {
    let raw = raw.strip_suffix(b".").unwrap_or(raw);
    if raw.is_empty() {
        return HostFinding::Never;
    }
    if raw.len() > HOST_BYTES_MAX {
        return HostFinding::TooLong;
    }
    HostFinding::Name(raw.iter().map(|byte| clean_byte(*byte)).collect())
}

fn clean_byte(byte: u8) -> char {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'*' | b'[' | b']' => {
            char::from(byte.to_ascii_lowercase())
        }
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_out_harmless() {
        assert_eq!(clean(b"WWW.Example.COM."), HostFinding::Name("www.example.com".to_owned()));
        assert_eq!(clean(b"a<script>\0\xff"), HostFinding::Name("a?script???".to_owned()));
        assert_eq!(clean(b"."), HostFinding::Never);
        assert_eq!(clean(&[b'a'; 256]), HostFinding::TooLong);
    }
}
