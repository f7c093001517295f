//! The nested JSON line of ML Defender's `RAGLogger`.
//!
//! Six objects, 56 leaves (61 with `geoip`): `rag_metadata`, `detection`, `network`, `features`, `system_state`,
//! `ml_training_metadata`. The leaves were learnt from the logger's public source, log version 1.0.0.
//!
//! **Taken**: node and deployment (as sensor), interface, 5-tuple, times, scores, class, label, counts, TCP flags, mean
//! inter-arrival times. **Left out**: what the event has no place for (`authoritative_source`, `confidence`, `reasons`,
//! `decision`, `geoip`, `system_state`, `can_be_used_for_training`), and `avg_packet_size`, which is a mean of packet
//! lengths here and follows from the totals.
//!
//! **Assumed**, because the format does not say: times between packets are in microseconds, as its durations are; lengths
//! are IP lengths (a sensor on XDP counts the link header too). `detection_timestamp` has whole seconds and is taken for
//! the start. There is no event id: it is derived from the bytes of the line.
//!
//! **Known faults of the writer.** Its `attack_family` is the constant `RANSOMWARE`; so the family is `threat_category`, and
//! `attack_family` only where that says nothing and it is another word. `UNKNOWN` as a ground truth means there is none.

use crate::community::community_id;
use crate::feature as f;
use crate::json::{Json, Members, Value};
use crate::limits::{ORIGIN_BYTES_MAX, WORD_BYTES_MAX};
use crate::{Event, EventId, ParseError, Verdict};

use super::cic::bounded;
use super::records::{Decode, Decoded};
use super::totals::Totals;
use super::{fields, names, time};

/// What the producer writes as the family of every event.
const CONSTANT_FAMILY: &str = "RANSOMWARE";

/// Categories that name no family of attacks.
const NO_FAMILIES: [&str; 7] = ["", "NONE", "UNKNOWN", "NORMAL", "BENIGN", "ATTACK", "RAW_CAPTURE"];

/// Reads lines of the logger.
#[derive(Default)]
pub(crate) struct Decoder {
    json: Json,
    families_constant: u64,
}

impl Decode for Decoder {
    fn decode(&mut self, bytes: &[u8], event: &mut Event) -> Result<Decoded, ParseError> {
        let Self { json, families_constant } = self;
        json.object(bytes, |members| {
            fill_origin(members, event);
            fill_flow(members, event)?;
            fill_times(members, event)?;
            fill_judgement(members, event, families_constant);
            fill_features(members, event);
            Ok(())
        })?;
        event.complete();
        event.flow.community_id = community_id(&event.flow);
        event.event_id = EventId::derive(event.start_us, &[b"raglogger", bytes]);
        Ok(Decoded::Event)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("families_constant", self.families_constant)]
    }
}

fn fill_origin(members: Members<'_, '_>, event: &mut Event) {
    if let Some(metadata) = fields::object(members, "rag_metadata") {
        event.node_id.push_str(bounded(fields::text(metadata, "node_id").unwrap_or_default(), ORIGIN_BYTES_MAX));
        event.sensor.push_str(bounded(fields::text(metadata, "deployment_id").unwrap_or_default(), ORIGIN_BYTES_MAX));
    }
    if let Some(network) = fields::object(members, "network") {
        event.interface.push_str(bounded(fields::text(network, "interface").unwrap_or_default(), ORIGIN_BYTES_MAX));
    }
}

fn fill_flow(members: Members<'_, '_>, event: &mut Event) -> Result<(), ParseError> {
    let network = fields::object(members, "network").ok_or(ParseError::Missing("network"))?;
    let tuple = fields::object(network, "five_tuple").ok_or(ParseError::Missing("network.five_tuple"))?;
    let flow = &mut event.flow;
    flow.src_ip = fields::address(tuple, "src_ip")?;
    flow.dst_ip = fields::address(tuple, "dst_ip")?;
    flow.src_port = fields::whole(tuple, "src_port")?.unwrap_or(0);
    flow.dst_port = fields::whole(tuple, "dst_port")?.unwrap_or(0);
    let protocol = tuple.find("protocol").ok_or(ParseError::Missing("network.five_tuple.protocol"))?;
    let number = match protocol.text() {
        Some(name) => names::protocol(name, flow.src_ip),
        None => protocol.unsigned().and_then(|number| u8::try_from(number).ok()),
    };
    flow.protocol = number.ok_or_else(|| ParseError::invalid("protocol", "not the name or number of a protocol"))?;
    Ok(())
}

fn fill_times(members: Members<'_, '_>, event: &mut Event) -> Result<(), ParseError> {
    let detected = fields::object(members, "detection").and_then(|detection| detection.find("detection_timestamp"));
    let logged = fields::object(members, "rag_metadata").and_then(|metadata| fields::text(metadata, "logged_at"));
    let start = match (detected.and_then(Value::number), logged) {
        (Some(seconds), _) => time::epoch_number(seconds),
        (None, Some(text)) => time::iso(text),
        (None, None) => return Err(ParseError::Missing("detection.detection_timestamp")),
    };
    event.start_us = start.ok_or_else(|| ParseError::invalid("detection.detection_timestamp", "not a time"))?;
    let duration = flow_statistics(members).map_or(f64::NAN, |flow| fields::amount(flow, "duration_us"));
    event.end_us = event.start_us.saturating_add(duration as i64);
    Ok(())
}

fn fill_judgement(members: Members<'_, '_>, event: &mut Event, families_constant: &mut u64) {
    let detection = fields::object(members, "detection");
    if let Some(scores) = detection.and_then(|detection| fields::object(detection, "scores")) {
        let score = |name| scores.find(name).and_then(Value::number).map(|score| score as f32);
        event.scores.fast = score("fast_detector");
        event.scores.ml = score("ml_detector");
        event.scores.r#final = score("final_score");
        event.scores.divergence = score("divergence");
    }
    if let Some(class) = detection.and_then(|detection| fields::object(detection, "classification")) {
        let word = fields::text(class, "final_class").unwrap_or_default().to_ascii_lowercase();
        event.class.verdict = Verdict::named(&word);
        let family = fields::text(class, "threat_category").filter(|family| !NO_FAMILIES.contains(family));
        let fallback = fields::text(class, "attack_family").filter(|family| !NO_FAMILIES.contains(family));
        if family.is_none() && fallback == Some(CONSTANT_FAMILY) {
            *families_constant += 1;
        }
        let family = family.or(fallback.filter(|family| *family != CONSTANT_FAMILY));
        event.class.family = family.map(|family| bounded(family, WORD_BYTES_MAX).to_owned());
    }
    if let Some(training) = fields::object(members, "ml_training_metadata") {
        let truth = fields::text(training, "ground_truth_label").filter(|truth| !["", "UNKNOWN"].contains(truth));
        event.label.truth = truth.map(|truth| bounded(truth, WORD_BYTES_MAX).to_owned());
        event.label.validated = training.find("human_validated").and_then(Value::boolean).unwrap_or(false);
    }
}

fn fill_features(members: Members<'_, '_>, event: &mut Event) {
    let features = fields::object(members, "features");
    let group = |name| features.and_then(|features| fields::object(features, name));
    let amount = |group: Option<Members<'_, '_>>, name| group.map_or(f64::NAN, |group| fields::amount(group, name));
    let basic = group("basic_stats");
    let totals = Totals {
        duration_us: amount(flow_statistics(members), "duration_us"),
        forward_packets: amount(basic, "forward_packets"),
        backward_packets: amount(basic, "backward_packets"),
        forward_bytes: amount(basic, "forward_bytes"),
        backward_bytes: amount(basic, "backward_bytes"),
    };
    totals.fill(&mut event.features);
    let out = &mut event.features.0;
    let leaves = [
        (f::SYN_FLAG_COUNT, "tcp_flags", "syn"),
        (f::ACK_FLAG_COUNT, "tcp_flags", "ack"),
        (f::FIN_FLAG_COUNT, "tcp_flags", "fin"),
        (f::RST_FLAG_COUNT, "tcp_flags", "rst"),
        (f::PSH_FLAG_COUNT, "tcp_flags", "psh"),
        (f::FLOW_IAT_MEAN, "timing", "flow_iat_mean"),
        (f::FLOW_IAT_STD, "timing", "flow_iat_std"),
        (f::FWD_IAT_MEAN, "timing", "forward_iat_mean"),
        (f::BWD_IAT_MEAN, "timing", "backward_iat_mean"),
    ];
    for (place, group_name, name) in leaves {
        out[place] = amount(group(group_name), name);
    }
}

fn flow_statistics<'t, 'l>(members: Members<'t, 'l>) -> Option<Members<'t, 'l>> {
    fields::object(fields::object(members, "network")?, "flow")
}
