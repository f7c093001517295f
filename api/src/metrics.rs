//! What the service counts, in the text format of Prometheus.
//!
//! One table names every family with its help. Labels take values from fixed sets (routes as written in the router, slugs
//! of problems, reasons of the ingest), so that no request can make a new series. Each server has a registry of its own.

use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::error::KINDS;

/// Upper bounds of the latency histograms, in seconds: from a cached page to the longest search.
const LATENCY_BUCKETS_S: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What a family of series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Counter,
    Gauge,
    Histogram,
}

/// A family of series.
pub(crate) struct Family {
    name: &'static str,
    r#type: Type,
    help: &'static str,
}

macro_rules! families {
    ($($constant:ident $type:ident $name:literal $help:literal;)*) => {
        $(pub(crate) const $constant: Family = Family { name: $name, r#type: Type::$type, help: $help };)*
        const FAMILIES: &[Family] = &[$($constant),*];
    };
}

families! {
    BUILD_INFO Gauge "forebay_build_info" "1, with the version as a label.";
    READY Gauge "forebay_ready" "1 once index and models are open, else 0.";
    START_TIME Gauge "forebay_start_time_seconds" "When the service started, seconds since 1970.";
    CONNECTIONS Gauge "forebay_http_connections" "Connections that are open.";
    CONNECTIONS_ENDED Counter "forebay_http_connections_ended_total" "Connections that are closed, by reason.";
    REQUESTS Counter "forebay_http_requests_total" "Requests answered, by route, method and status.";
    REQUEST_SECONDS Histogram "forebay_http_request_duration_seconds" "Time to the head of the answer, by route.";
    REQUESTS_REJECTED Counter "forebay_http_requests_rejected_total" "Requests answered with a problem, by reason.";
    SEARCHES_RUNNING Gauge "forebay_searches_running" "Searches that run now.";
    SEARCH_STAGE_SECONDS Histogram "forebay_search_stage_duration_seconds" "Time of a search by stage: parse, embed, index.";
    SEARCH_FALLBACKS Counter "forebay_search_fallbacks_total" "Searches answered without vectors, by reason.";
    INGEST_STREAMS_RUNNING Gauge "forebay_ingest_streams_running" "Ingest requests that run now.";
    INGEST_STREAMS Counter "forebay_ingest_streams_total" "Ingest requests that ended, by reason.";
    INGEST_BYTES Counter "forebay_ingest_bytes_total" "Bytes of ingest bodies, decompressed.";
    INGEST_EVENTS Counter "forebay_ingest_events_total" "Lines that were events, by status: stored or duplicate.";
    INGEST_REJECTED Counter "forebay_ingest_lines_rejected_total" "Lines that were not stored, by reason.";
    INGEST_UNKNOWN_MEMBERS Counter "forebay_ingest_unknown_members_total" "Members of events passed over because the schema does not know their names.";
    INGEST_BATCHES Counter "forebay_ingest_batches_total" "Batches of events stored.";
    INGEST_BATCH_SECONDS Histogram "forebay_ingest_batch_duration_seconds" "Time to parse, embed and store a batch.";
    INDEX_EVENTS Gauge "forebay_index_events" "Events in the index.";
    INDEX_SEGMENTS Gauge "forebay_index_segments" "Segments of the index that serve.";
    INDEX_HOT_EVENTS Gauge "forebay_index_hot_events" "Events in memory and in the log, and in no segment yet.";
    INDEX_BYTES Gauge "forebay_index_bytes" "Bytes of the index on disk, the log among them.";
    INDEX_COUNTS Counter "forebay_index_counts_total" "What the index has counted since it was opened, by name.";
    INDEX_SET_ASIDE Gauge "forebay_index_segments_set_aside" "Segments found damaged and set aside.";
}

/// Why a line of an ingest stream was not stored. The whole set of values of the label `reason`.
pub(crate) const LINE_REASONS: [&str; 4] = ["too_long", "not_an_event", "too_large_body", "storage"];

/// Why an ingest stream ended. The whole set of values of the label `reason`.
pub(crate) const STREAM_REASONS: [&str; 6] = ["complete", "interrupted", "idle", "too_large", "stopping", "storage"];

/// Why a search went without vectors.
pub(crate) const FALLBACK_REASONS: [&str; 1] = ["no_words"];

/// Why a connection ended.
pub(crate) const CONNECTION_REASONS: [&str; 2] = ["done", "error"];

/// The series of one server.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut builder = PrometheusBuilder::new();
        for family in FAMILIES.iter().filter(|family| family.r#type == Type::Histogram) {
            builder = builder
                .set_buckets_for_metric(Matcher::Full(family.name.to_owned()), &LATENCY_BUCKETS_S)
                .expect("the list of buckets is not empty");
        }
        let recorder = builder.build_recorder();
        let metrics = Self { handle: recorder.handle(), recorder };
        for family in FAMILIES {
            metrics.describe(family);
        }
        metrics.begin_at_zero();
        metrics
    }

    /// The text that `/metrics` answers.
    pub(crate) fn render(&self) -> String {
        self.upkeep();
        self.handle.render()
    }

    /// Folds the samples since the last call into the histograms; without it they would pile up between scrapes.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    pub(crate) fn counter(&self, family: &Family, labels: &[(&'static str, &'static str)]) -> Counter {
        debug_assert!(family.r#type == Type::Counter, "{}", family.name);
        self.recorder.register_counter(&key(family, labels), &METADATA)
    }

    pub(crate) fn gauge(&self, family: &Family, labels: &[(&'static str, &'static str)]) -> Gauge {
        debug_assert!(family.r#type == Type::Gauge, "{}", family.name);
        self.recorder.register_gauge(&key(family, labels), &METADATA)
    }

    pub(crate) fn histogram(&self, family: &Family, labels: &[(&'static str, &'static str)]) -> Histogram {
        debug_assert!(family.r#type == Type::Histogram, "{}", family.name);
        self.recorder.register_histogram(&key(family, labels), &METADATA)
    }

    /// Counts one answered request. `route` is the pattern of the router, `status` a status code.
    pub(crate) fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let labels = vec![
            Label::new("route", route.to_owned()),
            Label::new("method", method.to_owned()),
            Label::new("status", status.to_string()),
        ];
        self.recorder.register_counter(&Key::from_parts(REQUESTS.name, labels), &METADATA).increment(1);
        let route = vec![Label::new("route", route.to_owned())];
        let seconds = self.recorder.register_histogram(&Key::from_parts(REQUEST_SECONDS.name, route), &METADATA);
        seconds.record(took.as_secs_f64());
    }

    /// Records the time since `start` as that of a stage of a search; gives the present time.
    pub(crate) fn stage(&self, stage: &'static str, start: Instant) -> Instant {
        let now = Instant::now();
        self.histogram(&SEARCH_STAGE_SECONDS, &[("stage", stage)]).record((now - start).as_secs_f64());
        now
    }

    fn describe(&self, family: &Family) {
        let (name, help) = (family.name.into(), family.help.into());
        match family.r#type {
            Type::Counter => self.recorder.describe_counter(name, None, help),
            Type::Gauge => self.recorder.describe_gauge(name, None, help),
            Type::Histogram => self.recorder.describe_histogram(name, None, help),
        }
    }

    /// Lets every counter with a known set of labels exist from the start, so that a rate sees its first increment.
    fn begin_at_zero(&self) {
        let reasons = |family: &Family, reasons: &[&'static str]| {
            for reason in reasons {
                self.counter(family, &[("reason", reason)]).increment(0);
            }
        };
        reasons(&REQUESTS_REJECTED, &KINDS.map(|kind| kind.slug));
        reasons(&CONNECTIONS_ENDED, &CONNECTION_REASONS);
        reasons(&SEARCH_FALLBACKS, &FALLBACK_REASONS);
        reasons(&INGEST_STREAMS, &STREAM_REASONS);
        reasons(&INGEST_REJECTED, &LINE_REASONS);
        for status in ["stored", "duplicate"] {
            self.counter(&INGEST_EVENTS, &[("status", status)]).increment(0);
        }
        for family in [&INGEST_BYTES, &INGEST_BATCHES, &INGEST_UNKNOWN_MEMBERS] {
            self.counter(family, &[]).increment(0);
        }
        for family in FAMILIES.iter().filter(|family| family.r#type == Type::Gauge && family.name != BUILD_INFO.name) {
            self.gauge(family, &[]).set(0.0);
        }
        self.gauge(&BUILD_INFO, &[("version", env!("CARGO_PKG_VERSION"))]).set(1.0);
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        self.gauge(&START_TIME, &[]).set(since_1970.as_secs_f64());
    }
}

/// Counts up while it lives: a gauge of things that run.
pub(crate) struct Running(Gauge);

impl Running {
    pub(crate) fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

static METADATA: Metadata<'static> = Metadata::new("forebay_api", Level::INFO, None);

fn key(family: &Family, labels: &[(&'static str, &'static str)]) -> Key {
    let labels: Vec<Label> = labels.iter().map(|(name, value)| Label::new(*name, *value)).collect();
    Key::from_parts(family.name, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        for family in FAMILIES {
            assert!(family.name.starts_with("forebay_"), "{}", family.name);
            assert_eq!(family.name.ends_with("_total"), family.r#type == Type::Counter, "{}", family.name);
            assert_eq!(family.name.ends_with("_duration_seconds"), family.r#type == Type::Histogram, "{}", family.name);
            assert!(family.help.ends_with('.'), "{}", family.name);
        }
    }

    #[test]
    fn a_counter_is_there_before_its_first_increment_with_its_help() {
        let text = Metrics::new().render();
        assert!(text.contains("# HELP forebay_ingest_lines_rejected_total "), "{text}");
        assert!(text.contains("forebay_ingest_lines_rejected_total{reason=\"too_long\"} 0"), "{text}");
    }
}
