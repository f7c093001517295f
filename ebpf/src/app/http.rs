//! HTTP/1 (RFC 9112): request line, status line, and the Host field. HTTP/2 is recognised by its preface.

use super::{Finding, HostFinding, host};

const METHODS: [&[u8]; 16] = [
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PROPFIND ",
    b"PROPPATCH ",
    b"MKCOL ",
    b"MOVE ",
    b"COPY ",
    b"LOCK ",
    b"REPORT ",
];
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";
/// Fields of one request that are looked at.
const FIELDS_MAX: usize = 100;

/// Whether `payload` begins with HTTP, and which host it asks for.
pub(crate) fn recognise(payload: &[u8]) -> Option<Finding> {
    let finding = |host| Some(Finding { protocol: "http", host });
    if payload.starts_with(PREFACE) {
        return finding(HostFinding::Never);
    }
    if payload.starts_with(b"HTTP/1.") {
        return finding(HostFinding::Later);
    }
    if !METHODS.iter().any(|method| payload.starts_with(method)) {
        return None;
    }
    let mut lines = payload.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let request = lines.next()?;
    let is_http = request.windows(6).any(|window| window == b" HTTP/");
    // RTSP and SIP share the shape of the line; a line that this packet cuts off counts as HTTP.
    if !is_http && payload.contains(&b'\n') {
        return None;
    }
    let field = lines.take(FIELDS_MAX).take_while(|line| !line.is_empty()).find_map(host_field);
    finding(field.map_or(HostFinding::Later, |value| host::clean(without_port(value))))
}

fn host_field(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    name.eq_ignore_ascii_case(b"host").then(|| value.trim_ascii())
}

/// `host:port` without its port; an address of IPv6 without its brackets.
fn without_port(value: &[u8]) -> &[u8] {
    if let Some(inner) = value.strip_prefix(b"[") {
        let end = inner.iter().position(|byte| *byte == b']').unwrap_or(inner.len());
        return &inner[..end];
    }
    let end = value.iter().position(|byte| *byte == b':').unwrap_or(value.len());
    &value[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(payload: &[u8]) -> Option<HostFinding> {
        recognise(payload).map(|finding| finding.host)
    }

    #[test]
    fn the_host_field_is_found_without_its_port() {
        let name = |text: &str| Some(HostFinding::Name(text.to_owned()));
        assert_eq!(host(b"GET /x HTTP/1.1\r\nAccept: *\r\nhOsT:  A.example:8080\r\n\r\n"), name("a.example"));
        assert_eq!(host(b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"), name("2001:db8::1"));
        assert_eq!(host(b"GET / HTTP/1.1\r\n\r\nHost: body"), Some(HostFinding::Later));
    }

    #[test]
    fn other_protocols_with_request_lines_are_not_http() {
        assert_eq!(host(b"OPTIONS rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n"), None);
        assert_eq!(host(b"GETTING things\r\n"), None);
    }
}
