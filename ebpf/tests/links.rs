//! Goal: the same IP packet is the same packet below every link layer that is read, and whatever is wrong with a frame has
//! its own reason.
//!
//! Method: one packet of each IP version is wrapped by hand in each link header; one frame is damaged in each way.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use forebay_ebpf::{Packet, Reject};
use support::frame::{Seen, ip};

const MACS: [u8; 12] = [2; 12];

fn four() -> Seen {
    Seen::tcp(0, ("192.0.2.1", 1234), ("192.0.2.2", 80), 0x18, b"hello")
}

fn six() -> Seen {
    Seen::udp(0, ("2001:db8::1", 1234), ("2001:db8::2", 53), b"hello")
}

fn parse(link: u32, frame: &[u8]) -> Result<Packet, Reject> {
    Packet::parse(link, frame, frame.len() as u32)
}

fn assert_is(packet: &Packet, seen: &Seen) {
    assert_eq!((packet.src_ip(), packet.src_port()), (seen.src, seen.src_port));
    assert_eq!((packet.dst_ip(), packet.dst_port()), (seen.dst, seen.dst_port));
    assert_eq!(packet.protocol(), seen.protocol);
    assert_eq!(packet.ip_bytes() as usize, seen.ip_bytes());
    assert_eq!(usize::from(packet.header_bytes()), seen.header_bytes());
    assert_eq!(packet.payload_bytes() as usize, seen.payload.len());
    assert_eq!(packet.tcp_flags(), seen.flags);
}

/// Every link header for a packet of one version: link type, header, VLAN.
fn headers(version: u8) -> Vec<(u32, Vec<u8>, Option<u16>)> {
    let is_six = version == 6;
    let ethertype: &[u8] = if is_six { &[0x86, 0xdd] } else { &[8, 0] };
    let ppp: &[u8] = if is_six { &[0, 0x57] } else { &[0, 0x21] };
    let family = if is_six { 10 } else { 2 };
    let ethernet = |middle: &[u8], end: &[u8]| [&MACS[..], middle, end].concat();
    let size = |bytes: usize| (bytes as u16 + 4).to_le_bytes();
    let inner = if is_six { six().ip_bytes() } else { four().ip_bytes() };
    vec![
        (1, ethernet(&[], ethertype), None),
        (1, ethernet(&[0x81, 0, 0xe0, 7], ethertype), Some(7)),
        (1, ethernet(&[0x88, 0xa8, 0, 9, 0x81, 0, 0, 7], ethertype), Some(9)),
        (1, ethernet(&[0x88, 0x47], &[0, 1, 0, 64, 0, 2, 1, 64]), None),
        (1, ethernet(&[0x88, 0x47], &[&[0, 1, 1, 64, 0, 0, 0, 0][..], &MACS, ethertype].concat()), None),
        (1, ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 50], ppp), None),
        (1, ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 50], &ppp[1..]), None),
        (1, ethernet(&[0, 200, 0xaa, 0xaa, 3, 0, 0, 0], ethertype), None),
        (0, vec![if is_six { 30 } else { 2 }, 0, 0, 0], None),
        (0, vec![0, 0, 0, if is_six { 28 } else { 2 }], None),
        (108, vec![0, 0, 0, if is_six { 24 } else { 2 }], None),
        (9, [&[0xff, 3][..], ppp].concat(), None),
        (50, ppp.to_vec(), None),
        (10, [&[0x50][..], &MACS, &[0xaa, 0xaa, 3, 0, 0, 0], ethertype].concat(), None),
        (12, vec![], None),
        (101, vec![], None),
        (if is_six { 229 } else { 228 }, vec![], None),
        (113, [&[0; 14][..], ethertype].concat(), None),
        (113, [&[0; 14][..], &[0x81, 0, 0, 5], ethertype].concat(), Some(5)),
        (276, [ethertype, &[0; 18]].concat(), None),
        (239, [&[family, 0, 0, 0, 8, 0, 1, 0, 1, 2, 3, 4][..], &size(inner), &[9, 0]].concat(), None),
        (239, [&[family, 0, 0, 0, 0, 7, 0, 10, b'i', b'f', 0, 0, 0, 99, 0, 9][..]].concat(), None),
    ]
}

#[test]
fn every_link_layer_leads_to_the_packet() {
    for (version, seen) in [(4, four()), (6, six())] {
        for (link, header, vlan) in headers(version) {
            let frame = [header.as_slice(), &seen.ip(), &[0; 6]].concat();
            let packet = parse(link, &frame).unwrap_or_else(|reject| panic!("{reject:?} in link {link} {header:02x?}"));
            assert_is(&packet, &seen);
            assert_eq!(packet.vlan(), vlan, "link {link} {header:02x?}");
            assert_eq!(packet.payload(&frame), seen.payload);
        }
    }
}

#[test]
fn a_cut_anywhere_is_truncation_and_never_a_panic() {
    for (version, seen) in [(4, four()), (6, six())] {
        for (link, header, _) in headers(version) {
            let frame = [header.as_slice(), &seen.ip()].concat();
            for kept in 0..frame.len() {
                let outcome = Packet::parse(link, &frame[..kept], frame.len() as u32);
                // Lengths are those of the headers, however little of the payload was kept.
                match outcome {
                    Ok(packet) => assert_is(&packet, &seen),
                    Err(reject) => assert_eq!(reject, Reject::Truncated, "link {link}, {kept} bytes"),
                }
            }
        }
    }
}

#[test]
fn ipv6_extension_headers_count_as_header() {
    let seen = six();
    let mut chain = vec![60, 0, 1, 4, 0, 0, 0, 0]; // hop by hop, then destination options
    chain.extend([43, 1, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // 16 bytes, then routing
    chain.extend([51, 0, 0, 0, 0, 0, 0, 0]); // then authentication, whose unit is 4 bytes
    chain.extend([17, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let extensions = chain.len();
    chain.extend(seen.l4());
    let packet = parse(101, &ip(seen.src, seen.dst, 0, &chain)).unwrap();
    assert_eq!(packet.protocol(), 17);
    assert_eq!(packet.src_port(), 1234);
    assert_eq!(usize::from(packet.header_bytes()), 40 + extensions + 8);
    assert_eq!(packet.payload_bytes(), 5);
}

#[test]
fn what_is_wrong_has_a_name() {
    let good = four().ethernet();
    let changed = |at: usize, value: u8| {
        let mut frame = good.clone();
        frame[at] = value;
        frame
    };
    let tags = |tag: &[u8], count: usize| [&MACS[..], &tag.repeat(count), &[8, 0], &four().ip()].concat();
    let endless = ip(six().src, six().dst, 60, &[60, 0, 0, 0, 0, 0, 0, 0].repeat(12));
    let cases = [
        (parse(147, &good), Reject::UnsupportedLink),
        (parse(1, &good[..13]), Reject::BadLinkHeader),
        (parse(1, &tags(&[0x81, 0, 0, 1], 9)), Reject::TooManyTags),
        (parse(1, &changed(13, 6)), Reject::NotIp), // ARP
        (Packet::parse(1, &good[..40], 60), Reject::Truncated),
        (parse(1, &changed(14, 0x55)), Reject::BadIpHeader), // version 5
        (parse(1, &changed(14, 0x44)), Reject::BadIpHeader), // a header of 16 bytes
        (parse(1, &changed(17, 10)), Reject::BadIpHeader),   // shorter than its header
        (parse(101, &endless), Reject::LongIpv6Chain),
        (parse(1, &changed(46, 0x40)), Reject::BadL4Header), // a TCP header of 16 bytes
        (parse(1, &changed(46, 0xf0)), Reject::BadL4Header), // of 60 bytes in a packet of 45
        (parse(1, &changed(17, 30)), Reject::BadL4Header),   // no room for TCP
    ];
    for (outcome, reject) in cases {
        assert_eq!(outcome.map(|_| ()), Err(reject));
    }
}

#[test]
fn a_packet_that_offload_was_yet_to_cut_has_the_length_of_its_frame() {
    let mut frame = [&MACS[..], &[8, 0], &four().ip()].concat();
    frame[16] = 0;
    frame[17] = 0;
    let packet = Packet::parse(1, &frame, 14 + 30_000).unwrap();
    assert_eq!(packet.ip_bytes(), 30_000);
    assert_eq!(Packet::parse(1, &frame, 14 + 65_576), Err(Reject::Jumbogram));
}
