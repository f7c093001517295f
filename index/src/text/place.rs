//! Where a flow came from and went to, in words.

use std::net::{IpAddr, Ipv6Addr};

use forebay_event::Event;

use super::Words;

/// Says of both ends whether they are inside, outside or special, and which way the flow went.
pub(super) fn describe(event: &Event, words: &mut Words) {
    let (src, dst) = (Place::of(event.flow.src_ip), Place::of(event.flow.dst_ip));
    words.add("from");
    words.add(src.words());
    words.add("to");
    words.add(dst.words());
    match (src, dst) {
        (Place::Inside, Place::Outside) => words.add("outbound"),
        (Place::Outside, Place::Inside) => words.add("inbound"),
        (Place::Inside, Place::Inside) => words.add("lateral"),
        _ => {}
    }
}

/// Where an address is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Private use (RFC 1918, RFC 4193).
    Inside,
    /// Anywhere else.
    Outside,
    Loopback,
    LinkLocal,
    Multicast,
    Broadcast,
    Unspecified,
}

impl Place {
    fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            ip if ip.is_loopback() => Self::Loopback,
            ip if ip.is_multicast() => Self::Multicast,
            ip if ip.is_unspecified() => Self::Unspecified,
            IpAddr::V4(ip) if ip.is_broadcast() => Self::Broadcast,
            IpAddr::V4(ip) if ip.is_link_local() => Self::LinkLocal,
            IpAddr::V4(ip) if ip.is_private() => Self::Inside,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Self::LinkLocal,
            IpAddr::V6(ip) if is_unique_local(ip) => Self::Inside,
            _ => Self::Outside,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Inside => "internal private",
            Self::Outside => "external public internet",
            Self::Loopback => "loopback localhost",
            Self::LinkLocal => "link local",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Unspecified => "unspecified",
        }
    }
}

/// `fc00::/7` (RFC 4193).
fn is_unique_local(ip: Ipv6Addr) -> bool {
    ip.octets()[0] & 0xfe == 0xfc
}
