//! conn.log as Zeek writes it by default: `#` lines that name separator, fields and what unset looks like, then rows.

use crate::{Event, ParseError};

use super::super::records::{Decode, Decoded};
use super::super::time;
use super::Connection;

/// Most fields a header may name.
const FIELDS_MAX: usize = 256;

/// Reads rows under the header met last.
pub(crate) struct Decoder {
    separator: String,
    unset: String,
    fields: Vec<String>,
    headers_repeated: u64,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { separator: "\t".to_owned(), unset: "-".to_owned(), fields: Vec::new(), headers_repeated: 0 }
    }
}

impl Decode for Decoder {
    fn decode(&mut self, bytes: &[u8], event: &mut Event) -> Result<Decoded, ParseError> {
        let line = std::str::from_utf8(bytes).map_err(|_| ParseError::NotText)?;
        if let Some(directive) = line.strip_prefix('#') {
            self.direct(directive)?;
            return Ok(Decoded::Nothing);
        }
        if !self.fields.iter().any(|field| field == "conn_state" || field == "orig_pkts") {
            return Err(ParseError::invalid("#fields", "not those of a conn.log"));
        }
        super::fill(&self.row(line)?, bytes, event)?;
        Ok(Decoded::Event)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("headers_repeated", self.headers_repeated)]
    }
}

impl Decoder {
    fn direct(&mut self, directive: &str) -> Result<(), ParseError> {
        if let Some(separator) = directive.strip_prefix("separator ") {
            self.separator = unescape(separator)
                .filter(|separator| !separator.is_empty())
                .ok_or_else(|| ParseError::invalid("#separator", "not a character or \\xNN"))?;
            return Ok(());
        }
        let Some((name, rest)) = directive.split_once(self.separator.as_str()) else { return Ok(()) };
        match name {
            "unset_field" => rest.clone_into(&mut self.unset),
            "fields" => {
                self.headers_repeated += u64::from(!self.fields.is_empty());
                self.fields = rest.split(self.separator.as_str()).take(FIELDS_MAX).map(str::to_owned).collect();
            }
            _ => {}
        }
        Ok(())
    }

    fn row<'l>(&self, line: &'l str) -> Result<Connection<'l>, ParseError> {
        let mut connection = Connection::default();
        let mut found = 0;
        for cell in line.split(self.separator.as_str()) {
            if let Some(field) = self.fields.get(found)
                && cell != self.unset
            {
                put(&mut connection, field, cell)?;
            }
            found += 1;
        }
        if found != self.fields.len() {
            return Err(ParseError::Cells { found, expected: self.fields.len() });
        }
        Ok(connection)
    }
}

fn put<'l>(connection: &mut Connection<'l>, field: &str, cell: &'l str) -> Result<(), ParseError> {
    match field {
        "ts" => {
            let start = time::epoch_seconds(cell).or_else(|| time::iso(cell));
            connection.start_us = Some(start.ok_or_else(|| ParseError::invalid("ts", "not a time"))?);
        }
        "duration" => connection.duration_us = time::duration_us(amount("duration", cell)?),
        "id.orig_h" => connection.src = Some(parse("id.orig_h", cell, "an address")?),
        "id.resp_h" => connection.dst = Some(parse("id.resp_h", cell, "an address")?),
        "id.orig_p" => connection.src_port = parse("id.orig_p", cell, "a port")?,
        "id.resp_p" => connection.dst_port = parse("id.resp_p", cell, "a port")?,
        "proto" => connection.protocol = Some(cell),
        "service" => connection.service = Some(cell),
        "community_id" => connection.community_id = Some(cell),
        "label" => connection.label = Some(cell),
        "vlan" => connection.vlan = Some(parse("vlan", cell, "a VLAN")?),
        "orig_pkts" => connection.forward_packets = amount("orig_pkts", cell)?,
        "resp_pkts" => connection.backward_packets = amount("resp_pkts", cell)?,
        "orig_ip_bytes" => connection.forward_bytes = amount("orig_ip_bytes", cell)?,
        "resp_ip_bytes" => connection.backward_bytes = amount("resp_ip_bytes", cell)?,
        "orig_bytes" => connection.forward_payload = amount("orig_bytes", cell)?,
        "resp_bytes" => connection.backward_payload = amount("resp_bytes", cell)?,
        "missed_bytes" => connection.missed = amount("missed_bytes", cell)?,
        _ => {}
    }
    Ok(())
}

fn parse<T: std::str::FromStr>(field: &'static str, cell: &str, expected: &'static str) -> Result<T, ParseError> {
    cell.parse().map_err(|_| ParseError::Type { field, expected })
}

fn amount(field: &'static str, cell: &str) -> Result<f64, ParseError> {
    let value: f64 = parse(field, cell, "a number")?;
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(ParseError::Type { field, expected: "a number" }) }
}

/// A separator as its directive writes it: `\x09`, or the character itself.
fn unescape(text: &str) -> Option<String> {
    match text.strip_prefix("\\x") {
        Some(hex) => {
            let byte = u8::from_str_radix(hex, 16).ok().filter(u8::is_ascii)?;
            Some(char::from(byte).to_string())
        }
        None => Some(text.to_owned()),
    }
}
