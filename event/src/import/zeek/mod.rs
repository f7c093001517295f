//! Zeek's conn.log, as tab-separated text and as JSON.
//!
//! Both give the same fields to [`fill`]. `orig_ip_bytes` and `resp_ip_bytes` are IP bytes as ours are. `orig_bytes` and
//! `resp_bytes` are payload by TCP sequence numbers: they are taken where Zeek missed nothing (`missed_bytes` 0), and leave
//! out retransmissions, which ours count. Times are seconds with a fraction. For ICMP the ports hold type and code, which go
//! into the Community ID and nowhere else. A `label` column, as labelled data sets add it, goes to `label.truth`.

pub(crate) mod json;
pub(crate) mod tsv;

use std::net::IpAddr;

use crate::community::community_id;
use crate::feature as f;
use crate::limits::WORD_BYTES_MAX;
use crate::{Event, EventId, ParseError};

use super::cic::bounded;
use super::names;
use super::totals::Totals;

/// The fields of one connection, out of either form. Numbers are NaN and texts `None` where unset.
#[derive(Debug)]
pub(crate) struct Connection<'l> {
    pub(crate) start_us: Option<i64>,
    pub(crate) duration_us: f64,
    pub(crate) src: Option<IpAddr>,
    pub(crate) dst: Option<IpAddr>,
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) protocol: Option<&'l str>,
    pub(crate) service: Option<&'l str>,
    pub(crate) community_id: Option<&'l str>,
    pub(crate) label: Option<&'l str>,
    pub(crate) vlan: Option<u16>,
    pub(crate) forward_packets: f64,
    pub(crate) backward_packets: f64,
    pub(crate) forward_bytes: f64,
    pub(crate) backward_bytes: f64,
    pub(crate) forward_payload: f64,
    pub(crate) backward_payload: f64,
    pub(crate) missed: f64,
}

impl Default for Connection<'_> {
    fn default() -> Self {
        Self {
            start_us: None,
            duration_us: f64::NAN,
            src: None,
            dst: None,
            src_port: 0,
            dst_port: 0,
            protocol: None,
            service: None,
            community_id: None,
            label: None,
            vlan: None,
            forward_packets: f64::NAN,
            backward_packets: f64::NAN,
            forward_bytes: f64::NAN,
            backward_bytes: f64::NAN,
            forward_payload: f64::NAN,
            backward_payload: f64::NAN,
            missed: f64::NAN,
        }
    }
}

/// Makes an event of a connection.
pub(crate) fn fill(connection: &Connection<'_>, bytes: &[u8], event: &mut Event) -> Result<(), ParseError> {
    event.sensor.push_str("zeek");
    event.start_us = connection.start_us.ok_or(ParseError::Missing("ts"))?;
    event.end_us = event.start_us.saturating_add(connection.duration_us as i64);
    fill_flow(connection, event)?;
    // A connection may carry several: "ssl,http". The outermost stands first.
    let service = connection.service.and_then(|service| service.split(',').next());
    event.app.protocol = service.and_then(names::application);
    event.label.truth = connection.label.map(|label| bounded(label, WORD_BYTES_MAX).to_owned());
    let totals = Totals {
        duration_us: connection.duration_us,
        forward_packets: connection.forward_packets,
        backward_packets: connection.backward_packets,
        forward_bytes: connection.forward_bytes,
        backward_bytes: connection.backward_bytes,
    };
    totals.fill(&mut event.features);
    if connection.missed == 0.0 {
        event.features.0[f::FWD_LEN_TOT] = connection.forward_payload;
        event.features.0[f::BWD_LEN_TOT] = connection.backward_payload;
    }
    event.event_id = EventId::derive(event.start_us, &[b"zeek", bytes]);
    Ok(())
}

fn fill_flow(connection: &Connection<'_>, event: &mut Event) -> Result<(), ParseError> {
    let flow = &mut event.flow;
    flow.src_ip = connection.src.ok_or(ParseError::Missing("id.orig_h"))?;
    flow.dst_ip = connection.dst.ok_or(ParseError::Missing("id.resp_h"))?;
    flow.src_port = connection.src_port;
    flow.dst_port = connection.dst_port;
    flow.vlan = connection.vlan;
    let name = connection.protocol.ok_or(ParseError::Missing("proto"))?;
    // Zeek says "unknown_transport" of what is none of its three; the number is lost.
    let number = if name == "unknown_transport" { Some(0) } else { names::protocol(name, flow.src_ip) };
    flow.protocol = number.ok_or_else(|| ParseError::invalid("proto", format!("{name:.40?} is not known")))?;
    flow.community_id = match connection.community_id {
        Some(known) => known.to_owned(),
        None => community_id(flow),
    };
    if names::is_icmp(flow.protocol) {
        (flow.src_port, flow.dst_port) = (0, 0);
    }
    Ok(())
}
