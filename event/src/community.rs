//! Community ID version 1: the same string for the same conversation in Zeek, Suricata and here.
//!
//! Format: `1:` and the base64 of SHA-1 over seed, ordered addresses, protocol, a zero byte and ordered ports, all in
//! network order (the Community ID flow hashing specification, version 1, Corelight).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::Flow;

/// The seed everyone uses unless told otherwise.
const SEED: u16 = 0;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;

/// The Community ID of `flow`.
///
/// For ICMP the ports of the specification are the type and its counterpart. A flow here keeps no ICMP type, so its
/// `src_port` and `dst_port` must hold type and code when the source knows them; with zeros the identifier is that of
/// an echo reply.
pub fn community_id(flow: &Flow) -> String {
    let (ports, one_way) = match flow.protocol {
        TCP | UDP | SCTP => (Some((flow.src_port, flow.dst_port)), false),
        ICMP => icmp_ports(flow, icmp4_counterpart),
        ICMP6 => icmp_ports(flow, icmp6_counterpart),
        _ => (None, false),
    };
    let (src_port, dst_port) = ports.unwrap_or((0, 0));
    let forward = (flow.src_ip, src_port) <= (flow.dst_ip, dst_port);
    let (low, high) = if forward || one_way {
        ((flow.src_ip, src_port), (flow.dst_ip, dst_port))
    } else {
        ((flow.dst_ip, dst_port), (flow.src_ip, src_port))
    };

    let mut hasher = Sha1::new();
    hasher.update(SEED.to_be_bytes());
    update_address(&mut hasher, low.0);
    update_address(&mut hasher, high.0);
    hasher.update([flow.protocol, 0]);
    if ports.is_some() {
        hasher.update(low.1.to_be_bytes());
        hasher.update(high.1.to_be_bytes());
    }
    format!("1:{}", STANDARD.encode(hasher.finalize()))
}

/// Type and counterpart as ports, and whether the message has no counterpart (then the ends are not reordered).
fn icmp_ports(flow: &Flow, counterpart: fn(u16) -> Option<u16>) -> (Option<(u16, u16)>, bool) {
    match counterpart(flow.src_port) {
        Some(other) => (Some((flow.src_port, other)), false),
        None => (Some((flow.src_port, flow.dst_port)), true),
    }
}

fn icmp4_counterpart(kind: u16) -> Option<u16> {
    Some(match kind {
        0 => 8,
        8 => 0,
        9 => 10,
        10 => 9,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        _ => return None,
    })
}

fn icmp6_counterpart(kind: u16) -> Option<u16> {
    Some(match kind {
        128 => 129,
        129 => 128,
        130 => 131,
        131 => 130,
        133 => 134,
        134 => 133,
        135 => 136,
        136 => 135,
        139 => 140,
        140 => 139,
        144 => 145,
        145 => 144,
        _ => return None,
    })
}

fn update_address(hasher: &mut Sha1, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => hasher.update(v4.octets()),
        IpAddr::V6(v6) => hasher.update(v6.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_baseline_holds_in_both_directions() {
        // The first pair of the specification's baseline for TCP.
        let flow = Flow {
            src_ip: "128.232.110.120".parse().unwrap(),
            dst_ip: "66.35.250.204".parse().unwrap(),
            src_port: 34855,
            dst_port: 80,
            protocol: TCP,
            ..Flow::default()
        };
        let back = Flow {
            src_ip: flow.dst_ip,
            dst_ip: flow.src_ip,
            src_port: flow.dst_port,
            dst_port: flow.src_port,
            ..flow.clone()
        };
        assert_eq!(community_id(&flow), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(&back), community_id(&flow));
    }
}
