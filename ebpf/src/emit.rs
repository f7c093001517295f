//! An ended flow as an event.

use forebay_event::community::community_id;
use forebay_event::limits::ORIGIN_BYTES_MAX;
use forebay_event::{Event, EventId, Flow, SCHEMA_VERSION, Scores};

use crate::core::VLAN_NONE;
use crate::features::features_of;
use crate::meter::{Ended, MeterConfig};
use crate::packet::address;

const ICMP: u8 = 1;
const ICMP6: u8 = 58;

/// Writes `ended` into `event`; nothing of what the event held before is left.
pub(crate) fn fill(event: &mut Event, ended: &Ended, config: &MeterConfig) {
    let state = &ended.state;
    event.schema_version.clear();
    event.schema_version.push_str(SCHEMA_VERSION);
    event.event_id = id_of(ended);
    event.start_us = state.start_us;
    event.end_us = state.last_us();
    origin(&mut event.node_id, &config.node_id);
    origin(&mut event.sensor, &config.sensor);
    origin(&mut event.interface, &config.interface);
    event.flow = flow_of(ended);
    event.app.protocol = ended.app.as_ref().map(|app| app.protocol.to_owned());
    event.app.host = ended.app.as_ref().and_then(|app| app.host.as_deref().map(str::to_owned));
    event.scores = Scores::default();
    event.class = forebay_event::Class::default();
    event.label = forebay_event::Label::default();
    event.features = features_of(state, ended.key.protocol);
    event.integrity = None;
}

fn flow_of(ended: &Ended) -> Flow {
    let (key, forward) = (&ended.key, ended.state.swapped == 0);
    let low = (address(key.low, key.version), key.low_port);
    let high = (address(key.high, key.version), key.high_port);
    let ((src_ip, src_port), (dst_ip, dst_port)) = if forward { (low, high) } else { (high, low) };
    let mut flow = Flow {
        src_ip,
        dst_ip,
        src_port,
        dst_port,
        protocol: key.protocol,
        vlan: (key.vlan != VLAN_NONE).then_some(key.vlan),
        segment: ended.state.segment,
        community_id: String::new(),
    };
    if matches!(key.protocol, ICMP | ICMP6) {
        // The Community ID takes type and code for ports; the event has none.
        flow.src_port = ended.icmp_type.into();
        flow.dst_port = ended.icmp_code.into();
        flow.community_id = community_id(&flow);
        flow.src_port = 0;
        flow.dst_port = 0;
    } else {
        flow.community_id = community_id(&flow);
    }
    flow
}

/// The identifier depends on the traffic alone: not on the file's name, and hardly on what else the capture holds.
fn id_of(ended: &Ended) -> EventId {
    let (key, state) = (&ended.key, &ended.state);
    let mut parts = [0u8; 80];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        parts[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    let low = (key.low, key.low_port);
    let high = (key.high, key.high_port);
    // In the flow's direction, and addresses in wire order: the same on every machine.
    let ends = if state.swapped == 0 { [low, high] } else { [high, low] };
    for (words, port) in ends {
        put(&words[0].to_ne_bytes());
        put(&words[1].to_ne_bytes());
        put(&port.to_le_bytes());
    }
    put(&key.vlan.to_le_bytes());
    put(&[key.protocol, key.version]);
    put(&state.start_us.to_le_bytes());
    put(&state.last_us().to_le_bytes());
    put(&state.segment.to_le_bytes());
    put(&ended.ordinal.to_le_bytes());
    put(&state.way[0].packets.to_le_bytes());
    put(&state.way[1].packets.to_le_bytes());
    let used = at;
    EventId::derive(state.start_us, &[&parts[..used]])
}

fn origin(field: &mut String, value: &str) {
    field.clear();
    let mut end = value.len().min(ORIGIN_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    field.push_str(&value[..end]);
}
