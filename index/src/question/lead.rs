//! What leads to an address, a port or a host: prepositions and nouns such as "from the source address".

use super::item::Cursor;
use crate::filter::End;

/// The words before an object, up to it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lead {
    /// Tokens.
    pub(super) len: usize,
    /// The end of the flow that the words name.
    pub(super) end: Option<End>,
    /// A preposition was among them.
    pub(super) directed: bool,
    /// The last noun: `host`, `server` and the like.
    pub(super) host: bool,
}

/// Tokens that a lead may have.
const LEAD_MAX: usize = 6;

const SRC: &[&str] = &["from", "by", "leaving", "src", "source", "src_ip", "srcip", "saddr", "flow.src_ip", "sources"];
const DST: &[&str] = &[
    "to",
    "into",
    "towards",
    "toward",
    "against",
    "targeting",
    "reaching",
    "hitting",
    "contacting",
    "dst",
    "dest",
    "destination",
    "dst_ip",
    "dstip",
    "daddr",
    "flow.dst_ip",
    "destinations",
    "->",
];
const EITHER: &[&str] =
    &["with", "on", "in", "at", "of", "for", "via", "involving", "about", "over", "through", "visiting", "near"];
const VERBS: &[&str] = &[
    "coming",
    "originating",
    "originated",
    "sent",
    "initiated",
    "started",
    "opened",
    "made",
    "out",
    "sourced",
    "going",
    "destined",
    "directed",
    "addressed",
    "headed",
    "bound",
    "talking",
    "connecting",
    "connected",
    "speaking",
];
const NOUNS: &[&str] = &[
    "the",
    "a",
    "an",
    "any",
    "our",
    "my",
    "ip",
    "ips",
    "ipv4",
    "ipv6",
    "addr",
    "address",
    "addresses",
    "machine",
    "machines",
    "network",
    "networks",
    "subnet",
    "subnets",
    "net",
    "nets",
    "range",
    "block",
    "prefix",
    "is",
    "=",
    "hosts",
    "computer",
];
const HOSTS: &[&str] = &["host", "server", "site", "website", "domain", "hostname", "app.host", "name", "client"];

/// Reads what leads to an object at the cursor; of length 0 where nothing does.
pub(super) fn lead(c: &Cursor) -> Lead {
    let mut lead = Lead::default();
    while lead.len < LEAD_MAX {
        let word = c.word(lead.len);
        if SRC.contains(&word) || (word == "of" && c.word(lead.len.wrapping_sub(1)) == "out") {
            // "to source 10.0.0.1" does not occur; "from destination ..." neither: the later word decides.
            lead.end = Some(End::Src);
            lead.directed = true;
        } else if DST.contains(&word) {
            lead.end = Some(End::Dst);
            lead.directed = true;
        } else if EITHER.contains(&word) {
            lead.directed = true;
        } else if HOSTS.contains(&word) {
            lead.host = true;
            if lead.end.is_none() && !lead.directed {
                lead.end = match word {
                    "client" => Some(End::Src),
                    "server" => Some(End::Dst),
                    _ => None,
                };
            }
        } else if matches!(word, "ipv4" | "ipv6") && is_preposition(c.word(lead.len + 1)) {
            // "over ipv6 to port 53": a condition of its own.
            break;
        } else if !(NOUNS.contains(&word) || VERBS.contains(&word) && verb_leads(c, lead.len)) {
            break;
        }
        lead.len += 1;
    }
    lead
}

fn is_preposition(word: &str) -> bool {
    SRC.contains(&word) || DST.contains(&word) || EITHER.contains(&word)
}

/// Whether the end of a flow follows a verb: "coming from", but not "sent 5 packets".
fn verb_leads(c: &Cursor, at: usize) -> bool {
    let next = c.word(at + 1);
    SRC.contains(&next) || DST.contains(&next) || (next == "of" && c.word(at) == "out") || next == "with"
}

/// `source`, `destination`, or nothing, with a space after it.
pub(super) fn adjective(end: End) -> &'static str {
    match end {
        End::Src => "source ",
        End::Dst => "destination ",
        End::Any => "",
    }
}
