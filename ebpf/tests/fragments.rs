//! Goal: the pieces of a packet are metered in the flow of their first piece; pieces without one are counted.
//!
//! Method: datagrams are cut by hand, sent in order, without the first piece, and with another sender's number in between.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use forebay_ebpf::MeterConfig;
use forebay_event::feature as f;
use support::frame::{Seen, ip, pcap};
use support::run;

fn datagram() -> Seen {
    Seen::udp(0, ("192.0.2.1", 5000), ("192.0.2.2", 53), &[7; 2992])
}

/// Two pieces of an IPv4 datagram of 3,000 bytes above IP.
fn pieces4(id: u16) -> [Vec<u8>; 2] {
    let whole = datagram();
    let l4 = whole.l4();
    let piece = |range: std::ops::Range<usize>, flags: u16| {
        let mut out = ip(whole.src, whole.dst, 17, &l4[range.clone()]);
        out[4..6].copy_from_slice(&id.to_be_bytes());
        out[6..8].copy_from_slice(&(flags | (range.start / 8) as u16).to_be_bytes());
        out
    };
    [piece(0..1480, 0x2000), piece(1480..3000, 0)]
}

fn pieces6(id: u32) -> [Vec<u8>; 2] {
    let whole = Seen::udp(0, ("2001:db8::1", 5000), ("2001:db8::2", 53), &[7; 2992]);
    let l4 = whole.l4();
    let piece = |range: std::ops::Range<usize>, more: u16| {
        let mut body = vec![17, 0];
        body.extend((range.start as u16 | more).to_be_bytes());
        body.extend(id.to_be_bytes());
        body.extend(&l4[range]);
        ip(whole.src, whole.dst, 44, &body)
    };
    [piece(0..1480, 1), piece(1480..3000, 0)]
}

fn metered(packets: &[&Vec<u8>]) -> run::Run {
    let frames: Vec<_> = packets.iter().enumerate().map(|(n, packet)| (n as i64 * 10, (*packet).clone())).collect();
    run::meter(pcap(101, &frames), MeterConfig::default())
}

#[test]
fn later_pieces_join_their_flow() {
    for (headers, [first, second]) in [(20, pieces4(77)), (48, pieces6(77))] {
        let run = metered(&[&first, &second]);
        assert_eq!(run.events.len(), 1);
        let event = &run.events[0];
        assert_eq!((event.flow.src_port, event.flow.dst_port), (5000, 53));
        assert_eq!(event.features.0[f::SPKTS], 2.0);
        assert_eq!(event.features.0[f::SBYTES], f64::from(3000 + 2 * headers));
        assert_eq!(event.features.0[f::FWD_LEN_TOT], 2992.0);
        assert_eq!(event.features.0[f::FWD_HEADER_LEN_MAX], f64::from(headers + 8));
        assert_eq!(event.features.0[f::FWD_HEADER_LEN_MIN], f64::from(headers));
        assert_eq!(run.counters["packets_fragment_joined"], 1);
    }
}

#[test]
fn pieces_without_a_first_one_are_counted() {
    let ([first, _], [_, second]) = (pieces4(1), pieces4(2));
    let run = metered(&[&second, &first, &second]);
    assert_eq!(run.counters["packets_fragment_without_first"], 2);
    assert_eq!(run.counters["packets_accepted"], 1);
    assert_eq!(run.events.len(), 1);
}

#[test]
fn a_number_is_forgotten_after_thirty_seconds() {
    let [first, second] = pieces4(1);
    let run = run::meter(pcap(101, &[(0, first), (30_000_001, second)]), MeterConfig::default());
    assert_eq!(run.counters["packets_fragment_without_first"], 1);
}
