//! Tokens: the words of a question with their places.
//!
//! A chunk between white space loses the punctuation around it; operators (`>=`, `->`), keys (`port:22`), a leading
//! `non-` and words joined by a slash come apart. What holds together as one thing stays one token: an address with
//! its prefix, `1,000`, `02:00-03:00`, a URL. Spans are bytes of the text, always on character boundaries.

use std::ops::Range;

/// What stood between a token and the one before it, besides space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sep {
    None,
    Comma,
    Slash,
    Stop,
}

/// A word, number or operator.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) span: Range<usize>,
    /// Lower case, operators in one spelling.
    pub(super) low: String,
    pub(super) sep: Sep,
    /// An operator never stays among the words.
    pub(super) operator: bool,
}

/// Cuts `text` into tokens. There are never more of them than characters.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut out = Tokens { text, list: Vec::new(), sep: Sep::None };
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (c.is_whitespace(), start) {
            (true, Some(from)) => {
                out.chunk(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    if let Some(from) = start {
        out.chunk(from..text.len());
    }
    out.list
}

const OPENING: &[char] = &['(', '[', '{', '"', '\'', '“', '‘', '`', '«', '„', '¿', '¡', '|', ','];
const CLOSING: &[char] = &[')', ']', '}', '"', '\'', '”', '’', '`', '»', ',', ';', '.', '?', '!', ':', '…', '|'];
/// Longest first, each with its one spelling.
const OPERATORS: &[(&str, &str)] = &[
    ("<->", "<->"),
    ("->", "->"),
    ("=>", "->"),
    ("<=", "<="),
    (">=", ">="),
    ("==", "="),
    ("!=", "!="),
    ("&&", "and"),
    ("||", "or"),
    ("↔", "<->"),
    ("→", "->"),
    ("≤", "<="),
    ("≥", ">="),
    ("≠", "!="),
    ("<", "<"),
    (">", ">"),
    ("=", "="),
    ("&", "and"),
    ("~", "~"),
];
/// What may stand before a colon as the name of a field.
const KEYS: &[&str] = &[
    "src",
    "dst",
    "source",
    "destination",
    "from",
    "to",
    "port",
    "ports",
    "sport",
    "dport",
    "src_port",
    "dst_port",
    "src_ip",
    "dst_ip",
    "ip",
    "net",
    "host",
    "hostname",
    "sni",
    "proto",
    "protocol",
    "service",
    "verdict",
    "family",
    "app.host",
    "app.protocol",
    "class.family",
    "class.verdict",
    "flow.src_ip",
    "flow.dst_ip",
    "flow.src_port",
    "flow.dst_port",
    "flow.protocol",
    "before",
    "after",
    "since",
    "until",
    "duration",
    "bytes",
    "packets",
    "site",
];
/// Words with a slash that are one thing.
const WHOLE: &[&str] = &["tcp/ip", "ethernet/ip", "n/a"];

/// First parts of the names of time zones.
const ZONE_AREAS: &[&str] = &[
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Etc",
    "Europe",
    "Indian",
    "Pacific",
];

struct Tokens<'a> {
    text: &'a str,
    list: Vec<Token>,
    sep: Sep,
}

impl Tokens<'_> {
    fn chunk(&mut self, span: Range<usize>) {
        let (inner, after) = self.peel(span);
        if !inner.is_empty() {
            self.split_commas(inner);
        }
        self.raise(after);
    }

    /// Takes the punctuation off both ends and says what it separates.
    fn peel(&self, mut span: Range<usize>) -> (Range<usize>, Sep) {
        let mut after = Sep::None;
        // `[::1]:443` and `[fe80::1]` keep their brackets.
        let bracketed = self.text[span.clone()].starts_with('[') && self.text[span.clone()].contains("::");
        while let Some(c) = self.text[span.clone()].chars().next().filter(|c| OPENING.contains(c) && !bracketed) {
            span.start += c.len_utf8();
        }
        while let Some(c) = self.text[span.clone()].chars().next_back().filter(|c| CLOSING.contains(c)) {
            let opens_inside = match c {
                ')' => self.text[span.clone()].contains('('),
                ']' => bracketed,
                ':' => self.text[span.clone()].ends_with("::"),
                _ => false,
            };
            if opens_inside {
                break;
            }
            span.end -= c.len_utf8();
            after = match c {
                ',' => later(after, Sep::Comma),
                ';' | '.' | '?' | '!' => later(after, Sep::Stop),
                _ => after,
            };
        }
        for tail in ["'s", "’s"] {
            if self.text[span.clone()].ends_with(tail) {
                span.end -= tail.len();
            }
        }
        (span, after)
    }

    fn split_commas(&mut self, span: Range<usize>) {
        let piece = &self.text[span.clone()];
        if !piece.contains(',') || (is_grouped(piece) && !self.lists_ports()) || piece.contains("://") {
            return self.split_operators(span);
        }
        let mut from = span.start;
        for (at, _) in piece.match_indices(',') {
            self.split_operators(from..span.start + at);
            self.raise(Sep::Comma);
            from = span.start + at + 1;
        }
        self.split_operators(from..span.end);
    }

    /// Whether the next number is one of a list of ports: "ports 80,443" is no grouped number.
    fn lists_ports(&self) -> bool {
        self.list.last().is_some_and(|last| {
            let numeric = last.low.bytes().all(|b| b.is_ascii_digit());
            last.low.ends_with("port") || last.low.ends_with("ports") || (numeric && self.sep == Sep::Comma)
        })
    }

    fn split_operators(&mut self, span: Range<usize>) {
        let piece = &self.text[span.clone()];
        if piece.contains("://") {
            return self.push(span);
        }
        let mut from = 0;
        let mut at = 0;
        while at < piece.len() {
            let rest = &piece[at..];
            if let Some((spelling, one)) = OPERATORS.iter().find(|(spelling, _)| rest.starts_with(spelling)) {
                self.split_key(span.start + from..span.start + at);
                self.operator(span.start + at..span.start + at + spelling.len(), one);
                at += spelling.len();
                from = at;
            } else {
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        self.split_key(span.start + from..span.end);
    }

    fn split_key(&mut self, mut span: Range<usize>) {
        if self.text[span.clone()].starts_with('!') {
            self.operator(span.start..span.start + 1, "not");
            span.start += 1;
        }
        if let Some((key, value)) = self.text[span.clone()].split_once(':')
            && !value.is_empty()
            && KEYS.contains(&key.to_lowercase().as_str())
        {
            let colon = span.start + key.len();
            self.push(span.start..colon);
            return self.split_prefix(colon + 1..span.end);
        }
        self.split_prefix(span);
    }

    fn split_prefix(&mut self, mut span: Range<usize>) {
        let low = self.text[span.clone()].to_ascii_lowercase();
        if low.starts_with("non-") && low.len() > 4 {
            self.push(span.start..span.start + 3);
            span.start += 4;
        }
        let low = &self.text[span.clone()].to_ascii_lowercase();
        if let Some(head) = ["-only", "-packet", "-packets"].iter().find_map(|tail| low.strip_suffix(tail))
            && !head.is_empty()
        {
            self.push(span.start..span.start + head.len());
            return self.push(span.start + head.len() + 1..span.end);
        }
        self.split_slash(span);
    }

    fn split_slash(&mut self, span: Range<usize>) {
        let piece = &self.text[span.clone()];
        if let Some((left, right)) = piece.split_once('/')
            && [left, right].iter().all(|side| side.len() > 1 && side.chars().all(|c| c.is_ascii_alphabetic()))
            && !WHOLE.contains(&piece.to_lowercase().as_str())
            && !right.eq_ignore_ascii_case("sec")
            && !ZONE_AREAS.contains(&left)
        {
            let slash = span.start + left.len();
            self.push(span.start..slash);
            self.raise(Sep::Slash);
            return self.push(slash + 1..span.end);
        }
        self.push(span);
    }

    fn operator(&mut self, span: Range<usize>, one: &str) {
        self.list.push(Token { span, low: one.to_owned(), sep: self.sep, operator: true });
        self.sep = Sep::None;
    }

    fn push(&mut self, span: Range<usize>) {
        let raw = &self.text[span.clone()];
        if raw.chars().any(|c| c.is_alphanumeric() || !c.is_ascii()) || raw.contains("::") {
            // One apostrophe, so that “don’t” is "don't".
            let low = raw.to_lowercase().replace('’', "'");
            self.list.push(Token { span, low, sep: self.sep, operator: false });
            self.sep = Sep::None;
        }
    }

    fn raise(&mut self, sep: Sep) {
        self.sep = later(self.sep, sep);
    }
}

/// Of two separators between the same tokens, the stronger.
fn later(one: Sep, other: Sep) -> Sep {
    let strength = |sep| match sep {
        Sep::None => 0,
        Sep::Slash => 1,
        Sep::Comma => 2,
        Sep::Stop => 3,
    };
    if strength(other) > strength(one) { other } else { one }
}

/// Whether the commas of `piece` group the digits of one number: `1,000`, `>1,000,000`, `1,500kB`.
fn is_grouped(piece: &str) -> bool {
    let digits = piece.trim_start_matches(['<', '>', '=', '≤', '≥', '~']);
    let mut groups = digits.split(',');
    let first = groups.next().unwrap_or("");
    let mut rest = groups.peekable();
    if !(1..=3).contains(&first.len()) || !first.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    while let Some(group) = rest.next() {
        let count = group.bytes().take_while(u8::is_ascii_digit).count();
        let tail = group.get(count..).unwrap_or("");
        if count != 3 || (rest.peek().is_some() && !tail.is_empty()) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.low).collect()
    }

    #[test]
    fn things_that_belong_together_stay_together() {
        assert_eq!(cut("From 10.0.0.0/8, (over 1,000 kB)."), ["from", "10.0.0.0/8", "over", "1,000", "kb"]);
        assert_eq!(cut("[::1]:443 and [fe80::1]"), ["[::1]:443", "and", "[fe80::1]"]);
        assert_eq!(cut("http://a.org/x?a=1,2 tcp/22 tcp/ip"), ["http://a.org/x?a=1,2", "tcp/22", "tcp/ip"]);
    }

    #[test]
    fn things_that_are_apart_come_apart() {
        assert_eq!(cut("smean>=500 port:22 non-TLS"), ["smean", ">=", "500", "port", "22", "non", "tls"]);
        assert_eq!(cut("22,80,443 ssh/telnet a→b"), ["22", "80", "443", "ssh", "telnet", "a", "->", "b"]);
        assert_eq!(cut("single-packet syn-only !dns"), ["single", "packet", "syn", "only", "not", "dns"]);
        assert_eq!(tokens("a/b ssh/rdp, dns")[2].sep, Sep::Slash);
        assert_eq!(tokens("a/b ssh/rdp, dns")[3].sep, Sep::Comma);
    }
}
