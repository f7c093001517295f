//! Networks as they are written: addresses, prefixes, masks, wildcards, ranges, and the sets called internal and
//! external.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net};

use super::item::any_of;
use crate::filter::{End, Filter};

/// A set of addresses.
#[derive(Clone, Debug)]
pub(super) struct Networks {
    pub(super) nets: Vec<IpNet>,
    /// Everything but `nets`.
    pub(super) outside: bool,
    /// As on a chip.
    pub(super) label: String,
    /// A port written with the address, `10.0.0.1:443`.
    pub(super) port: Option<u16>,
}

/// What became of a token.
pub(super) enum Parsed {
    Networks(Networks),
    /// Meant as an address, but there is no such address.
    Bad(String),
}

/// Networks that make up one range, at most.
const RANGE_NETS_MAX: usize = 64;

/// "Internal": RFC 1918, RFC 4193, loopback and link-local of both families.
const INSIDE: &[(IpAddr, u8)] = &[
    (v4(10, 0, 0, 0), 8),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 168, 0, 0), 16),
    (v4(127, 0, 0, 0), 8),
    (v4(169, 254, 0, 0), 16),
    (v6(0xfc00), 7),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    (v6(0xfe80), 10),
];
/// Neither internal nor external: unspecified, multicast and broadcast.
const NOWHERE: &[(IpAddr, u8)] = &[
    (v4(0, 0, 0, 0), 32),
    (v4(224, 0, 0, 0), 4),
    (v4(255, 255, 255, 255), 32),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), 128),
    (v6(0xff00), 8),
];
const LOOPBACK: &[(IpAddr, u8)] = &[(v4(127, 0, 0, 0), 8), (IpAddr::V6(Ipv6Addr::LOCALHOST), 128)];
const MULTICAST: &[(IpAddr, u8)] = &[(v4(224, 0, 0, 0), 4), (v6(0xff00), 8)];
const LINK_LOCAL: &[(IpAddr, u8)] = &[(v4(169, 254, 0, 0), 16), (v6(0xfe80), 10)];
const BROADCAST: &[(IpAddr, u8)] = &[(v4(255, 255, 255, 255), 32)];

impl Networks {
    pub(super) fn inside() -> Self {
        Self::named(INSIDE, false, "internal")
    }

    pub(super) fn outside() -> Self {
        let mut out = Self::named(INSIDE, true, "external");
        out.nets.extend(nets(NOWHERE));
        out
    }

    /// A set with a name of its own that needs no other word.
    pub(super) fn by_name(word: &str) -> Option<Self> {
        Some(match word {
            "localhost" | "loopback" => Self::named(LOOPBACK, false, "loopback"),
            "multicast" => Self::named(MULTICAST, false, "multicast"),
            "link-local" | "linklocal" => Self::named(LINK_LOCAL, false, "link-local"),
            "broadcast" => Self::named(BROADCAST, false, "broadcast"),
            "rfc1918" => Self::named(&INSIDE[..3], false, "RFC 1918"),
            _ => return None,
        })
    }

    fn named(set: &[(IpAddr, u8)], outside: bool, label: &str) -> Self {
        Self { nets: nets(set).collect(), outside, label: label.to_owned(), port: None }
    }

    fn written(nets: Vec<IpNet>, label: String) -> Self {
        Self { nets, outside: false, label, port: None }
    }

    /// The condition that `end` lies in this set (and has the port, if one was written).
    pub(super) fn filter(&self, end: End) -> Filter {
        match (end, self.outside || self.port.is_some()) {
            (End::Any, true) => Filter::Or(vec![self.at(End::Src), self.at(End::Dst)]),
            _ => self.at(end),
        }
    }

    fn at(&self, end: End) -> Filter {
        let within = any_of(self.nets.iter().map(|&net| Filter::Ip { end, net }).collect());
        let within = if self.outside { Filter::Not(Box::new(within)) } else { within };
        match self.port {
            Some(port) => Filter::And(vec![within, Filter::Port { end, from: port, to: port }]),
            None => within,
        }
    }
}

/// Reads `raw` as an address, prefix, range or wildcard; `None` where it is none of them.
pub(super) fn parse(raw: &str) -> Option<Parsed> {
    if raw.contains("://") {
        return None;
    }
    parse_v6(raw).or_else(|| parse_v4(raw))
}

fn parse_v6(raw: &str) -> Option<Parsed> {
    if raw.matches(':').count() < 2 {
        return None;
    }
    let (body, port) = match raw.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, "")) => (inside, None),
        Some((inside, tail)) => (inside, Some(tail.strip_prefix(':')?)),
        None => (raw, None),
    };
    let (body, length) = match body.split_once('/') {
        Some((body, length)) => (body, Some(length)),
        None => (body, None),
    };
    let address: Ipv6Addr = body.split('%').next().unwrap_or(body).parse().ok()?;
    if let (Some(v4), None) = (address.to_ipv4_mapped(), length) {
        let net = IpNet::from(IpAddr::V4(v4));
        return Some(with_port(Networks::written(vec![net], v4.to_string()), port));
    }
    let length = match length.map(str::parse::<u8>) {
        None => 128,
        Some(Ok(length)) if length <= 128 => length,
        Some(_) => return Some(Parsed::Bad("the prefix of an IPv6 network is at most 128 long".to_owned())),
    };
    let net = Ipv6Net::new(address, length).ok()?.trunc();
    let label = if length == 128 { address.to_string() } else { net.to_string() };
    Some(with_port(Networks::written(vec![net.into()], label), port))
}

fn parse_v4(raw: &str) -> Option<Parsed> {
    let first = raw.bytes().next()?;
    if !first.is_ascii_digit() {
        return None;
    }
    if let Some((from, to)) = raw.split_once(['-', '–']) {
        return parse_range(from, to);
    }
    let (body, port) = match raw.split_once(':') {
        Some((body, port)) => (body, Some(port)),
        None => (raw, None),
    };
    let (body, length) = match body.split_once('/') {
        Some((body, length)) => (body, Some(length)),
        None => (body, None),
    };
    let net = match octets(body)? {
        Ok(Octets { address, fixed: 4 }) => match prefix_length(length) {
            Ok(length) => Ipv4Net::new(address, length).ok()?.trunc(),
            Err(reason) => return Some(Parsed::Bad(reason)),
        },
        Ok(Octets { address, fixed }) if length.is_none() => Ipv4Net::new(address, fixed * 8).ok()?.trunc(),
        Ok(_) => return Some(Parsed::Bad("write either a wildcard or a prefix, not both".to_owned())),
        Err(reason) => return Some(Parsed::Bad(reason)),
    };
    let label = if net.prefix_len() == 32 { net.addr().to_string() } else { net.to_string() };
    Some(with_port(Networks::written(vec![net.into()], label), port))
}

fn with_port(mut networks: Networks, port: Option<&str>) -> Parsed {
    match port.map(str::parse::<u16>) {
        None => {}
        Some(Ok(port)) => {
            networks.label = if networks.label.contains(':') {
                format!("[{}]:{port}", networks.label)
            } else {
                format!("{}:{port}", networks.label)
            };
            networks.port = Some(port);
        }
        Some(Err(_)) => return Parsed::Bad("a port is a number from 0 to 65535".to_owned()),
    }
    Parsed::Networks(networks)
}

struct Octets {
    address: Ipv4Addr,
    /// Octets before the first wildcard; 4 without one.
    fixed: u8,
}

/// Four dotted numbers, the last of which may be `*` or `x`.
fn octets(body: &str) -> Option<Result<Octets, String>> {
    let parts: Vec<&str> = body.split('.').collect();
    let wild = |part: &&str| matches!(*part, "*" | "x");
    let numeric = |part: &&str| !part.is_empty() && part.len() <= 5 && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() != 4 || !parts.iter().all(|part| wild(part) || numeric(part)) {
        return None;
    }
    let mut values = [0_u8; 4];
    let mut fixed = 4;
    for (at, part) in parts.iter().enumerate() {
        if wild(part) {
            fixed = fixed.min(at as u8);
        } else if fixed < 4 {
            return Some(Err("wildcards may only end an address, as in 10.0.*.*".to_owned()));
        } else {
            match part.parse() {
                Ok(value) => values[at] = value,
                Err(_) => return Some(Err(format!("{part} is over 255, so this is no IPv4 address"))),
            }
        }
    }
    (fixed > 0).then_some(Ok(Octets { address: values.into(), fixed }))
}

/// `24`, or a mask such as `255.255.255.0`.
fn prefix_length(written: Option<&str>) -> Result<u8, String> {
    let Some(written) = written else { return Ok(32) };
    if let Ok(mask) = written.parse::<Ipv4Addr>() {
        return ipnet::ip_mask_to_prefix(mask.into()).map_err(|_| format!("{mask} is no network mask"));
    }
    match written.parse::<u8>() {
        Ok(length) if length <= 32 => Ok(length),
        _ => Err("the prefix of an IPv4 network is at most 32 long".to_owned()),
    }
}

/// `10.0.0.1-10.0.0.20` or `10.0.0.1-20`.
fn parse_range(from: &str, to: &str) -> Option<Parsed> {
    let start: Ipv4Addr = from.parse().ok()?;
    let end: Ipv4Addr = match to.parse::<u8>() {
        Ok(last) => {
            let [a, b, c, _] = start.octets();
            Ipv4Addr::new(a, b, c, last)
        }
        Err(_) => match to.parse() {
            Ok(end) => end,
            Err(_) => return Some(Parsed::Bad(format!("{to} is no IPv4 address"))),
        },
    };
    if end < start {
        return Some(Parsed::Bad("the range ends before it starts".to_owned()));
    }
    let nets: Vec<IpNet> = Ipv4Subnets::new(start, end, 0).take(RANGE_NETS_MAX + 1).map(IpNet::from).collect();
    if nets.len() > RANGE_NETS_MAX {
        return Some(Parsed::Bad("the range is made of too many networks; write a prefix".to_owned()));
    }
    Some(Parsed::Networks(Networks::written(nets, format!("{start}–{end}"))))
}

fn nets(set: &[(IpAddr, u8)]) -> impl Iterator<Item = IpNet> + '_ {
    set.iter().filter_map(|&(address, length)| IpNet::new(address, length).ok())
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(first: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(raw: &str) -> Option<Result<String, String>> {
        parse(raw).map(|parsed| match parsed {
            Parsed::Networks(networks) => Ok(networks.label),
            Parsed::Bad(reason) => Err(reason),
        })
    }

    #[test]
    fn every_spelling_of_a_network_is_read() {
        for (raw, expected) in [
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.0.0.0/255.255.0.0", "10.0.0.0/16"),
            ("192.168.1.*", "192.168.1.0/24"),
            ("10.0.0.1:443", "10.0.0.1:443"),
            ("10.0.0.1-20", "10.0.0.1–10.0.0.20"),
            ("fe80::1%eth0", "fe80::1"),
            ("[2001:DB8::1]:443", "[2001:db8::1]:443"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("fd00::/8", "fd00::/8"),
        ] {
            assert_eq!(label(raw), Some(Ok(expected.to_owned())), "{raw}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_or_left_alone() {
        for raw in ["10.0.0.300", "10.0.0.0/33", "10.0.0.1:99999", "10.0.0.9-10.0.0.1", "::1/129", "10.*.0.1"] {
            assert!(matches!(label(raw), Some(Err(_))), "{raw}");
        }
        for raw in ["1.2.3", "1.2.3.4.5", "12:30", "12:30:15", "00:11:22:33:44:55", "4.18.0-25", "example.org", "80"] {
            assert_eq!(label(raw), None, "{raw}");
        }
    }

    #[test]
    fn the_named_sets_are_whole() {
        assert_eq!(Networks::inside().nets.len(), INSIDE.len());
        assert_eq!(Networks::outside().nets.len(), INSIDE.len() + NOWHERE.len());
    }
}
