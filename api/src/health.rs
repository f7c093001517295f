//! For whoever runs the service: does it live, is it ready, what does it hold, what has it counted.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use forebay_index::Stats as Held;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::metrics::{INDEX_BYTES, INDEX_COUNTS, INDEX_EVENTS, INDEX_HOT_EVENTS, INDEX_SEGMENTS, INDEX_SET_ASIDE};
use crate::problem::Problem;
use crate::state::{Service, blocking};

/// What the service holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// Version of the program.
    pub version: String,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Events that can be found.
    pub events: u64,
    /// Events of these that are in memory and in the log, and in no segment yet.
    #[serde(default)]
    pub hot_events: u64,
    /// Bytes of the index on disk.
    pub bytes: u64,
    /// When the first event started, Unix epoch, microseconds; null when there is none.
    pub first_us: Option<i64>,
    /// When the last event started.
    pub last_us: Option<i64>,
    /// Segments that serve.
    pub segments: u64,
    /// Segments that were found damaged and set aside. Their events are not found.
    pub damaged: Vec<Damaged>,
    /// The models in use.
    pub models: String,
    /// The vector space they share.
    pub model_space: String,
    /// Numbers in a vector.
    pub dimension: usize,
}

/// A damaged segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Damaged {
    /// Its name.
    pub name: String,
    /// Events it held.
    pub events: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// Whether the service lives, or is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Alive {
    /// `ok`.
    status: String,
}

/// What does the index hold?
#[utoipa::path(
    get, path = "/v1/stats", tag = "operation",
    responses(
        (status = 200, body = Stats),
        (status = "5XX", content_type = "application/problem+json", body = Problem),
    ),
)]
pub(crate) async fn stats(State(service): State<Service>) -> Result<Json<Stats>, ApiError> {
    let backend = service.backend()?;
    let (held, models) = blocking(move || Ok((backend.stats(), backend.model().to_owned()))).await?;
    let uptime_s = service.started.elapsed().as_secs();
    Ok(Json(compose(held, models, uptime_s)))
}

fn compose(held: Held, models: String, uptime_s: u64) -> Stats {
    let damaged = held.damaged.into_iter();
    Stats {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s,
        events: held.events,
        hot_events: held.hot_events,
        bytes: held.bytes,
        first_us: held.time_range_us.map(|(first, _)| first),
        last_us: held.time_range_us.map(|(_, last)| last),
        segments: held.segments.len() as u64,
        damaged: damaged.map(|it| Damaged { name: it.name, events: it.events, reason: it.reason }).collect(),
        models,
        model_space: held.model_space,
        dimension: held.dimension,
    }
}

/// Does the process live?
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = Alive)))]
pub(crate) async fn healthz() -> Json<Alive> {
    Json(Alive { status: "ok".to_owned() })
}

/// Are index and models open?
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses(
        (status = 200, body = Alive),
        (status = 503, content_type = "application/problem+json", body = Problem),
    ),
)]
pub(crate) async fn readyz(State(service): State<Service>) -> Result<Json<Alive>, ApiError> {
    service.backend()?;
    Ok(healthz().await)
}

/// What has been counted, in the text format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = 200, content_type = "text/plain; version=0.0.4", body = String)),
)]
pub(crate) async fn metrics(State(service): State<Service>) -> Result<impl IntoResponse, ApiError> {
    if let Ok(backend) = service.backend() {
        let held = blocking(move || Ok(backend.stats())).await?;
        let metrics = &service.metrics;
        metrics.gauge(&INDEX_EVENTS, &[]).set(held.events as f64);
        metrics.gauge(&INDEX_SEGMENTS, &[]).set(held.segments.len() as f64);
        metrics.gauge(&INDEX_HOT_EVENTS, &[]).set(held.hot_events as f64);
        metrics.gauge(&INDEX_BYTES, &[]).set(held.bytes as f64);
        metrics.gauge(&INDEX_SET_ASIDE, &[]).set(held.damaged.len() as f64);
        for (name, count) in &held.counters {
            metrics.counter(&INDEX_COUNTS, &[("name", name)]).absolute(*count);
        }
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], service.metrics.render()))
}
