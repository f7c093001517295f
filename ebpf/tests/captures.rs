//! Goal: every form of capture file gives the same packets, and a damaged one gives everything before the damage.
//!
//! Method: one conversation is written by hand as pcap and pcapng in both byte orders and several time resolutions, packed,
//! cut at every byte, and broken in named ways; the events must be those of the plain file.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::Event;
use forebay_event::source::{EventSource, SourceError};
use support::frame::{Seen, pcap_of};
use support::run::{Run, meter};

const BASE_US: i64 = 1_700_000_000_000_000;

fn conversation() -> Vec<Seen> {
    let (a, b) = (("10.0.0.1", 40_000), ("10.0.0.2", 80));
    let udp = Seen::udp(BASE_US + 40, ("10.0.0.3", 9), ("10.0.0.4", 10), b"unrelated");
    vec![
        Seen::tcp(BASE_US, a, b, 0x02, b""),
        Seen::tcp(BASE_US + 30, b, a, 0x12, b""),
        udp,
        Seen::tcp(BASE_US + 50, a, b, 0x18, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        Seen::tcp(BASE_US + 900, b, a, 0x04, b""),
    ]
}

/// The events in words: a feature that is not known is equal to itself there, which NaN is not.
fn whole(bytes: Vec<u8>) -> Vec<String> {
    let Run { events, failure, .. } = meter(bytes, MeterConfig::default());
    assert!(failure.is_none(), "{failure:?}");
    events.iter().map(|event| format!("{event:?}")).collect()
}

/// Numbers in either byte order.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn u32(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u16(self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

fn pcap_in(order: Order, magic: u32, units_per_us: u32) -> Vec<u8> {
    let mut out = order.u32(magic).to_vec();
    out.extend([order.u16(2), order.u16(4)].concat());
    out.extend([order.u32(0), order.u32(0), order.u32(262_144), order.u32(1)].concat());
    for packet in conversation() {
        let frame = packet.ethernet();
        let fraction = (packet.time_us % 1_000_000) as u32 * units_per_us;
        let size = frame.len() as u32;
        let seconds = (packet.time_us / 1_000_000) as u32;
        out.extend([order.u32(seconds), order.u32(fraction), order.u32(size), order.u32(size)].concat());
        out.extend(frame);
    }
    out
}

fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = [body, &[0; 3][..(4 - body.len() % 4) % 4]].concat();
    let size = order.u32(padded.len() as u32 + 12);
    [&order.u32(kind)[..], &size, &padded, &size].concat()
}

fn section(order: Order) -> Vec<u8> {
    let body = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &[0xff; 8]].concat();
    block(order, 0x0a0d_0d0a, &body)
}

/// An interface, with a time resolution where one is given.
fn interface(order: Order, resolution: Option<u8>) -> Vec<u8> {
    let mut body = [&order.u16(1)[..], &order.u16(0), &order.u32(0)].concat();
    if let Some(resolution) = resolution {
        body.extend([&order.u16(2)[..], &order.u16(3), b"eth\0"].concat()); // a name, to be passed over
        body.extend([&order.u16(9)[..], &order.u16(1), &[resolution, 0, 0, 0], &[0; 4]].concat());
    }
    block(order, 1, &body)
}

fn enhanced(order: Order, interface: u32, units: u64, frame: &[u8]) -> Vec<u8> {
    let size = order.u32(frame.len() as u32);
    let (high, low) = (order.u32((units >> 32) as u32), order.u32(units as u32));
    block(order, 6, &[&order.u32(interface)[..], &high, &low, &size, &size, frame].concat())
}

/// Two interfaces of different resolution, an unknown block, and the rest of the packets in a second section.
fn pcapng_in(order: Order) -> Vec<u8> {
    let mut out = [section(order), interface(order, None), interface(order, Some(9))].concat();
    out.extend(block(order, 0x0bad_cafe, &[1; 37]));
    for (number, packet) in conversation().iter().enumerate() {
        if number == 3 {
            let other = Order { big: !order.big };
            out.extend([section(other), interface(other, Some(6))].concat());
        }
        let frame = packet.ethernet();
        out.extend(match number {
            0 | 2 => enhanced(order, 0, packet.time_us as u64, &frame),
            1 => enhanced(order, 1, packet.time_us as u64 * 1000 + 999, &frame),
            _ => enhanced(Order { big: !order.big }, 0, packet.time_us as u64, &frame),
        });
    }
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_gives_the_same_events() {
    let plain = pcap_of(&conversation());
    let expected = whole(plain.clone());
    assert_eq!(expected.len(), 2);
    assert!(expected[0].contains("a.example"));
    for big in [false, true] {
        let order = Order { big };
        assert_eq!(whole(pcap_in(order, 0xa1b2_c3d4, 1)), expected);
        assert_eq!(whole(pcap_in(order, 0xa1b2_3c4d, 1000)), expected);
        assert_eq!(whole(pcapng_in(order)), expected);
    }
    let packed = gzip(&plain);
    assert_eq!(whole(packed.clone()), expected);
    assert_eq!(whole(zstd::encode_all(&plain[..], 3).unwrap()), expected);
    let members = [gzip(&plain[..100]), gzip(&plain[100..])].concat();
    assert_eq!(whole(members), expected, "several members are one file");
}

#[test]
fn the_obsolete_and_the_simple_packet_block_are_read() {
    let order = Order { big: false };
    let frame = conversation()[0].ethernet();
    let size = order.u32(frame.len() as u32);
    let (high, low) = (order.u32((BASE_US >> 32) as u32), order.u32(BASE_US as u32));
    let old = block(order, 2, &[&order.u16(0)[..], &order.u16(0), &high, &low, &size, &size, &frame].concat());
    let simple = block(order, 3, &[&size[..], &frame].concat());
    let run = meter([section(order), interface(order, None), old, simple].concat(), MeterConfig::default());
    assert_eq!(run.counters["packets_accepted"], 2);
    assert_eq!(run.counters["packets_time_missing"], 1);
    assert_eq!((run.events[0].start_us, run.events[0].end_us), (BASE_US, BASE_US));
}

#[test]
fn a_cut_gives_what_stands_before_it() {
    for bytes in [pcap_of(&conversation()), pcapng_in(Order { big: true })] {
        let all = meter(bytes.clone(), MeterConfig::default()).counters["packets_accepted"];
        let mut before = 0;
        for end in 0..bytes.len() {
            let run = meter(bytes[..end].to_vec(), MeterConfig::default());
            let accepted = run.counters.get("packets_accepted").copied().unwrap_or(0);
            let in_events: f64 = run.events.iter().map(|event| event.features.0[1] + event.features.0[2]).sum();
            assert!(accepted >= before && accepted <= all);
            assert_eq!(in_events, accepted as f64);
            match run.failure {
                Some(SourceError::Damaged { offset, .. }) => assert!(offset <= end as u64),
                Some(SourceError::Unrecognised { .. }) => assert!(end < 4),
                Some(other) => panic!("{other}"),
                // A cut between two records is the end of a shorter capture.
                None => assert!(end >= 24),
            }
            before = accepted;
        }
    }
}

#[test]
fn a_cut_in_packed_data_is_damage_and_not_a_broken_disk() {
    let packed = gzip(&pcap_of(&conversation()));
    for end in 4..packed.len() {
        let run = meter(packed[..end].to_vec(), MeterConfig::default());
        assert!(matches!(run.failure, Some(SourceError::Damaged { .. })), "{end}: {:?}", run.failure);
    }
}

#[test]
fn a_record_that_claims_too_much_is_damage_with_its_place() {
    let mut bytes = pcap_of(&conversation());
    let second = 24 + 16 + 60;
    bytes[second + 8..second + 12].copy_from_slice(&262_145u32.to_le_bytes());
    let run = meter(bytes, MeterConfig::default());
    assert_eq!(run.counters["packets_accepted"], 1);
    let Some(SourceError::Damaged { offset, reason, .. }) = run.failure else { panic!("{:?}", run.failure) };
    assert_eq!(offset, second as u64);
    assert!(reason.contains("262145"), "{reason}");
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    for bytes in [&b""[..], b"ab", b"{\"schema_version\": \"1\"}"] {
        let run = meter(bytes.to_vec(), MeterConfig::default());
        let Some(SourceError::Unrecognised { reason, .. }) = run.failure else { panic!("{:?}", run.failure) };
        assert!(reason.contains("pcap or pcapng"), "{reason}");
    }
}

#[test]
fn a_failing_disk_is_not_the_captures_fault_and_progress_is_of_the_file() {
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the disk is gone")),
                size => Ok(size),
            }
        }
    }
    let bytes = pcap_of(&conversation());
    let size = bytes.len() as u64;
    let reader = Box::new(Failing(Cursor::new(bytes)));
    let mut source = CaptureSource::from_reader("x", reader, Some(size), MeterConfig::default()).unwrap();
    let mut event = Event::default();
    let mut events = 0;
    let failure = loop {
        match source.read(&mut event) {
            Ok(_) => events += 1,
            Err(failure) => break failure,
        }
    };
    assert_eq!(events, 2);
    assert!(matches!(failure, SourceError::Io { .. }), "{failure:?}");
    assert_eq!(source.progress().bytes_read, size);
}
