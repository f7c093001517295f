//! What every node of a filter means. The engines must agree with this on every event.

use std::net::IpAddr;

use ipnet::IpNet;

use forebay_event::feature::{DBYTES, DPKTS, SBYTES, SPKTS, place_of};
use forebay_event::{Event, Features, service};

use super::{Compare, End, Filter, HostMatch};

impl Filter {
    /// Whether this holds of `event`: the reference meaning.
    ///
    /// - An IPv4-mapped IPv6 address is the IPv4 address, on both sides; an IPv6 network wider than the mapped block
    ///   (`::/0` for example) holds no IPv4 address.
    /// - Where an event has no value (no host, an unknown feature), the condition does not hold.
    /// - A service that is not in the table, or a feature that does not exist, never matches; [`Filter::check`] refuses
    ///   them before a search.
    pub fn matches(&self, event: &Event) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(event)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(event)),
            Self::Not(part) => !part.matches(event),
            Self::Ip { end, net } => either(*end, event.flow.src_ip, event.flow.dst_ip, |ip| lies_in(ip, *net)),
            Self::Port { end, from, to } => {
                either(*end, event.flow.src_port, event.flow.dst_port, |port| (*from..=*to).contains(&port))
            }
            Self::Protocol(number) => event.flow.protocol == *number,
            Self::Service(name) => service_place(name) == Some(service::service_of(event)),
            Self::Time { from_us, to_us } => {
                from_us.is_none_or(|from| event.start_us >= from) && to_us.is_none_or(|to| event.start_us < to)
            }
            Self::Verdict(verdict) => event.class.verdict == Some(*verdict),
            Self::Family(family) => event.class.family.as_deref().is_some_and(|f| f.eq_ignore_ascii_case(family)),
            Self::Host { how, host } => event.app.host.as_deref().is_some_and(|name| host_matches(*how, name, host)),
            Self::Feature { name, op, value } => {
                feature_value(&event.features, name).is_some_and(|have| op.holds(have, *value))
            }
        }
    }
}

impl Compare {
    /// `left op right`; -0 and 0 are equal.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Eq => left == right,
            Self::Ge => left >= right,
            Self::Gt => left > right,
        }
    }
}

/// The value a [`Filter::Feature`] compares: a feature, or `bytes` or `packets` as the sum of the directions the source
/// knows. `None` where the event does not know it, or it is not finite.
pub fn feature_value(features: &Features, name: &str) -> Option<f64> {
    let (forward, backward) = match name {
        "bytes" => (SBYTES, DBYTES),
        "packets" => (SPKTS, DPKTS),
        _ => return place_of(name).and_then(|place| finite(features, place)),
    };
    match (finite(features, forward), finite(features, backward)) {
        (None, None) => None,
        (forward, backward) => Some(forward.unwrap_or(0.0) + backward.unwrap_or(0.0)).filter(|sum| sum.is_finite()),
    }
}

/// The place in the table of the service called `name`, in any case.
pub(crate) fn service_place(name: &str) -> Option<usize> {
    service::place_of(&name.to_ascii_lowercase())
}

/// Compares names without ASCII case.
pub(crate) fn host_matches(how: HostMatch, name: &str, pattern: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let pattern = pattern.to_ascii_lowercase();
    match how {
        HostMatch::Exact => name == pattern,
        HostMatch::Contains => name.contains(&pattern),
        HostMatch::Domain => name
            .strip_suffix(&pattern)
            .is_some_and(|rest| rest.is_empty() || (rest.ends_with('.') && !pattern.is_empty())),
    }
}

fn either<T: Copy>(end: End, src: T, dst: T, holds: impl Fn(T) -> bool) -> bool {
    match end {
        End::Src => holds(src),
        End::Dst => holds(dst),
        End::Any => holds(src) || holds(dst),
    }
}

fn lies_in(ip: IpAddr, net: IpNet) -> bool {
    match (ip.to_canonical(), net) {
        (IpAddr::V4(ip), IpNet::V4(net)) => net.contains(&ip),
        (IpAddr::V6(ip), IpNet::V6(net)) => net.contains(&ip),
        (IpAddr::V4(ip), IpNet::V6(net)) => net.prefix_len() >= MAPPED_PREFIX && net.contains(&ip.to_ipv6_mapped()),
        (IpAddr::V6(_), IpNet::V4(_)) => false,
    }
}

/// Length of `::ffff:0:0/96`, the block of IPv4-mapped addresses (RFC 4291, section 2.5.5.2).
pub(crate) const MAPPED_PREFIX: u8 = 96;

fn finite(features: &Features, place: usize) -> Option<f64> {
    features.known(place).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        let mut event = Event::default();
        event.flow.src_ip = "10.1.2.3".parse().unwrap();
        event.flow.dst_ip = "::ffff:192.0.2.9".parse().unwrap();
        event.flow.dst_port = 22;
        event.flow.protocol = 6;
        event
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        let event = event();
        let within = |end, net: &str| Filter::Ip { end, net: net.parse().unwrap() }.matches(&event);
        assert!(within(End::Dst, "192.0.2.0/24"));
        assert!(within(End::Dst, "::ffff:192.0.2.0/120"));
        assert!(within(End::Any, "10.0.0.0/8"));
        assert!(!within(End::Any, "::/0"));
        assert!(!within(End::Src, "192.0.2.0/24"));
    }

    #[test]
    fn what_is_unknown_satisfies_only_a_negation() {
        let event = event();
        let filter = Filter::Feature { name: "bytes".to_owned(), op: Compare::Ge, value: 0.0 };
        assert!(!filter.matches(&event));
        assert!(Filter::Not(Box::new(filter)).matches(&event));
        let host = Filter::Host { how: HostMatch::Contains, host: String::new() };
        assert!(!host.matches(&event));
    }

    #[test]
    fn one_known_direction_is_enough_for_bytes() {
        let mut event = event();
        event.features.0[SBYTES] = 7.0;
        assert_eq!(feature_value(&event.features, "bytes"), Some(7.0));
        event.features.0[DBYTES] = f64::INFINITY;
        assert_eq!(feature_value(&event.features, "bytes"), Some(7.0));
    }

    #[test]
    fn a_domain_holds_itself_and_what_is_below_it() {
        assert!(host_matches(HostMatch::Domain, "WWW.Example.org", "example.ORG"));
        assert!(host_matches(HostMatch::Domain, "example.org", "example.org"));
        assert!(!host_matches(HostMatch::Domain, "badexample.org", "example.org"));
    }

    #[test]
    fn a_service_is_known_by_alias_and_port() {
        assert!(Filter::Service("SFTP".to_owned()).matches(&event()));
        assert!(!Filter::Service("telnet".to_owned()).matches(&event()));
    }
}
