//! What the sidecar tells Prometheus.
//!
//! Labels take values from fixed sets: reasons from [`Event`], targets from the configuration. A single buffer is never a label:
//! connections come and go, and each would be a series.

use std::collections::HashMap;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::sidecar::{Event, Report};

/// Upper bounds of the time of a tick, in seconds: from an idle one to one that takes the whole tick and more.
const TICK_BUCKETS_S: [f64; 10] =
    [0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.01, 0.05];

/// Families of counters by [`Event::family`]: the name in the text, the label, and the help.
const EVENTS: &[(&str, &str, &str, &str)] = &[
    ("ticks", "forebay_sidecar_ticks_total", "", "Ticks of the loop."),
    ("ticks_late", "forebay_sidecar_late_ticks_total", "", "Ticks left out because the machine was too busy."),
    ("ticks_early", "forebay_sidecar_early_ticks_total", "", "Ticks that came early because something was dropped."),
    ("passes", "forebay_sidecar_passes_total", "", "Looks for programs and sockets."),
    ("changes", "forebay_sidecar_changes_total", "direction", "Ceilings changed, by direction."),
    ("deferred", "forebay_sidecar_deferred_ticks_total", "reason", "Ticks that a due change waited, by reason."),
    ("failures", "forebay_sidecar_failures_total", "reason", "What could not be done, by reason."),
    ("unforced", "forebay_sidecar_unforced_total", "", "Times that limits were found to end at net.core.rmem_max."),
    ("overridden", "forebay_sidecar_overridden_total", "", "Sizes that a program set while its buffer was in hand."),
    ("left_alone", "forebay_sidecar_left_alone_total", "reason", "Times a buffer was not taken in hand, by reason."),
    ("missing", "forebay_sidecar_missing_total", "reason", "Looks in which a target was not found, by reason."),
    ("eyes", "forebay_sidecar_eyes_changes_total", "event", "What happened to the counting of arrivals, by event."),
    ("restored", "forebay_sidecar_restored_total", "outcome", "Changes put back, by what came of it."),
];

const GAUGES: &[(&str, &str)] = &[
    ("forebay_build_info", "1, with the version as a label."),
    ("forebay_sidecar_budget_bytes", "The memory that all buffers share."),
    ("forebay_sidecar_committed_bytes", "The sum of all ceilings."),
    (
        "forebay_sidecar_price_ratio",
        "Worth of the next byte of room, in prices of a dropped byte; above 0.001 room is short.",
    ),
    ("forebay_sidecar_pass_duration_seconds", "Time of the last look for programs and sockets."),
    ("forebay_sidecar_eyes_interfaces", "Interfaces on which arrivals are counted."),
    ("forebay_sidecar_buffers", "Buffers in hand, by target."),
    ("forebay_sidecar_queued_bytes", "Bytes queued, in truesize, by target."),
    ("forebay_sidecar_ceiling_bytes", "The sum of ceilings, by target."),
];

const DROPPED: (&str, &str) =
    ("forebay_sidecar_dropped_packets_total", "Packets that the kernel dropped at full buffers, by target.");
const ARRIVED: (&str, &str) = ("forebay_sidecar_arrived_bytes_total", "Bytes that arrived, in truesize, by target.");
const ARRIVED_PACKETS: (&str, &str) =
    ("forebay_sidecar_arrived_packets_total", "Packets that arrived, where they are counted, by target.");
const NEW_FLOWS: (&str, &str) =
    ("forebay_sidecar_new_flows_total", "Flows that began, where they are counted, by target.");
const SYNS: (&str, &str) =
    ("forebay_sidecar_syns_total", "TCP connection requests, where they are counted, by target.");
const TICK_SECONDS: (&str, &str) = ("forebay_sidecar_tick_duration_seconds", "Time of one tick.");

/// The series of one sidecar.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    tick: Histogram,
    targets: HashMap<String, TargetSeries>,
}

struct TargetSeries {
    buffers: Gauge,
    queued: Gauge,
    ceiling: Gauge,
    dropped: Counter,
    arrived: Counter,
    arrived_packets: Counter,
    new_flows: Counter,
    syns: Counter,
}

impl Metrics {
    /// Series at zero.
    pub fn new() -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(TICK_SECONDS.0.to_owned()), &TICK_BUCKETS_S)
            .expect("the list of buckets is not empty")
            .build_recorder();
        for (_, name, _, help) in EVENTS {
            recorder.describe_counter((*name).into(), None, (*help).into());
        }
        for (name, help) in [DROPPED, ARRIVED, ARRIVED_PACKETS, NEW_FLOWS, SYNS] {
            recorder.describe_counter(name.into(), None, help.into());
        }
        for (name, help) in GAUGES {
            recorder.describe_gauge((*name).into(), None, (*help).into());
        }
        recorder.describe_histogram(TICK_SECONDS.0.into(), None, TICK_SECONDS.1.into());
        let tick = recorder.register_histogram(&Key::from_static_name(TICK_SECONDS.0), &METADATA);
        let metrics = Self { handle: recorder.handle(), recorder, tick, targets: HashMap::new() };
        metrics.gauge("forebay_build_info", &[("version", env!("CARGO_PKG_VERSION"))]).set(1.0);
        metrics
    }

    /// A way to the text that goes on working beside the loop.
    pub fn handle(&self) -> PrometheusHandle {
        self.handle.clone()
    }

    /// One tick took this long.
    pub fn tick(&self, took: Duration) {
        self.tick.record(took.as_secs_f64());
    }

    /// Takes in a report.
    pub fn update(&mut self, report: &Report) {
        self.gauge("forebay_sidecar_budget_bytes", &[]).set(report.budget_bytes as f64);
        self.gauge("forebay_sidecar_committed_bytes", &[]).set(report.committed_bytes as f64);
        self.gauge("forebay_sidecar_price_ratio", &[]).set(report.price);
        self.gauge("forebay_sidecar_eyes_interfaces", &[]).set(report.interfaces as f64);
        self.gauge("forebay_sidecar_pass_duration_seconds", &[]).set(report.pass_us as f64 / 1e6);
        for event in Event::ALL {
            let Some((_, name, label, _)) = EVENTS.iter().find(|(family, ..)| *family == event.family()) else {
                continue;
            };
            let labels = if label.is_empty() { vec![] } else { vec![Label::new(*label, event.label())] };
            let counter = self.recorder.register_counter(&Key::from_parts(*name, labels), &METADATA);
            counter.absolute(report.counts.get(*event));
        }
        for target in &report.targets {
            if !self.targets.contains_key(&target.name) {
                let series = self.series(&target.name);
                self.targets.insert(target.name.clone(), series);
            }
            let series = &self.targets[&target.name];
            series.buffers.set(target.buffers as f64);
            series.queued.set(target.queued_bytes as f64);
            series.ceiling.set(target.ceiling_bytes as f64);
            series.dropped.absolute(target.dropped_packets);
            series.arrived.absolute(target.arrived_bytes);
            series.arrived_packets.absolute(target.arrived_packets);
            series.new_flows.absolute(target.new_flows);
            series.syns.absolute(target.syns);
        }
        // Targets that left the configuration have nothing any more.
        for (name, series) in &self.targets {
            if !report.targets.iter().any(|target| target.name == *name) {
                for gauge in [&series.buffers, &series.queued, &series.ceiling] {
                    gauge.set(0.0);
                }
            }
        }
        // Folds the samples of the histogram; without it they would pile up between scrapes.
        self.handle.run_upkeep();
    }

    fn series(&self, target: &str) -> TargetSeries {
        let labels = || vec![Label::new("target", target.to_owned())];
        let gauge = |name: &'static str| self.recorder.register_gauge(&Key::from_parts(name, labels()), &METADATA);
        let counter = |name: &'static str| self.recorder.register_counter(&Key::from_parts(name, labels()), &METADATA);
        TargetSeries {
            buffers: gauge("forebay_sidecar_buffers"),
            queued: gauge("forebay_sidecar_queued_bytes"),
            ceiling: gauge("forebay_sidecar_ceiling_bytes"),
            dropped: counter(DROPPED.0),
            arrived: counter(ARRIVED.0),
            arrived_packets: counter(ARRIVED_PACKETS.0),
            new_flows: counter(NEW_FLOWS.0),
            syns: counter(SYNS.0),
        }
    }

    fn gauge(&self, name: &'static str, labels: &[(&'static str, &'static str)]) -> Gauge {
        debug_assert!(GAUGES.iter().any(|(known, _)| *known == name), "{name}");
        self.recorder.register_gauge(&Key::from((name, labels)), &METADATA)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

static METADATA: Metadata<'static> = Metadata::new("forebay_predictor", Level::INFO, None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_its_family_and_names_keep_the_conventions() {
        for event in Event::ALL {
            let family = EVENTS.iter().find(|(family, ..)| *family == event.family());
            let (_, _, label, _) = family.unwrap_or_else(|| panic!("{event:?}"));
            assert_eq!(label.is_empty(), event.label().is_empty(), "{event:?}");
        }
        let counters = EVENTS.iter().map(|(_, name, ..)| *name).chain([
            DROPPED.0,
            ARRIVED.0,
            ARRIVED_PACKETS.0,
            NEW_FLOWS.0,
            SYNS.0,
        ]);
        assert!(counters.into_iter().all(|name| name.starts_with("forebay_sidecar_") && name.ends_with("_total")));
        for (name, help) in GAUGES.iter().chain([&DROPPED, &ARRIVED, &TICK_SECONDS]) {
            assert!(!name.contains("_ms") && !name.contains("_kb") && help.ends_with('.'), "{name}");
        }
    }
}
