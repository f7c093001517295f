//! Addresses: "from 10.0.0.0/8", "to 10.0.0.1 or 10.0.0.2", "between A and B", "from outside", "A -> B".

use super::item::{Cursor, Found, Item, Slot, all, any_of, empty_note, listed};
use super::lead::{Lead, lead};
use super::network::{Networks, Parsed, parse};
use crate::filter::{End, Filter};

/// Addresses in one list.
const LIST_MAX: usize = 16;

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    between(c).or_else(|| zones(c)).or_else(|| arrow(c)).or_else(|| list(c))
}

/// A lead and one or more addresses or sets.
fn list(c: &Cursor) -> Option<Found> {
    let lead = lead(c);
    let mut len = lead.len;
    let negative = c.any(len, &["!="]);
    len += usize::from(negative);
    let mut objects = Vec::new();
    loop {
        match object(&c.skip(len), &lead, objects.is_empty()) {
            Some((used, Ok(networks))) => {
                len += used;
                objects.push(networks);
            }
            Some((used, Err(reason))) => return empty_note(len + used, reason),
            None if objects.is_empty() => return None,
            None => break,
        }
        let joint = c.skip(len).joint().map(|joint| (joint, object(&c.skip(len + joint), &lead, false)));
        match joint {
            Some((joint, Some((_, Ok(_))))) if objects.len() < LIST_MAX => len += joint,
            _ => break,
        }
    }
    let (end, tail) = end_of(c, &lead, len);
    let item = built(&objects, end, len + tail).directed(lead.directed);
    if negative {
        let label = format!("not {}", item.label);
        let filter = Filter::Not(Box::new(item.filter.clone()));
        return Item { label, filter, ..item }.found();
    }
    item.found()
}

fn built(objects: &[Networks], end: End, len: usize) -> Item {
    let labels: Vec<String> = objects.iter().map(|object| object.label.clone()).collect();
    let filter = any_of(objects.iter().map(|object| object.filter(end)).collect());
    Item::new(len, Slot::Address(end), label(end, &listed(&labels)), filter)
}

fn label(end: End, what: &str) -> String {
    match end {
        End::Src => format!("from {what}"),
        End::Dst => format!("to {what}"),
        End::Any => format!("from or to {what}"),
    }
}

/// The end that the words around a list name, and how many words after it say so.
fn end_of(c: &Cursor, lead: &Lead, len: usize) -> (End, usize) {
    if let Some(tail) = c.skip(len).phrase(&["as source", "as the source", "as client", "as the client"]) {
        return (End::Src, tail);
    }
    if let Some(tail) = c.skip(len).phrase(&["as destination", "as the destination", "as server", "as the server"]) {
        return (End::Dst, tail);
    }
    let end = match lead.end {
        // Without a reply the sender is the source, so whoever gave none is the destination.
        Some(End::Src) if answer_before(c, &["no", "without", "never", "not", "unanswered"]) => End::Dst,
        // What is downloaded or answered "from" an address came from the destination, most often.
        Some(End::Src) if answer_before(c, &[]) => End::Any,
        Some(end) => end,
        None if arrow_after(&c.skip(len)) => End::Src,
        None => End::Any,
    };
    (end, 0)
}

const ANSWERS: &[&str] = &[
    "reply",
    "replies",
    "response",
    "responses",
    "answer",
    "answers",
    "answered",
    "unanswered",
    "downloaded",
    "download",
    "downloads",
    "downloading",
    "received",
    "receiving",
    "fetched",
    "returned",
    "received",
    "pulled",
];

/// Whether "from" follows a word for an answer; if `signs` are given, one of them must stand before that word.
fn answer_before(c: &Cursor, signs: &[&str]) -> bool {
    let back = (1..=2).find(|&back| ANSWERS.contains(&c.before(back)));
    back.is_some_and(|back| signs.is_empty() || (back..=back + 2).any(|before| signs.contains(&c.before(before))))
}

/// Whether the words here lead on to the other end: "10.0.0.1 talking to ...".
fn arrow_after(c: &Cursor) -> bool {
    let verbs = c.run(&["talking", "connecting", "connected", "connects", "sending", "speaking", "going", "talks"], 1);
    c.any(verbs, &["to", "->", "towards", "into"])
}

/// One address, or a set such as "outside"; how many tokens, and what it is or why it is none.
fn object(c: &Cursor, lead: &Lead, first: bool) -> Option<(usize, Result<Networks, String>)> {
    let article = c.run(&["the", "a", "an", "our", "any"], 1);
    if let Some(parsed) = parse(c.word(article)) {
        if c.before(1) == "version" || (c.word(article) == "::" && lead.len == 0) {
            return None;
        }
        return Some((
            article + 1,
            match parsed {
                Parsed::Networks(networks) => Ok(networks),
                Parsed::Bad(reason) => Err(reason),
            },
        ));
    }
    if first && lead.end.is_some() && is_part_of_address(c.word(0)) {
        let reason = format!("{} is not a whole address; write a prefix such as {0}.0/24", c.word(0));
        return Some((1, Err(reason)));
    }
    if lead.directed || lead.host || !first {
        zone(&c.skip(article)).map(|(len, zone)| (article + len, Ok(zone)))
    } else {
        bare_zone(c)
    }
}

/// `10.0.0`: three numbers, none too large.
fn is_part_of_address(word: &str) -> bool {
    word.split('.').count() == 3 && word.split('.').all(|part| part.parse::<u8>().is_ok())
}

const PLACES: &[&str] = &[
    "host",
    "hosts",
    "address",
    "addresses",
    "ip",
    "ips",
    "network",
    "networks",
    "net",
    "machine",
    "machines",
    "client",
    "clients",
    "server",
    "servers",
    "side",
    "range",
    "ranges",
    "subnet",
    "subnets",
    "systems",
    "computers",
    "lan",
    "world",
    "space",
];

/// "internal hosts", "outside", "the internet", "outside 10.0.0.0/8".
fn zone(c: &Cursor) -> Option<(usize, Networks)> {
    if let Some(networks) = Networks::by_name(c.word(0)) {
        return Some((1 + c.skip(1).run(PLACES, 1), networks));
    }
    if c.word(0) == "rfc" && c.word(1) == "1918" {
        return Networks::by_name("rfc1918").map(|networks| (2 + c.skip(2).run(PLACES, 1), networks));
    }
    let networks = match c.word(0) {
        "outside" | "internet" | "external" | "public" | "wan" => Networks::outside(),
        "inside" | "internal" | "private" | "intranet" | "lan" | "local" => Networks::inside(),
        _ => return None,
    };
    if let ("outside" | "inside", Some(Parsed::Networks(mut named))) = (c.word(0), parse(c.word(1))) {
        named.outside = c.word(0) == "outside";
        named.label = format!("{} {}", c.word(0), named.label);
        return Some((2, named));
    }
    let noun = matches!(c.word(0), "outside" | "internet" | "inside" | "intranet" | "lan" | "wan");
    let owner =
        if noun && c.any(1, &["the", "our", "my", "of"]) { c.skip(1).run(&["of", "the", "our", "my"], 2) } else { 0 };
    let places = c.skip(1 + owner).run(&["ip"], 1);
    let places = places + c.skip(1 + owner + places).run(PLACES, 1);
    match (noun, places) {
        (_, 1..) => Some((1 + owner + places, networks)),
        (true, 0) => Some((1, networks)),
        (false, 0) => is_boundary(c, 1).then_some((1, networks)),
    }
}

/// Without a preposition only "internal hosts", "localhost" and "outside 10.0.0.0/8" count.
fn bare_zone(c: &Cursor) -> Option<(usize, Result<Networks, String>)> {
    let adjective = c.any(0, &["internal", "external", "private", "public"]);
    let place = c.any(1, &["host", "hosts", "address", "addresses", "ip", "ips", "machine", "machines"]);
    let apart = c.word(0) == "outside" && matches!(parse(c.word(1)), Some(Parsed::Networks(_)));
    if c.word(0) == "localhost" || (adjective && place) || apart {
        return zone(c).map(|(len, zone)| (len, Ok(zone)));
    }
    None
}

/// Whether what stands `ahead` is not the noun that an adjective before it belongs to.
fn is_boundary(c: &Cursor, ahead: usize) -> bool {
    let after = [
        "",
        "to",
        "from",
        "and",
        "or",
        "but",
        "on",
        "over",
        "with",
        "without",
        "in",
        "at",
        "last",
        "yesterday",
        "today",
        "since",
        "between",
        "before",
        "after",
        "->",
        "not",
        "except",
        "via",
        "using",
        "port",
        "that",
        "which",
        "for",
        "during",
    ];
    c.any(ahead, &after) || c.sep(ahead) != super::token::Sep::None
}

/// "between A and B": both directions.
fn between(c: &Cursor) -> Option<Found> {
    let start = usize::from(c.word(0) == "between");
    let lead = Lead { directed: start > 0, ..Lead::default() };
    let nouns = c.skip(start).run(&["the", "host", "hosts", "ip", "client", "server", "network", "networks"], 2);
    let (first_len, first) = object(&c.skip(start + nouns), &lead, true)?;
    let joint = start + nouns + first_len;
    if !(start > 0 && c.any(joint, &["and", "&", "to"]) || c.word(joint) == "<->") {
        return None;
    }
    let second_at = joint + 1 + c.skip(joint + 1).run(&["the", "host", "client", "server", "network"], 2);
    let (second_len, second) = object(&c.skip(second_at), &Lead { directed: true, ..lead }, false)?;
    let len = second_at + second_len;
    let (first, second) = match (first, second) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(reason), _) | (_, Err(reason)) => return empty_note(len, reason),
    };
    let way = |from: &Networks, to: &Networks| all(vec![from.filter(End::Src), to.filter(End::Dst)]);
    let filter = Filter::Or(vec![way(&first, &second), way(&second, &first)]);
    let label = format!("between {} and {}", first.label, second.label);
    Item::new(len, Slot::Address(End::Any), label, filter).directed(true).found()
}

/// "internal to external", "internal traffic": both ends named by sets, without a preposition before the first.
fn zones(c: &Cursor) -> Option<Found> {
    let set = |word: &str| match word {
        "internal" | "inside" | "private" => Some(Networks::inside()),
        "external" | "outside" | "public" => Some(Networks::outside()),
        _ => None,
    };
    let first = set(c.word(0))?;
    let (second, len) = if c.any(1, &["to", "->"]) {
        let article = c.skip(2).run(&["the"], 1);
        (set(c.word(2 + article))?, 3 + article)
    } else if c.any(0, &["internal", "private"]) && c.any(1, &["traffic", "communication", "connections", "flows"]) {
        (first.clone(), 1)
    } else {
        return None;
    };
    let label = format!("from {} to {}", first.label, second.label);
    let filter = all(vec![first.filter(End::Src), second.filter(End::Dst)]);
    Item::new(len, Slot::Address(End::Any), label, filter).found()
}

/// "A -> B" is two conditions; the first is found here because of what follows it.
fn arrow(c: &Cursor) -> Option<Found> {
    let (len, networks) = object(c, &Lead::default(), true)?;
    if !arrow_after(&c.skip(len)) {
        return None;
    }
    match networks {
        Ok(networks) => built(&[networks], End::Src, len).found(),
        Err(reason) => empty_note(len, reason),
    }
}
