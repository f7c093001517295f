//! Names that sources use for protocols, in our words.

use std::net::IpAddr;

use crate::limits::WORD_BYTES_MAX;
use crate::service;

/// The IANA number of an IP protocol by its name or number. `icmp` between IPv6 addresses is that of version 6.
pub(crate) fn protocol(name: &str, address: IpAddr) -> Option<u8> {
    let lower = name.to_ascii_lowercase();
    Some(match lower.as_str() {
        "icmp" if address.is_ipv6() => 58,
        "icmp" => 1,
        "igmp" => 2,
        "ipip" | "ipv4" => 4,
        "tcp" => 6,
        "udp" => 17,
        "ipv6" => 41,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "icmpv6" | "ipv6-icmp" | "icmp6" => 58,
        "ospf" => 89,
        "pim" => 103,
        "vrrp" => 112,
        "sctp" => 132,
        number => return number.parse().ok(),
    })
}

/// The name of a protocol as ML Defender writes it: in capitals where it has one, else the number.
pub(crate) fn protocol_name(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "ICMP",
        2 => "IGMP",
        6 => "TCP",
        17 => "UDP",
        47 => "GRE",
        58 => "ICMPV6",
        132 => "SCTP",
        _ => return None,
    })
}

/// An application protocol in our word for it (`ssl` is `tls`), or in lower case as it stands; `None` for what a source
/// writes when it does not know.
pub(crate) fn application(name: &str) -> Option<String> {
    let lower = name.trim().to_ascii_lowercase();
    match lower.as_str() {
        "" | "-" | "failed" | "unknown" => None,
        known => match service::place_of(known) {
            Some(place) => Some(service::SERVICES[place].name.to_owned()),
            None => Some(super::cic::bounded(known, WORD_BYTES_MAX).to_owned()),
        },
    }
}

/// Whether ICMP's type and code stand where other protocols have ports.
pub(crate) fn is_icmp(protocol: u8) -> bool {
    matches!(protocol, 1 | 58)
}

/// A host name fit for the envelope: without the final dot, and none if it is empty or longer than allowed.
pub(crate) fn host(name: &str) -> Option<&str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty() && name.len() <= crate::limits::HOST_BYTES_MAX).then_some(name)
}
