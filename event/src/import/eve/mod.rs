//! Suricata's EVE: one JSON object per line, of many kinds.
//!
//! A `flow` record becomes an event. Records of the kinds `tls`, `http`, `dns`, `quic` and `alert` come before the flow's
//! own and have its `flow_id`; they give it `app.host`, `app.protocol` (where the flow record names none) and `class`. An
//! alert of severity 1 makes the flow malicious, others suspicious; its category is the family, `mitre_technique_id` the
//! technique. The table that remembers them is bounded ([`hints::HINTS_MAX`]); what makes room is counted, as are records
//! of other kinds.
//!
//! **Units.** Suricata counts whole frames; ours are IP bytes. The Ethernet header (14 bytes, and 4 for each VLAN the record
//! names) is taken off each packet; a flow whose packets would then be shorter than an IP header was not seen on Ethernet
//! and keeps its bytes. Padding of short frames stays. Times are in microseconds, with a zone.

mod hints;

use crate::community::community_id;
use crate::json::{Json, Members, Value};
use crate::limits::{ORIGIN_BYTES_MAX, WORD_BYTES_MAX};
use crate::{Event, EventId, Flow, ParseError, Verdict};

use super::cic::bounded;
use super::records::{Decode, Decoded};
use super::totals::Totals;
use super::{fields, names, time};
use hints::{Hint, Hints};

const ETHERNET_HEADER: f64 = 14.0;
const VLAN_TAG: f64 = 4.0;
const IP_HEADER_MIN: f64 = 20.0;

/// Suricata's highest severity.
const SEVERITY_HIGH: u64 = 1;

/// Reads records; keeps what it learnt of flows that have not ended.
#[derive(Default)]
pub(crate) struct Decoder {
    json: Json,
    hints: Hints,
    records_other: u64,
    not_ethernet: u64,
}

impl Decode for Decoder {
    fn decode(&mut self, bytes: &[u8], event: &mut Event) -> Result<Decoded, ParseError> {
        let Self { json, hints, records_other, not_ethernet } = self;
        json.object(bytes, |record| {
            let kind = fields::text(record, "event_type").ok_or(ParseError::Missing("event_type"))?;
            let flow_id = record.find("flow_id").and_then(Value::unsigned);
            if kind == "flow" {
                fill(record, event, not_ethernet)?;
                apply(flow_id.and_then(|flow| hints.take(flow)), event);
                event.event_id = EventId::derive(event.start_us, &[b"eve", bytes]);
                return Ok(Decoded::Event);
            }
            match flow_id.filter(|_| ["tls", "http", "dns", "quic", "alert"].contains(&kind)) {
                Some(flow) => learn(kind, record, hints.entry(flow)),
                None => *records_other += 1,
            }
            Ok(Decoded::Nothing)
        })
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("records_of_other_kinds", self.records_other),
            ("hints_evicted", self.hints.evicted()),
            ("hints_without_flow", self.hints.waiting()),
            ("flows_not_on_ethernet", self.not_ethernet),
        ]
    }
}

fn fill(record: Members<'_, '_>, event: &mut Event, not_ethernet: &mut u64) -> Result<(), ParseError> {
    event.sensor.push_str("suricata");
    event.node_id.push_str(bounded(fields::text(record, "host").unwrap_or_default(), ORIGIN_BYTES_MAX));
    event.interface.push_str(bounded(fields::text(record, "in_iface").unwrap_or_default(), ORIGIN_BYTES_MAX));
    fill_flow(record, &mut event.flow)?;
    event.app.protocol = fields::text(record, "app_proto").and_then(names::application);

    let flow = fields::object(record, "flow").ok_or(ParseError::Missing("flow"))?;
    let start = fields::text(flow, "start").ok_or(ParseError::Missing("flow.start"))?;
    event.start_us = time::iso(start).ok_or_else(|| ParseError::invalid("flow.start", "not a time"))?;
    // A flow that is still open has no end yet.
    let end = fields::text(flow, "end").map_or(Some(event.start_us), time::iso);
    event.end_us = end.ok_or_else(|| ParseError::invalid("flow.end", "not a time"))?;

    let tags = f64::from(u8::from(event.flow.vlan.is_some()));
    let link = ETHERNET_HEADER + VLAN_TAG * tags;
    let mut direction = |packets: &str, bytes: &str| {
        let (packets, frames) = (fields::amount(flow, packets), fields::amount(flow, bytes));
        let stripped = frames - link * packets;
        if stripped < IP_HEADER_MIN * packets {
            *not_ethernet += 1;
            return (packets, frames);
        }
        (packets, stripped)
    };
    let (forward_packets, forward_bytes) = direction("pkts_toserver", "bytes_toserver");
    let (backward_packets, backward_bytes) = direction("pkts_toclient", "bytes_toclient");
    let duration_us = event.end_us.checked_sub(event.start_us).map_or(f64::NAN, |duration| duration as f64);
    let totals = Totals { duration_us, forward_packets, backward_packets, forward_bytes, backward_bytes };
    totals.fill(&mut event.features);
    Ok(())
}

fn fill_flow(record: Members<'_, '_>, flow: &mut Flow) -> Result<(), ParseError> {
    flow.src_ip = fields::address(record, "src_ip")?;
    flow.dst_ip = fields::address(record, "dest_ip")?;
    flow.src_port = fields::whole(record, "src_port")?.unwrap_or(0);
    flow.dst_port = fields::whole(record, "dest_port")?.unwrap_or(0);
    let protocol = fields::text(record, "proto").ok_or(ParseError::Missing("proto"))?;
    let number = names::protocol(protocol, flow.src_ip);
    flow.protocol = number.ok_or_else(|| ParseError::invalid("proto", format!("{protocol:.40?} is not known")))?;
    // Outermost first.
    let vlan = record.find("vlan").map(|value| value.first_element().unwrap_or(value));
    flow.vlan = vlan.and_then(Value::unsigned).and_then(|vlan| u16::try_from(vlan).ok());
    flow.community_id = match fields::text(record, "community_id") {
        Some(known) => known.to_owned(),
        None => community(record, flow)?,
    };
    if names::is_icmp(flow.protocol) {
        (flow.src_port, flow.dst_port) = (0, 0);
    }
    Ok(())
}

fn community(record: Members<'_, '_>, flow: &Flow) -> Result<String, ParseError> {
    if !names::is_icmp(flow.protocol) {
        return Ok(community_id(flow));
    }
    let src_port = fields::whole::<u8>(record, "icmp_type")?.unwrap_or(0).into();
    let dst_port = fields::whole::<u8>(record, "icmp_code")?.unwrap_or(0).into();
    Ok(community_id(&Flow { src_port, dst_port, ..flow.clone() }))
}

/// Remembers what a record of another kind says of its flow.
fn learn(kind: &str, record: Members<'_, '_>, hint: &mut Hint) {
    let (application, host) = match kind {
        "tls" => ("tls", fields::object(record, "tls").and_then(|tls| fields::text(tls, "sni"))),
        "quic" => ("quic", fields::object(record, "quic").and_then(|quic| fields::text(quic, "sni"))),
        "http" => ("http", fields::object(record, "http").and_then(|http| fields::text(http, "hostname"))),
        "dns" => ("dns", fields::object(record, "dns").and_then(dns_name)),
        _ => {
            // An alert often brings the host along, in the object of its application.
            learn_alert(record, hint);
            return;
        }
    };
    hint.application.get_or_insert(application);
    if let Some(host) = host.and_then(names::host) {
        hint.host.get_or_insert_with(|| host.to_owned());
    }
}

/// The name asked for, in the layouts of versions 2 and 3 of the record.
fn dns_name<'l>(dns: Members<'_, 'l>) -> Option<&'l str> {
    let first = |name| dns.find(name).and_then(Value::first_element).and_then(Value::members);
    let query = || first("queries").or_else(|| first("query")).and_then(|query| fields::text(query, "rrname"));
    fields::text(dns, "rrname").or_else(query)
}

fn learn_alert(record: Members<'_, '_>, hint: &mut Hint) {
    let Some(alert) = fields::object(record, "alert") else { return };
    let severity = alert.find("severity").and_then(Value::unsigned);
    let verdict = if severity == Some(SEVERITY_HIGH) { Verdict::Malicious } else { Verdict::Suspicious };
    if hint.class.verdict.is_some_and(|known| known >= verdict) {
        return;
    }
    hint.class.verdict = Some(verdict);
    let family = fields::text(alert, "category").filter(|category| !category.is_empty());
    hint.class.family = family.map(|family| bounded(family, WORD_BYTES_MAX).to_owned());
    let metadata = fields::object(alert, "metadata");
    let technique = metadata.and_then(|metadata| metadata.find("mitre_technique_id")).and_then(Value::first_element);
    let technique = technique.and_then(Value::text);
    hint.class.technique = technique.map(|technique| bounded(technique, WORD_BYTES_MAX).to_owned());
}

fn apply(hint: Option<Hint>, event: &mut Event) {
    let Some(hint) = hint else { return };
    event.app.host = hint.host;
    if event.app.protocol.is_none() {
        event.app.protocol = hint.application.map(str::to_owned);
    }
    event.class = hint.class;
}
