//! Protocols that begin with readable text.

/// Names that [`recognise`] gives.
#[cfg(test)]
pub(crate) const NAMES: [&str; 12] =
    ["ssh", "smtp", "ftp", "pop3", "imap", "vnc", "redis", "nats", "sip", "rtsp", "irc", "xmpp"];

/// Texts that settle the protocol by how they begin.
const BEGINNINGS: [(&[u8], &str); 30] = [
    (b"SSH-", "ssh"),
    (b"EHLO ", "smtp"),
    (b"HELO ", "smtp"),
    (b"LHLO ", "smtp"),
    (b"MAIL FROM:", "smtp"),
    (b"+OK", "pop3"),
    (b"* OK", "imap"),
    (b"* PREAUTH", "imap"),
    (b"RFB 00", "vnc"),
    (b"+PONG\r\n", "redis"),
    (b"PING\r\n", "redis"),
    (b"INFO {", "nats"),
    (b"CONNECT {", "nats"),
    (b"SIP/2.0 ", "sip"),
    (b"INVITE sip", "sip"),
    (b"REGISTER sip", "sip"),
    (b"OPTIONS sip", "sip"),
    (b"SUBSCRIBE sip", "sip"),
    (b"MESSAGE sip", "sip"),
    (b"NOTIFY sip", "sip"),
    (b"ACK sip", "sip"),
    (b"BYE sip", "sip"),
    (b"RTSP/1.0 ", "rtsp"),
    (b"DESCRIBE rtsp:", "rtsp"),
    (b"OPTIONS rtsp:", "rtsp"),
    (b"SETUP rtsp:", "rtsp"),
    (b"NICK ", "irc"),
    (b":irc.", "irc"),
    (b"<?xml version='1.0'?><stream:stream", "xmpp"),
    (b"<stream:stream", "xmpp"),
];

/// The protocol whose text `payload` begins with.
pub(crate) fn recognise(payload: &[u8]) -> Option<&'static str> {
    let beginning = BEGINNINGS.iter().find(|(text, _)| payload.starts_with(text)).map(|(_, name)| *name);
    beginning.or_else(|| greeting(payload)).or_else(|| redis_array(payload))
}

/// `220` greets in both mail and file transfer: the rest of the line tells, or nothing does.
fn greeting(payload: &[u8]) -> Option<&'static str> {
    if !payload.starts_with(b"220 ") && !payload.starts_with(b"220-") {
        return None;
    }
    let line = payload.split(|byte| *byte == b'\n').next()?.to_ascii_lowercase();
    let holds = |word: &[u8]| line.windows(word.len()).any(|window| window == word);
    if holds(b"smtp") || holds(b"mail") {
        Some("smtp")
    } else if holds(b"ftp") {
        Some("ftp")
    } else {
        None
    }
}

/// A command of the Redis protocol: `*2\r\n$4\r\n...`.
fn redis_array(payload: &[u8]) -> Option<&'static str> {
    let digits = payload.strip_prefix(b"*")?;
    let count = digits.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0 && digits[count..].starts_with(b"\r\n$")).then_some("redis")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_settle_the_name() {
        assert_eq!(recognise(b"*2\r\n$4\r\nLLEN\r\n$1\r\nx\r\n"), Some("redis"));
        assert_eq!(recognise(b"220 hello\r\n"), None);
        assert_eq!(recognise(b"220-Welcome to Pure-FTPd\r\n"), Some("ftp"));
        assert!(BEGINNINGS.iter().all(|(_, name)| NAMES.contains(name)));
    }
}
