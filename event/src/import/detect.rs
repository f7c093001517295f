//! Which format a source has, by its first bytes.
//!
//! Captures and compressed files have magic numbers. A line of JSON is known by names of members of its outermost object,
//! which are looked for by a small scanner, because the head may end in the middle of a line. CSV is known by the names in
//! its header.

use super::cic;

/// A format of events that this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Our own lines, [`crate::jsonl`].
    Jsonl,
    /// `CICFlowMeter` CSV, in any of its layouts.
    CicFlowMeter,
    /// The nested line of ML Defender's `RAGLogger`.
    RagLogger,
    /// Suricata's EVE.
    SuricataEve,
    /// Zeek's conn.log with `#fields`.
    ZeekTsv,
    /// Zeek's conn.log as JSON.
    ZeekJson,
    /// What `nfdump -o json` prints.
    NfdumpJson,
}

/// What the first bytes of a source say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detection {
    /// Events in a format that [`super::open_reader`] reads.
    Events(Format),
    /// A capture, libpcap's format.
    Pcap,
    /// A capture, pcapng.
    PcapNg,
    /// Compressed with gzip; open it with [`super::decompress`] and look again.
    Gzip,
    /// Compressed with Zstandard; likewise.
    Zstd,
    /// Nothing there but white space.
    Empty,
    /// None of these; the text says what was found.
    Unknown(String),
}

impl Format {
    /// A short name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "Forebay JSON lines",
            Self::CicFlowMeter => "CICFlowMeter CSV",
            Self::RagLogger => "RAGLogger JSON lines",
            Self::SuricataEve => "Suricata EVE",
            Self::ZeekTsv => "Zeek conn.log",
            Self::ZeekJson => "Zeek conn.log (JSON)",
            Self::NfdumpJson => "nfdump JSON",
        }
    }
}

/// The magic numbers of libpcap's format: microseconds, nanoseconds and the modified one, in both byte orders.
const PCAP_MAGICS: [[u8; 4]; 6] = [
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xcd, 0x34],
    [0x34, 0xcd, 0xb2, 0xa1],
];

const PCAPNG_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Says what a source is whose first bytes are `head`. The more of it the better; one line is enough.
pub fn detect(head: &[u8]) -> Detection {
    if let Some(magic) = head.first_chunk::<4>() {
        if PCAP_MAGICS.contains(magic) {
            return Detection::Pcap;
        }
        if *magic == PCAPNG_MAGIC {
            return Detection::PcapNg;
        }
        if *magic == [0x28, 0xb5, 0x2f, 0xfd] {
            return Detection::Zstd;
        }
    }
    if head.starts_with(&[0x1f, 0x8b]) {
        return Detection::Gzip;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match text.first() {
        None => Detection::Empty,
        Some(b'{') => detect_json(text),
        Some(b'[') => match text[1..].trim_ascii_start() {
            [] | [b']', ..] => Detection::Events(Format::NfdumpJson),
            rest => detect_json(rest),
        },
        Some(b'#') => detect_zeek(text),
        Some(_) => detect_table(text),
    }
}

fn detect_json(text: &[u8]) -> Detection {
    let names = member_names(text);
    let has = |name: &str| names.contains(&name.as_bytes());
    let format = if has("schema_version") || (has("flow") && has("start_us")) {
        Format::Jsonl
    } else if has("rag_metadata") || has("ml_training_metadata") || (has("detection") && has("network")) {
        Format::RagLogger
    } else if has("event_type") {
        Format::SuricataEve
    } else if has("id.orig_h") {
        Format::ZeekJson
    } else if has("in_packets") || has("src4_addr") || has("src6_addr") || (has("type") && has("export_sysid")) {
        Format::NfdumpJson
    } else {
        return Detection::Unknown(format!("JSON with the members {}", list(&names)));
    };
    Detection::Events(format)
}

fn detect_zeek(text: &[u8]) -> Detection {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first.starts_with(b"#separator") || first.starts_with(b"#fields\t") {
        Detection::Events(Format::ZeekTsv)
    } else {
        Detection::Unknown("text that starts with # but is no Zeek log".to_owned())
    }
}

fn detect_table(text: &[u8]) -> Detection {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if cic::is_header(first) {
        return Detection::Events(Format::CicFlowMeter);
    }
    if first.contains(&0) || first.iter().filter(|byte| **byte < 9).count() > 0 {
        return Detection::Unknown("binary data".to_owned());
    }
    let shown: String = String::from_utf8_lossy(first).chars().take(60).collect();
    Detection::Unknown(format!("text that starts with {shown:?}"))
}

/// The names of the members of the object that `text` opens with, as far as it goes. Escapes are left as they are: no
/// name that is looked for has one.
fn member_names(text: &[u8]) -> Vec<&[u8]> {
    const NAMES_MAX: usize = 256;
    let mut names = Vec::new();
    let (mut depth, mut place) = (0usize, 0usize);
    while place < text.len() && names.len() < NAMES_MAX {
        match text[place] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => break,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let end = place + 1 + string_bytes(&text[place + 1..]);
                let colon = text.get(end + 1..).unwrap_or_default().trim_ascii_start().starts_with(b":");
                if depth == 1 && colon {
                    names.push(&text[place + 1..end]);
                }
                place = end;
            }
            _ => {}
        }
        place += 1;
    }
    names
}

/// Bytes before the quote that ends a string.
fn string_bytes(text: &[u8]) -> usize {
    let mut escaped = false;
    for (place, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place,
            _ => {}
        }
    }
    text.len()
}

fn list(names: &[&[u8]]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| String::from_utf8_lossy(name)).collect();
    if shown.is_empty() { "(none)".to_owned() } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_and_compression_are_known_by_magic() {
        assert_eq!(detect(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0]), Detection::Pcap);
        assert_eq!(detect(&[0x4d, 0x3c, 0xb2, 0xa1, 2, 0]), Detection::Pcap);
        assert_eq!(detect(&[0x0a, 0x0d, 0x0d, 0x0a, 0x1c]), Detection::PcapNg);
        assert_eq!(detect(&[0x1f, 0x8b, 8]), Detection::Gzip);
        assert_eq!(detect(&[0x28, 0xb5, 0x2f, 0xfd]), Detection::Zstd);
        assert_eq!(detect(b" \n\n"), Detection::Empty);
    }

    #[test]
    fn json_is_known_by_its_outermost_names_only() {
        let cases: [(&[u8], Format); 6] = [
            (br#"{"schema_version":"1","event_id""#, Format::Jsonl),
            (br#"{"detection":{"event_type":1},"rag_metadata":{}}"#, Format::RagLogger),
            (
                br#"{"timestamp":"x","flow_id":1,"event_type":"stats","stats":{"schema_version":1}}"#,
                Format::SuricataEve,
            ),
            (br#"{"ts":1.0,"uid":"C","id.orig_h":"::1"}"#, Format::ZeekJson),
            (b"[\n{\n\t\"type\" : \"FLOW\",\n\t\"export_sysid\" : \"1\"", Format::NfdumpJson),
            (b"#separator \\x09\n#set_separator\t,", Format::ZeekTsv),
        ];
        for (head, format) in cases {
            assert_eq!(detect(head), Detection::Events(format), "{}", String::from_utf8_lossy(head));
        }
        assert!(matches!(detect(br#"{"a":"\"event_type\":"}"#), Detection::Unknown(_)));
        assert!(matches!(detect(b"\0\x01binary"), Detection::Unknown(_)));
    }
}
