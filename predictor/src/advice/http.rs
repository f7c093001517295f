//! The routes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream::{self, Stream, StreamExt as _};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;

use super::guard::{Token, guard};
use super::{Board, Follower};
use crate::sidecar::Recommendation;

/// How often a stream that has nothing to say says so, so that either end notices when the other is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Service {
    board: Board,
    metrics: PrometheusHandle,
}

/// What a client wants to hear of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Narrow {
    port: Option<u16>,
    pid: Option<u32>,
    target: Option<String>,
}

impl Narrow {
    fn takes(&self, recommendation: &Recommendation) -> bool {
        self.port.is_none_or(|port| port == recommendation.port)
            && self.pid.is_none_or(|pid| pid == recommendation.pid)
            && self.target.as_ref().is_none_or(|target| *target == recommendation.target)
    }
}

pub(super) fn router(board: Board, metrics: PrometheusHandle, token: Option<Token>) -> Router {
    Router::new()
        .route("/v1/recommendations", get(recommendations))
        .route("/v1/recommendations/stream", get(follow))
        .route("/v1/buffers", get(buffers))
        .route("/metrics", get(text))
        .route("/healthz", get(async || "ok\n"))
        .layer(from_fn_with_state(token, guard))
        .with_state(Service { board, metrics })
}

async fn recommendations(State(service): State<Service>, Query(narrow): Query<Narrow>) -> Response {
    let Some(report) = service.board.newest() else { return not_yet() };
    let all = report.buffers.iter().map(Recommendation::from).filter(|one| narrow.takes(one));
    Json(all.collect::<Vec<_>>()).into_response()
}

async fn buffers(State(service): State<Service>) -> Response {
    service.board.newest().map_or_else(not_yet, |report| Json(&*report).into_response())
}

async fn text(State(service): State<Service>) -> Response {
    let format = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (format, service.metrics.render()).into_response()
}

async fn follow(
    State(service): State<Service>,
    Query(narrow): Query<Narrow>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let batches =
        stream::unfold(service.board.follow(), async |mut follower: Follower| Some((follower.next().await?, follower)));
    let events = batches.flat_map(move |batch| {
        let events: Vec<_> = batch.iter().filter(|one| narrow.takes(one)).map(|one| Ok(event(one))).collect();
        stream::iter(events)
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

fn event(recommendation: &Recommendation) -> Event {
    let data = serde_json::to_string(recommendation).expect("numbers and a name are always JSON");
    Event::default().event("recommendation").id(recommendation.id.to_string()).data(data)
}

fn not_yet() -> Response {
    let retry = [(header::RETRY_AFTER, "1")];
    (StatusCode::SERVICE_UNAVAILABLE, retry, "the first report is not made yet\n").into_response()
}
