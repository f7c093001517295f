//! IP protocols by name or number: "tcp", "non-udp", "protocol 47".

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::item::{Cursor, Found, Item, Slot, any_of, note};
use crate::filter::{End, Filter};

/// Names that are protocols wherever they stand (IANA protocol numbers registry).
const NAMES: &[(&str, u8)] = &[
    ("tcp", 6),
    ("udp", 17),
    ("sctp", 132),
    ("gre", 47),
    ("icmpv6", 58),
    ("icmp6", 58),
    ("igmp", 2),
    ("ospf", 89),
    ("eigrp", 88),
    ("vrrp", 112),
    ("dccp", 33),
    ("l2tp", 115),
    ("udplite", 136),
    ("ipip", 4),
];
/// Names that are also words of other kinds; protocols only after "protocol" or before "traffic" and the like.
const UNCERTAIN: &[(&str, u8)] = &[("esp", 50), ("ah", 51), ("pim", 103), ("rsvp", 46)];

/// What carries: after it, "esp" is a protocol.
const CARRIED: &[&str] = &["traffic", "packets", "packet", "flows", "tunnel", "tunnels", "protocol"];

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    family(c).or_else(|| protocol(c))
}

/// "ipv6 traffic", "over ipv4": the family of the addresses. One protocol carried over the other stays words.
fn family(c: &Cursor) -> Option<Found> {
    let of = |word: &str| match word {
        "ipv4" => Some(("IPv4", IpNet::from(Ipv4Net::default()))),
        "ipv6" => Some(("IPv6", IpNet::from(Ipv6Net::default()))),
        _ => None,
    };
    let (label, net) = of(c.word(0))?;
    let carries = ["over", "in", "via"];
    let wraps = c.any(0, &["ipv4", "ipv6"]) && c.any(1, &carries) && of(c.word(2)).is_some();
    let is_wrapper =
        carries.contains(&c.before(1)) && (of(c.before(2)).is_some() || number_of(c.before(2)) == Some(47));
    let led = matches!(c.before(1), "over" | "via" | "using");
    // "ipv4 and ipv6 traffic" is one list.
    let listed = c.any(1, &["and", "or", "nor"]) && of(c.word(2)).is_some();
    let noun = c.any(
        if listed { 3 } else { 1 },
        &["traffic", "flow", "flows", "connection", "connections", "session", "sessions", "only"],
    );
    if wraps || is_wrapper || !(led || noun) {
        return None;
    }
    Item::new(1, Slot::Protocol, label, Filter::Ip { end: End::Any, net }).echoed().found()
}

fn protocol(c: &Cursor) -> Option<Found> {
    let marker = marker(c);
    let word = c.word(marker);
    if word == "icmp" {
        let either = any_of(vec![Filter::Protocol(1), Filter::Protocol(58)]);
        return Item::new(marker + 1, Slot::Protocol, "ICMP", either).echoed().found();
    }
    if marker > 0 && !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        return match word.parse::<u8>() {
            Ok(number) => {
                let label = format!("IP protocol {number}");
                Item::new(marker + 1, Slot::Protocol, label, Filter::Protocol(number)).found()
            }
            Err(_) => note(marker + 1, "an IP protocol is a number from 0 to 255"),
        };
    }
    let number = number_of(word)?;
    let uncertain = UNCERTAIN.iter().any(|(name, _)| *name == word);
    if uncertain && marker == 0 && !c.any(1, CARRIED) {
        return None;
    }
    Item::new(marker + 1, Slot::Protocol, word.to_uppercase(), Filter::Protocol(number)).echoed().found()
}

/// The number of a protocol by its name, lower case.
pub(super) fn number_of(name: &str) -> Option<u8> {
    NAMES.iter().chain(UNCERTAIN).find(|(known, _)| *known == name).map(|&(_, number)| number)
}

/// "protocol", "ip protocol is": tokens before a name or number.
fn marker(c: &Cursor) -> usize {
    let ip = usize::from(c.word(0) == "ip" && c.any(1, &["protocol", "proto"]));
    if !c.any(ip, &["protocol", "proto", "flow.protocol"]) {
        return 0;
    }
    ip + 1 + c.skip(ip + 1).run(&["number", "is", "="], 2)
}
