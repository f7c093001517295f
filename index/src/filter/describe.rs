//! Filters in words, and what an event has where a filter looks.

use std::fmt;

use jiff::Timestamp;

use forebay_event::{Event, service};

use super::matching::feature_value;
use super::{Compare, End, Filter, HostMatch};

/// A condition that an event meets, with what the event has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// The field, for example `dst_port`.
    pub field: String,
    /// The event's value, where it has one.
    pub value: Option<String>,
    /// The condition in words.
    pub condition: String,
}

impl fmt::Display for Filter {
    /// The filter in words, for example `source address is in 10.0.0.0/8 and not (service is ssh)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) if parts.is_empty() => f.write_str("everything"),
            Self::Or(parts) if parts.is_empty() => f.write_str("nothing"),
            Self::And(parts) => joined(f, parts, " and "),
            Self::Or(parts) => joined(f, parts, " or "),
            Self::Not(part) => write!(f, "not ({part})"),
            Self::Ip { end, net } if net.prefix_len() == net.max_prefix_len() => {
                write!(f, "{}address is {}", end.word(), net.addr())
            }
            Self::Ip { end, net } => write!(f, "{}address is in {net}", end.word()),
            Self::Port { end, from, to } if from == to => write!(f, "{}port is {from}", end.word()),
            Self::Port { end, from, to } => write!(f, "{}port is {from} to {to}", end.word()),
            Self::Protocol(number) => write!(f, "protocol is {}", protocol_name(*number)),
            Self::Service(name) => write!(f, "service is {}", name.to_ascii_lowercase()),
            Self::Time { from_us, to_us } => time(f, *from_us, *to_us),
            Self::Verdict(verdict) => write!(f, "verdict is {}", verdict.as_str()),
            Self::Family(family) => write!(f, "family is {family}"),
            Self::Host { how: HostMatch::Exact, host } => write!(f, "host is {host}"),
            Self::Host { how: HostMatch::Domain, host } => write!(f, "host is {host} or below it"),
            Self::Host { how: HostMatch::Contains, host } => write!(f, "host contains {host:?}"),
            Self::Feature { name, op, value } => write!(f, "{name} is {} {value}", op.words()),
        }
    }
}

impl Filter {
    /// The conditions of this filter that `event` meets, outermost first. Under a `not`, the negation as a whole is one.
    pub fn met_by(&self, event: &Event) -> Vec<Met> {
        let mut met = Vec::new();
        self.collect_met(event, &mut met);
        met
    }

    fn collect_met(&self, event: &Event, met: &mut Vec<Met>) {
        if !self.matches(event) {
            return;
        }
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_met(event, met)),
            _ => {
                let (field, value) = self.looks_at(event);
                met.push(Met { field, value, condition: self.to_string() });
            }
        }
    }

    /// The field a leaf looks at, and what `event` has there. Under a `not`, those of the leaf inside, if it is one.
    fn looks_at(&self, event: &Event) -> (String, Option<String>) {
        let flow = &event.flow;
        match self {
            Self::And(_) | Self::Or(_) => ("filter".to_owned(), None),
            Self::Not(part) => part.looks_at(event),
            Self::Ip { end, net } => {
                let inside = |ip| Self::Ip { end: End::Src, net: *net }.matches(&with_src(ip));
                ended(*end, "ip", flow.src_ip, flow.dst_ip, inside)
            }
            Self::Port { end, from, to } => {
                ended(*end, "port", flow.src_port, flow.dst_port, |port| (*from..=*to).contains(&port))
            }
            Self::Protocol(_) => ("protocol".to_owned(), Some(protocol_name(flow.protocol))),
            Self::Service(_) => {
                ("service".to_owned(), Some(service::SERVICES[service::service_of(event)].name.to_owned()))
            }
            Self::Time { .. } => ("start_us".to_owned(), Some(when(event.start_us))),
            Self::Verdict(_) => ("verdict".to_owned(), event.class.verdict.map(|v| v.as_str().to_owned())),
            Self::Family(_) => ("family".to_owned(), event.class.family.clone()),
            Self::Host { .. } => ("host".to_owned(), event.app.host.clone()),
            Self::Feature { name, .. } => {
                (name.clone(), feature_value(&event.features, name).map(|value| value.to_string()))
            }
        }
    }
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::Src => "source ",
            Self::Dst => "destination ",
            Self::Any => "",
        }
    }
}

impl Compare {
    /// The comparison in words: `{name} is {words} {value}`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Lt => "less than",
            Self::Le => "at most",
            Self::Eq => "exactly",
            Self::Ge => "at least",
            Self::Gt => "more than",
        }
    }
}

/// The name people use for an IANA protocol number, or `protocol N`.
pub fn protocol_name(number: u8) -> String {
    match number {
        1 => "ICMP".to_owned(),
        2 => "IGMP".to_owned(),
        6 => "TCP".to_owned(),
        17 => "UDP".to_owned(),
        47 => "GRE".to_owned(),
        50 => "ESP".to_owned(),
        51 => "AH".to_owned(),
        58 => "ICMPv6".to_owned(),
        89 => "OSPF".to_owned(),
        103 => "PIM".to_owned(),
        112 => "VRRP".to_owned(),
        132 => "SCTP".to_owned(),
        _ => format!("protocol {number}"),
    }
}

/// A microsecond as ISO 8601 in UTC, or the number where that is out of the calendar.
fn when(us: i64) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| format!("{us} us"), |time| time.to_string())
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Filter], word: &str) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(word)?;
        }
        match part {
            Filter::And(inner) | Filter::Or(inner) if inner.len() > 1 => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

fn time(f: &mut fmt::Formatter<'_>, from_us: Option<i64>, to_us: Option<i64>) -> fmt::Result {
    match (from_us, to_us) {
        (None, None) => f.write_str("started at any time"),
        (Some(from), None) => write!(f, "started at or after {}", when(from)),
        (None, Some(to)) => write!(f, "started before {}", when(to)),
        (Some(from), Some(to)) => write!(f, "started from {} to before {}", when(from), when(to)),
    }
}

/// Field and value for a condition on an end; for either end, the one that meets it (both if neither does).
fn ended<T: Copy + fmt::Display>(
    end: End,
    what: &str,
    src: T,
    dst: T,
    inside: impl Fn(T) -> bool,
) -> (String, Option<String>) {
    match end {
        End::Src => (format!("src_{what}"), Some(src.to_string())),
        End::Dst => (format!("dst_{what}"), Some(dst.to_string())),
        End::Any if inside(src) => (format!("src_{what}"), Some(src.to_string())),
        End::Any if inside(dst) => (format!("dst_{what}"), Some(dst.to_string())),
        End::Any => (what.to_owned(), Some(format!("{src} and {dst}"))),
    }
}

fn with_src(ip: std::net::IpAddr) -> Event {
    let mut event = Event::default();
    event.flow.src_ip = ip;
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_like_a_sentence() {
        let filter = Filter::And(vec![
            Filter::Ip { end: End::Src, net: "10.0.0.0/8".parse().unwrap() },
            Filter::Or(vec![Filter::Port { end: End::Dst, from: 22, to: 22 }, Filter::Service("SSH".to_owned())]),
            Filter::Not(Box::new(Filter::Time { from_us: Some(0), to_us: None })),
        ]);
        assert_eq!(
            filter.to_string(),
            "source address is in 10.0.0.0/8 and (destination port is 22 or service is ssh) \
             and not (started at or after 1970-01-01T00:00:00Z)"
        );
    }

    #[test]
    fn only_the_branch_that_holds_is_named() {
        let mut event = Event::default();
        event.flow.dst_port = 443;
        let filter = Filter::Or(vec![
            Filter::Port { end: End::Any, from: 1, to: 1 },
            Filter::Port { end: End::Any, from: 443, to: 443 },
        ]);
        let met = filter.met_by(&event);
        assert_eq!(met.len(), 1);
        assert_eq!((met[0].field.as_str(), met[0].value.as_deref()), ("dst_port", Some("443")));
    }
}
