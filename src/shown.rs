//! Values of an event as a person reads them on a terminal.

use forebay_event::Event;
use forebay_event::service::{SERVICES, service_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `text` with everything that is not a printable character written as its code: names in an event were chosen by whoever
/// sent the packets, and a terminal obeys control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if is_plain(c) { vec![c] } else { c.escape_unicode().collect() }).collect()
}

/// The same for text of several lines, which stay lines.
pub(crate) fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// Neither a control character nor one that hides or reorders its neighbours.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A time in the zone of the machine, to the second.
pub(crate) fn time(us: i64) -> String {
    match Timestamp::from_microsecond(us) {
        Ok(time) => time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{us} us"),
    }
}

/// Bytes with three digits and a decimal unit.
pub(crate) fn bytes(count: f64) -> String {
    let mut value = count;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if value < 999.5 || unit == "TB" {
            return if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{count:.0} B")
}

/// A duration given in microseconds.
pub(crate) fn duration(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{us:.0} us"),
        us if us < 1e6 => format!("{:.1} ms", us / 1e3),
        us if us < 60e6 => format!("{:.1} s", us / 1e6),
        us if us < 3600e6 => format!("{:.1} min", us / 60e6),
        us => format!("{:.1} h", us / 3600e6),
    }
}

/// An end of the flow, with its port if the protocol has ports.
pub(crate) fn end(ip: std::net::IpAddr, port: u16) -> String {
    if port == 0 { ip.to_string() } else { std::net::SocketAddr::new(ip, port).to_string() }
}

/// What the flow speaks: the service, or the protocol's number where none is known.
pub(crate) fn service(event: &Event) -> String {
    if let Some(name) = &event.app.protocol {
        return printable(name);
    }
    match (service_of(event), event.flow.protocol) {
        (0, 6) => "tcp".to_owned(),
        (0, 17) => "udp".to_owned(),
        (0, protocol) => format!("protocol {protocol}"),
        (place, _) => SERVICES[place].name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        assert_eq!(printable("\u{1b}[2Jexample\u{202e}.org é"), "\\u{1b}[2Jexample\\u{202e}.org é");
    }

    #[test]
    fn amounts_have_their_units() {
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(15_300_000.0), "15.3 MB");
        assert_eq!(duration(1500.0), "1.5 ms");
        assert_eq!(duration(90e6), "1.5 min");
        assert_eq!(end("::1".parse().unwrap(), 53), "[::1]:53");
    }
}
