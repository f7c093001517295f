//! Host names: "host example.org", "to www.example.org", "sni contains foo", "*.example.org", a URL, a bare name under
//! a known top-level domain.

use super::item::{Cursor, Found, Item, Slot, all, any_of, listed, note};
use super::lead::lead;
use super::network::{Parsed, parse};
use super::tld;
use crate::filter::{End, Filter, HostMatch};

/// Bytes of a host name (RFC 1035).
const HOST_MAX: usize = 253;
/// Names in one list.
const LIST_MAX: usize = 16;

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    compared(c).or_else(|| named(c)).or_else(|| url(c))
}

const MARKERS: &[&str] = &[
    "app.host",
    "server name",
    "host name",
    "http host",
    "dns name",
    "domain name",
    "tls sni",
    "hostname",
    "sni",
    "host",
    "domain",
    "site",
    "website",
];

/// "sni contains foo", "host = example.org", "hostname ending in .org".
fn compared(c: &Cursor) -> Option<Found> {
    let marker = c.phrase(MARKERS)?;
    let ways: &[(&[&str], HostMatch)] = &[
        (
            &["contains", "containing", "with", "like", "includes", "including", "matching", "matches"],
            HostMatch::Contains,
        ),
        (&["ending in", "ending with", "ends in", "ends with", "under", "below"], HostMatch::Domain),
        (&["is exactly", "exactly", "=", "equals"], HostMatch::Exact),
    ];
    let (op_len, how) = ways.iter().find_map(|(words, how)| c.skip(marker).phrase(words).map(|len| (len, *how)))?;
    let len = marker + op_len + 1;
    let word = c.word(len - 1);
    if word.len() > HOST_MAX {
        return note(len, "a host name has at most 253 bytes");
    }
    let word = word.trim_matches('*').trim_start_matches(if how == HostMatch::Domain { "." } else { "" });
    let is_field = matches!(c.word(0), "sni" | "hostname" | "app.host" | "host" | "server" | "http" | "tls" | "dns");
    if word.is_empty() || !is_field || !is_name(word) || parse(word).is_some() {
        return None;
    }
    // "host with malware" is prose; "sni with foo" is not.
    if c.any(marker, &["with", "like", "including", "under", "below"]) && c.word(0) == "host" && !word.contains('.') {
        return None;
    }
    let mut found = vec![word];
    let mut len = len;
    while let Some(other) = alternative(&c.skip(len)).filter(|_| found.len() < LIST_MAX) {
        found.push(other);
        len += 2;
    }
    let filters = found.iter().map(|host| Filter::Host { how, host: (*host).to_owned() }).collect();
    let labels: Vec<String> = found.iter().map(|host| (*host).to_owned()).collect();
    Item::new(len, Slot::Host, label(how, &listed(&labels)), any_of(filters)).found()
}

/// "or facebook" after "sni contains google": one more plain word, where nothing belongs to that word.
fn alternative<'a>(c: &Cursor<'a>) -> Option<&'a str> {
    let word = c.word(1);
    let ends = c.sep(2) != super::token::Sep::None
        || c.any(2, &["or", "and", "from", "to", "on", "last", "yesterday", "today", "over", "not"]);
    let plain = is_name(word) && forebay_event::service::place_of(word).is_none() && parse(word).is_none();
    (c.word(0) == "or" && c.sep(0) == super::token::Sep::None && ends && plain).then_some(word)
}

/// A name after a lead, or on its own.
fn named(c: &Cursor) -> Option<Found> {
    let lead = lead(c);
    let mut len = lead.len;
    let marked = lead.host || c.any(len, &["sni"]);
    len += usize::from(c.any(len, &["sni"])) + c.skip(len + usize::from(c.any(len, &["sni"]))).run(&["=", "is"], 1);
    let mut word = c.word(len);
    let port = word.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse::<u16>().ok()?)));
    if let Some((name, _)) = port {
        word = name;
    }
    let trusted = marked || lead.directed;
    let wild = word.starts_with("*.") || word.starts_with('.');
    if let Some(inner) = word.strip_prefix('*').and_then(|rest| rest.strip_suffix('*')) {
        let usable = !inner.is_empty() && is_name(inner.trim_matches('.'));
        return if usable { built(len + 1, HostMatch::Contains, inner, lead.directed) } else { None };
    }
    let name = word.trim_start_matches('*').trim_start_matches('.');
    let colon =
        c.sep(len) == super::token::Sep::None && c.any(0, &["host", "sni", "hostname", "app.host", "site"]) && len == 1;
    let quoted_field = colon
        && c.tokens
            .get(c.at)
            .zip(c.token(1))
            .is_some_and(|(key, value)| c.text.get(key.span.end..value.span.start) == Some(":"));
    if !(is_dotted(name, trusted || wild) || quoted_field && is_name(name)) {
        return None;
    }
    if port.is_some_and(|_| name.is_empty()) {
        return None;
    }
    let how = HostMatch::Domain;
    let Some(Found::Item(mut item)) = built(len + 1, how, name, lead.directed) else { return None };
    if let Some((_, port)) = port {
        item = with_port(item, port);
    }
    item.found()
}

/// The host, and the port if it names one, of a URL.
fn url(c: &Cursor) -> Option<Found> {
    let lead = lead(c);
    let (scheme, rest) = c.word(lead.len).split_once("://")?;
    if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
    let len = lead.len + 1;
    if let Some(Parsed::Networks(networks)) = parse(authority) {
        let label = format!("to {}", networks.label);
        return Item::new(len, Slot::Address(End::Dst), label, networks.filter(End::Dst)).directed(true).found();
    }
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse::<u16>())),
        None => (authority, None),
    };
    if !is_name(name) || name.is_empty() {
        return None;
    }
    let Some(Found::Item(item)) = built(len, HostMatch::Domain, name, true) else { return None };
    match port {
        Some(Ok(port)) => with_port(item, port).found(),
        Some(Err(_)) => note(len, "a port is a number from 0 to 65535"),
        None => item.found(),
    }
}

fn with_port(item: Item, port: u16) -> Item {
    let label = format!("{} port {port}", item.label);
    let filter = all(vec![item.filter, Filter::Port { end: End::Any, from: port, to: port }]);
    Item { label, filter, ..item }
}

fn built(len: usize, how: HostMatch, host: &str, directed: bool) -> Option<Found> {
    let filter = Filter::Host { how, host: host.to_owned() };
    Item::new(len, Slot::Host, label(how, host), filter).directed(directed).found()
}

fn label(how: HostMatch, host: &str) -> String {
    match how {
        HostMatch::Exact => format!("host exactly {host}"),
        HostMatch::Domain => format!("host under {host}"),
        HostMatch::Contains => format!("host contains {host}"),
    }
}

/// Whether `name` is a dotted name that can be taken for a host: known top level, and not the name of a file unless
/// something else says host.
fn is_dotted(name: &str, trusted: bool) -> bool {
    let Some((rest, top)) = name.rsplit_once('.') else { return false };
    is_name(name)
        && rest.chars().any(char::is_alphabetic)
        && match tld::kind(top) {
            tld::Kind::Sure => true,
            tld::Kind::AlsoFile => trusted || rest.contains('.'),
            tld::Kind::Unknown => false,
        }
}

/// Labels of letters, digits, hyphens and underscores.
fn is_name(name: &str) -> bool {
    name.len() <= HOST_MAX
        && !name.is_empty()
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}
