//! Promise: gzip of several members and Zstandard of several frames read like the plain file; progress counts the bytes of
//! the medium; damage is told from a failing medium; no line, however long, takes unbounded memory.
//!
//! Method: one file of our lines, compressed in different ways in memory, cut, and followed by an endless line.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::io::{self, Cursor, Read, Write};

use forebay_event::import;
use forebay_event::limits::LINE_BYTES_MAX;
use forebay_event::source::{EventSource, Item, SourceError};
use forebay_event::{Event, EventId, jsonl};

fn lines(range: std::ops::Range<u64>) -> Vec<u8> {
    let mut out = Vec::new();
    for number in range {
        let event = Event { event_id: EventId::derive(0, &[&number.to_le_bytes()]), ..Event::default() };
        jsonl::write(&event, &mut out);
        out.push(b'\n');
    }
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn open(bytes: Vec<u8>) -> Result<Box<dyn EventSource>, SourceError> {
    let total = bytes.len() as u64;
    import::open_reader("test", Box::new(Cursor::new(bytes)), Some(total))
}

fn count(source: &mut dyn EventSource) -> Result<(u64, u64), SourceError> {
    let (mut events, mut rejected, mut event) = (0, 0, Event::default());
    loop {
        match source.read(&mut event)? {
            Item::Event => events += 1,
            Item::Rejected(_) => rejected += 1,
            Item::End => return Ok((events, rejected)),
        }
    }
}

#[test]
fn several_members_and_frames_are_one_file() {
    let (first, second) = (lines(0..300), lines(300..500));
    let cases = [
        [first.clone(), second.clone()].concat(),
        [gzip(&first), gzip(&second)].concat(),
        [zstd(&first), zstd(&second)].concat(),
    ];
    for bytes in cases {
        let total = bytes.len() as u64;
        let mut source = open(bytes).unwrap();
        assert_eq!(count(source.as_mut()).unwrap(), (500, 0));
        let progress = source.progress();
        assert_eq!((progress.bytes_read, progress.bytes_total), (total, Some(total)));
    }
}

#[test]
fn a_file_cut_short_is_damaged_at_a_place() {
    let mut incompressible = lines(0..50);
    incompressible.extend((0..200_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8));
    for bytes in [gzip(&incompressible), zstd(&incompressible)] {
        let cut = bytes[..bytes.len() - 10].to_vec();
        let end = open(cut).and_then(|mut source| count(source.as_mut()));
        match end {
            Err(SourceError::Damaged { offset, .. }) => assert!(offset > 0),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_failing_medium_is_not_called_damage() {
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::from_raw_os_error(5)),
                count => Ok(count),
            }
        }
    }
    let mut source = import::open_reader("test", Box::new(Failing(Cursor::new(lines(0..500)))), None).unwrap();
    assert!(matches!(count(source.as_mut()), Err(SourceError::Io { .. })));
}

#[test]
fn what_cannot_be_read_is_refused_with_what_can() {
    let wrong =
        [b"\xd4\xc3\xb2\xa1aaaa".to_vec(), gzip(&gzip(b"a")), b"hello, world\n".to_vec(), b"{\"a\":1}\n".to_vec()];
    for bytes in wrong {
        let message = open(bytes).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("test: not a format") && message.contains("Suricata EVE"), "{message}");
    }
    assert_eq!(count(open(Vec::new()).unwrap().as_mut()).unwrap(), (0, 0), "an empty file has no events");
}

/// A line without an end: more than a machine could hold if it were kept.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.0).unwrap_or(usize::MAX));
        buffer[..count].fill(b'x');
        self.0 -= count as u64;
        Ok(count)
    }
}

#[test]
fn an_endless_line_is_rejected_in_bounded_memory() {
    const LINE: u64 = 2 * 1024 * 1024 * 1024;
    let medium =
        Cursor::new(lines(0..2)).chain(Endless(LINE)).chain(Cursor::new([b"\n".to_vec(), lines(2..3)].concat()));
    let mut source = import::open_reader("test", Box::new(medium), None).unwrap();
    let (mut event, mut found) = (Event::default(), Vec::new());
    loop {
        match source.read(&mut event).unwrap() {
            Item::Event => found.push(None),
            Item::Rejected(rejection) => found.push(Some(rejection)),
            Item::End => break,
        }
    }
    assert_eq!(found.len(), 4);
    let rejection = found[2].as_ref().unwrap();
    assert_eq!((rejection.line, rejection.bytes.len()), (3, LINE_BYTES_MAX));
    assert!(rejection.reason.contains("65536"));
    assert!(peak_kilobytes() < 512 * 1024, "{} kB", peak_kilobytes());
}

/// The most memory this process ever held.
fn peak_kilobytes() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
