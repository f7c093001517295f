//! conn.log with `LogAscii::use_json`.

use crate::json::{Json, Members, Value};
use crate::{Event, ParseError};

use super::super::records::{Decode, Decoded};
use super::super::{fields, time};
use super::Connection;

/// Reads one connection per line.
#[derive(Default)]
pub(crate) struct Decoder {
    json: Json,
    records_other: u64,
}

impl Decode for Decoder {
    fn decode(&mut self, bytes: &[u8], event: &mut Event) -> Result<Decoded, ParseError> {
        let Self { json, records_other } = self;
        json.object(bytes, |record| {
            // Streams of several logs in one file name the log of each line.
            if fields::text(record, "_path").is_some_and(|path| path != "conn") {
                *records_other += 1;
                return Ok(Decoded::Nothing);
            }
            super::fill(&read(record)?, bytes, event)?;
            Ok(Decoded::Event)
        })
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("records_of_other_kinds", self.records_other)]
    }
}

fn read<'l>(record: Members<'_, 'l>) -> Result<Connection<'l>, ParseError> {
    let ts = record.find("ts").ok_or(ParseError::Missing("ts"))?;
    let start = match ts.text() {
        Some(text) => time::iso(text),
        None => ts.number().and_then(time::epoch_number),
    };
    Ok(Connection {
        start_us: Some(start.ok_or_else(|| ParseError::invalid("ts", "not a time"))?),
        duration_us: time::duration_us(fields::amount(record, "duration")),
        src: Some(fields::address(record, "id.orig_h")?),
        dst: Some(fields::address(record, "id.resp_h")?),
        src_port: fields::whole(record, "id.orig_p")?.unwrap_or(0),
        dst_port: fields::whole(record, "id.resp_p")?.unwrap_or(0),
        protocol: fields::text(record, "proto"),
        service: fields::text(record, "service"),
        community_id: fields::text(record, "community_id"),
        label: fields::text(record, "label"),
        vlan: record.find("vlan").and_then(Value::unsigned).and_then(|vlan| u16::try_from(vlan).ok()),
        forward_packets: fields::amount(record, "orig_pkts"),
        backward_packets: fields::amount(record, "resp_pkts"),
        forward_bytes: fields::amount(record, "orig_ip_bytes"),
        backward_bytes: fields::amount(record, "resp_ip_bytes"),
        forward_payload: fields::amount(record, "orig_bytes"),
        backward_payload: fields::amount(record, "resp_bytes"),
        missed: fields::amount(record, "missed_bytes"),
    })
}
