//! Services by the names and aliases of `forebay_event::service::SERVICES`.
//!
//! A name that means nothing else is a condition wherever it stands, and it stays among the words, because the query
//! network knows it too. A name that is also an ordinary word ("mail", "ping", "oracle") is one only after "service" or
//! before "traffic" and the like. "dns over https" is neither DNS nor any other HTTPS, so it stays words.

use forebay_event::service::{SERVICES, place_of};

use super::item::{Cursor, Found, Item, Slot, any_of, listed, note};
use super::protocol::number_of;
use crate::filter::Filter;

/// Names that are also words of other kinds.
const UNCERTAIN: &[&str] = &[
    "unknown",
    "web",
    "domain",
    "bonjour",
    "mail",
    "submission",
    "nats",
    "oracle",
    "rpc",
    "torrent",
    "ping",
    "s7",
    "cip",
    "tds",
    "tns",
    "turn",
    "stun",
    "jabber",
    "mongo",
    "rfb",
    "ike",
    "email",
    "kafka",
    "coap",
    "bootp",
    "portmap",
    "sip",
    "rtp",
];
/// After an uncertain name, what shows that a service is meant.
const CARRIED: &[&str] = &[
    "traffic",
    "connection",
    "connections",
    "flow",
    "flows",
    "session",
    "sessions",
    "request",
    "requests",
    "packets",
    "protocol",
    "queries",
    "service",
    "messages",
    "calls",
];

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    let marker = marker(c);
    let word = c.word(marker);
    if marker == 0 && is_wrapped(c) {
        return None;
    }
    if matches!(word, "http(s)" | "http/https" | "http/s") {
        return group(marker + 1, &["http", "tls"]);
    }
    let uncertain = UNCERTAIN.contains(&word);
    let carried = c.any(marker + 1, CARRIED) && word != "unknown" && word != "domain";
    if uncertain && marker == 0 && !carried && !(word == "unknown" && c.word(1) == "service") {
        return None;
    }
    match word {
        "web" => return group(marker + 1, &["http", "tls", "quic"]),
        "mail" | "email" => return group(marker + 1, &["smtp", "imap", "pop3"]),
        _ => {}
    }
    let Some(place) = place_of(word) else {
        let equated = marker > 0 && c.any(marker - 1, &["="]);
        return if equated && is_name(word) { unknown(marker + 1, word) } else { None };
    };
    let name = SERVICES[place].name;
    let label = if name == word { name.to_owned() } else { format!("{word} ({name})") };
    let mut item = Item::new(marker + 1, Slot::Service, label, Filter::Service(name.to_owned()));
    item.echo = word != "unknown";
    item.found()
}

/// Whether "X over Y" follows or precedes, of two services: a third thing.
fn is_wrapped(c: &Cursor) -> bool {
    let is_service = |word: &str| place_of(word).is_some() && number_of(word).is_none();
    let wraps = |word: &str| matches!(word, "over" | "via" | "through" | "inside" | "in");
    (wraps(c.word(1)) && is_service(c.word(0)) && is_service(c.word(2)))
        || (wraps(c.before(1)) && is_service(c.before(2)) && is_service(c.word(0)))
}

fn group(len: usize, names: &[&str]) -> Option<Found> {
    let labels: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let filter = any_of(labels.iter().cloned().map(Filter::Service).collect());
    Item::new(len, Slot::Service, listed(&labels), filter).echoed().found()
}

fn unknown(len: usize, word: &str) -> Option<Found> {
    let nearest = "its port can be asked for instead, as in “port 8080”";
    note(len, format!("no service is called {word}; {nearest}"))
}

fn is_name(word: &str) -> bool {
    word.len() <= 32 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// "service", "app.protocol =", "protocol": tokens before a name.
fn marker(c: &Cursor) -> usize {
    let head = match (c.word(0), c.word(1)) {
        ("application", "protocol") | ("service", "name") => 2,
        ("service" | "app.protocol" | "protocol" | "proto", _) => 1,
        _ => return 0,
    };
    head + c.skip(head).run(&["is", "="], 1)
}
