//! The nested JSON line of ML Defender's `RAGLogger`, so that tools that read it go on working.
//!
//! All 56 leaves are there, with their types. **Held**: node, sensor (as deployment), interface, addresses, ports, protocol,
//! scores, verdict, family, truth, counts, flags, times between packets. **Lost**: everything else, and the part of a second
//! of the start. An unknown number is `null`, as the original writes NaN; an unknown text is empty, `NONE` for a family and
//! `UNKNOWN` for a truth. What an event does not know because it belongs to the original's process (`system_state`,
//! `reasons`, `decision`, `interface_mode`) has the type's zero.

use crate::feature as f;
use crate::import::names::protocol_name;
use crate::jsonl::{number, text};
use crate::{Event, Verdict};

/// The version of the format that is written.
const LOG_VERSION: &str = "1.0.0";

const US_PER_S: i64 = 1_000_000;

/// Appends `event` to `out` as one line, without a line end.
pub fn write(event: &Event, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.child("rag_metadata", |object| metadata(event, object));
    object.child("detection", |object| detection(event, object));
    object.child("network", |object| network(event, object));
    object.child("features", |object| features(event, object));
    object.child("system_state", |object| {
        object.number("events_processed_total", 0.0);
        object.number("events_in_last_minute", 0.0);
        object.number("memory_usage_mb", 0.0);
        object.number("cpu_usage_percent", 0.0);
        object.number("uptime_seconds", 0.0);
    });
    object.child("ml_training_metadata", |object| {
        object.boolean("can_be_used_for_training", true);
        object.text("ground_truth_label", event.label.truth.as_deref().unwrap_or("UNKNOWN"));
        object.boolean("human_validated", event.label.validated);
    });
    object.close();
}

fn metadata(event: &Event, object: &mut Object<'_>) {
    object.text("logged_at", &iso(event.end_us));
    object.text("deployment_id", &event.sensor);
    object.text("node_id", &event.node_id);
    object.text("log_version", LOG_VERSION);
}

fn detection(event: &Event, object: &mut Object<'_>) {
    object.number("detection_timestamp", event.start_us.div_euclid(US_PER_S) as f64);
    object.child("scores", |object| {
        object.score("fast_detector", event.scores.fast);
        object.score("ml_detector", event.scores.ml);
        object.score("final_score", event.scores.r#final);
        object.score("divergence", event.scores.divergence);
    });
    object.child("classification", |object| {
        let class = match event.class.verdict {
            Some(Verdict::Benign) => "BENIGN",
            Some(Verdict::Suspicious) => "SUSPICIOUS",
            Some(Verdict::Malicious) => "MALICIOUS",
            None => "UNKNOWN",
        };
        let family = event.class.family.as_deref().unwrap_or("NONE");
        object.text("authoritative_source", "DETECTOR_SOURCE_UNKNOWN");
        object.text("attack_family", family);
        object.text("level_1_label", class);
        object.text("final_class", class);
        object.text("threat_category", family);
        object.score("confidence", event.scores.r#final);
    });
    object.child("reasons", |object| {
        object.boolean("fast_detector_triggered", false);
        object.text("fast_detector_reason", "");
        object.boolean("requires_rag_analysis", false);
        object.text("investigation_priority", "");
    });
    object.child("decision", |object| {
        object.number("confidence_level", 0.0);
        object.text("divergence_reason", "");
    });
}

fn network(event: &Event, object: &mut Object<'_>) {
    let flow = &event.flow;
    let features = &event.features.0;
    object.child("five_tuple", |object| {
        object.text("src_ip", &flow.src_ip.to_string());
        object.number("src_port", flow.src_port.into());
        object.text("dst_ip", &flow.dst_ip.to_string());
        object.number("dst_port", flow.dst_port.into());
        match protocol_name(flow.protocol) {
            Some(name) => object.text("protocol", name),
            None => object.text("protocol", &flow.protocol.to_string()),
        }
    });
    object.text("interface", &event.interface);
    object.number("interface_mode", 0.0);
    object.number("is_wan_facing", 0.0);
    object.child("flow", |object| {
        object.number("duration_us", features[f::DURATION]);
        object.number("total_packets", features[f::SPKTS] + features[f::DPKTS]);
        object.number("total_bytes", features[f::SBYTES] + features[f::DBYTES]);
        object.number("bytes_per_sec", features[f::FLOW_BYTES_PER_SEC]);
        object.number("packets_per_sec", features[f::FLOW_PKTS_PER_SEC]);
    });
}

fn features(event: &Event, object: &mut Object<'_>) {
    let features = &event.features.0;
    object.child("basic_stats", |object| {
        object.number("forward_packets", features[f::SPKTS]);
        object.number("backward_packets", features[f::DPKTS]);
        object.number("forward_bytes", features[f::SBYTES]);
        object.number("backward_bytes", features[f::DBYTES]);
        object.number("avg_packet_size", features[f::PACKET_LEN_MEAN]);
    });
    object.child("tcp_flags", |object| {
        object.number("syn", features[f::SYN_FLAG_COUNT]);
        object.number("ack", features[f::ACK_FLAG_COUNT]);
        object.number("fin", features[f::FIN_FLAG_COUNT]);
        object.number("rst", features[f::RST_FLAG_COUNT]);
        object.number("psh", features[f::PSH_FLAG_COUNT]);
    });
    object.child("timing", |object| {
        object.number("flow_iat_mean", features[f::FLOW_IAT_MEAN]);
        object.number("flow_iat_std", features[f::FLOW_IAT_STD]);
        object.number("forward_iat_mean", features[f::FWD_IAT_MEAN]);
        object.number("backward_iat_mean", features[f::BWD_IAT_MEAN]);
    });
}

/// A time in ISO 8601, UTC; empty beyond the years that can be written.
fn iso(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map(|time| time.to_string()).unwrap_or_default()
}

/// An object that is being written.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    fn close(self) {
        self.out.push(b'}');
    }

    fn name(&mut self, name: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        text(name, self.out);
        self.out.push(b':');
    }

    fn child(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        let mut child = Object::open(self.out);
        fill(&mut child);
        child.close();
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        text(value, self.out);
    }

    fn number(&mut self, name: &str, value: f64) {
        self.name(name);
        number(value, self.out);
    }

    fn score(&mut self, name: &str, value: Option<f32>) {
        self.number(name, value.map_or(f64::NAN, f64::from));
    }

    fn boolean(&mut self, name: &str, value: bool) {
        self.name(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }
}
