//! Remembers the ports of first fragments, so that later fragments join the flow of their packet.
//!
//! **Limits.** [`PLACES`] packets in pieces at a time, each for [`KEPT_US`]; a newer one takes the place of an older one.
//! A later fragment that finds nothing (its first piece was lost, comes after it, or was pushed out) is counted as
//! `packets_fragment_without_first` and not metered. Nothing is reassembled.

use crate::core::{FIRST_FRAGMENT, LATER_FRAGMENT, PacketFacts};

/// Packets in pieces that are remembered.
const PLACES: usize = 4096;
/// How long: Linux gives up reassembly after 30 s (`net.ipv4.ipfrag_time`).
const KEPT_US: i64 = 30_000_000;

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;

#[derive(Clone, Copy, Default)]
struct Place {
    src: [u64; 2],
    dst: [u64; 2],
    id: u32,
    protocol: u8,
    used: bool,
    src_port: u16,
    dst_port: u16,
    seen_us: i64,
}

/// See the module.
pub(crate) struct FragmentTable {
    places: Vec<Place>,
}

impl FragmentTable {
    /// An empty table. It takes memory with the first fragment.
    pub(crate) fn new() -> Self {
        Self { places: Vec::new() }
    }

    /// Learns from a first fragment and completes a later one. `false`: a later one whose ports are unknown.
    pub(crate) fn resolve(&mut self, packet: &mut PacketFacts, now: i64) -> bool {
        let has_ports = matches!(packet.protocol, TCP | UDP | SCTP);
        match packet.fragment {
            FIRST_FRAGMENT if has_ports => {
                self.remember(packet, now);
                true
            }
            LATER_FRAGMENT if has_ports => self.complete(packet, now),
            _ => true,
        }
    }

    fn remember(&mut self, packet: &PacketFacts, now: i64) {
        if self.places.is_empty() {
            self.places = vec![Place::default(); PLACES];
        }
        self.places[place_of(packet)] = Place {
            src: packet.src,
            dst: packet.dst,
            id: packet.fragment_id,
            protocol: packet.protocol,
            used: true,
            src_port: packet.src_port,
            dst_port: packet.dst_port,
            seen_us: now,
        };
    }

    fn complete(&self, packet: &mut PacketFacts, now: i64) -> bool {
        let Some(place) = self.places.get(place_of(packet)) else { return false };
        let same = place.used
            && place.src == packet.src
            && place.dst == packet.dst
            && place.id == packet.fragment_id
            && place.protocol == packet.protocol
            && (now - place.seen_us).abs() <= KEPT_US;
        if same {
            packet.src_port = place.src_port;
            packet.dst_port = place.dst_port;
        }
        same
    }
}

/// A multiplicative hash; whoever aims at one place only pushes out fragments, which is counted.
fn place_of(packet: &PacketFacts) -> usize {
    let mixed = packet.src[1].rotate_left(17) ^ packet.dst[1] ^ packet.src[0] ^ packet.dst[0].rotate_left(31);
    let mixed =
        (mixed ^ u64::from(packet.fragment_id) << 8 ^ u64::from(packet.protocol)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 52) as usize % PLACES
}
