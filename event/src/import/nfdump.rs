//! What `nfdump -o json` prints of `NetFlow` and IPFIX records (field names of 1.7, and of 1.6 where they differ).
//!
//! A record is one direction of a flow. `in_packets` and `in_bytes` are forward; backward is known only where the exporter
//! gives `out_packets` and `out_bytes`, and unknown otherwise, not 0. Bytes are IP bytes. Times are milliseconds in the time
//! zone nfdump ran in and are taken as UTC: run it with `TZ=UTC`. TCP flags are a union over the packets, no counts, and stay
//! out. nfdump's `label` is a word of its own filters, no ground truth, and stays out. Records of other types are counted.

use crate::community::community_id;
use crate::json::{Json, Members, Value};
use crate::{Event, EventId, Flow, ParseError};

use super::records::{Decode, Decoded};
use super::totals::Totals;
use super::{fields, names, time};

/// Reads one record.
#[derive(Default)]
pub(crate) struct Decoder {
    json: Json,
    records_other: u64,
    sampled: u64,
}

impl Decode for Decoder {
    fn decode(&mut self, bytes: &[u8], event: &mut Event) -> Result<Decoded, ParseError> {
        let Self { json, records_other, sampled } = self;
        json.object(bytes, |record| {
            if fields::text(record, "type").is_some_and(|kind| kind != "FLOW") {
                *records_other += 1;
                return Ok(Decoded::Nothing);
            }
            *sampled += u64::from(record.find("sampled").and_then(Value::unsigned).unwrap_or(0) != 0);
            event.sensor.push_str("nfdump");
            fill_flow(record, &mut event.flow)?;
            event.start_us = moment(record, "first", "t_first")?;
            event.end_us = moment(record, "last", "t_last")?;
            fill_features(record, event);
            event.event_id = EventId::derive(event.start_us, &[b"nfdump", &identity(bytes)]);
            Ok(Decoded::Event)
        })
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("records_of_other_kinds", self.records_other), ("flows_sampled", self.sampled)]
    }
}

/// What tells the record apart: its bytes without white space, so that both forms give the same identifier.
fn identity(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

fn fill_flow(record: Members<'_, '_>, flow: &mut Flow) -> Result<(), ParseError> {
    let six = record.find("src6_addr").is_some();
    flow.src_ip = fields::address(record, if six { "src6_addr" } else { "src4_addr" })?;
    flow.dst_ip = fields::address(record, if six { "dst6_addr" } else { "dst4_addr" })?;
    flow.src_port = fields::whole(record, "src_port")?.unwrap_or(0);
    flow.dst_port = fields::whole(record, "dst_port")?.unwrap_or(0);
    flow.protocol = protocol(record, flow)?;
    flow.vlan = fields::whole(record, "src_vlan")?.filter(|vlan| *vlan != 0);
    flow.community_id = if names::is_icmp(flow.protocol) {
        let src_port = fields::whole::<u8>(record, "icmp_type")?.unwrap_or(0).into();
        let dst_port = fields::whole::<u8>(record, "icmp_code")?.unwrap_or(0).into();
        (flow.src_port, flow.dst_port) = (0, 0);
        community_id(&Flow { src_port, dst_port, ..flow.clone() })
    } else {
        community_id(flow)
    };
    Ok(())
}

/// A number in 1.7, a name in some earlier versions.
fn protocol(record: Members<'_, '_>, flow: &Flow) -> Result<u8, ParseError> {
    let value = record.find("proto").ok_or(ParseError::Missing("proto"))?;
    let number = match value.text() {
        Some(name) => names::protocol(name.trim(), flow.src_ip),
        None => value.unsigned().and_then(|number| u8::try_from(number).ok()),
    };
    number.ok_or(ParseError::Type { field: "proto", expected: "a protocol" })
}

fn moment(record: Members<'_, '_>, name: &'static str, older: &'static str) -> Result<i64, ParseError> {
    let text = fields::text(record, name).or_else(|| fields::text(record, older)).ok_or(ParseError::Missing(name))?;
    time::iso(text).ok_or_else(|| ParseError::invalid(name, format!("{text:.40?} is no time")))
}

fn fill_features(record: Members<'_, '_>, event: &mut Event) {
    let totals = Totals {
        duration_us: event.end_us.checked_sub(event.start_us).map_or(f64::NAN, |duration| duration as f64),
        forward_packets: fields::amount(record, "in_packets"),
        backward_packets: fields::amount(record, "out_packets"),
        forward_bytes: fields::amount(record, "in_bytes"),
        backward_bytes: fields::amount(record, "out_bytes"),
    };
    totals.fill(&mut event.features);
}
