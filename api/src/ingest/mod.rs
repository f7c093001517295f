//! `POST /v1/events`: events in as lines of JSON, a result for each line out.
//!
//! **Promise.** An event reported `stored` is synced to disk and searchable. A line that is not an event is rejected with
//! its number and the reason, and stops nothing. The body is never held whole. The last line of the answer sums up; an
//! answer without it was cut off. Sending the same lines again is safe: what is there is a `duplicate`.
//!
//! **Limits.** Lines as in `forebay_event::limits`, the rest in [`crate::limits`].
//!
//! **Layout.** [`decode`] undoes gzip and zstd, [`lines`] cuts, [`worker`] stores a batch, [`stream`] drives them.

mod decode;
mod lines;
pub(crate) mod result;
mod stream;
mod worker;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};

use crate::body::refuse;
use crate::error::ApiError;
use crate::limits::{BATCHES_AT_ONCE, RESULT_BUFFER_BYTES, RESULT_PIECE_BYTES};
use crate::metrics::{INGEST_STREAMS_RUNNING, Running};
use crate::problem::Problem;
use crate::state::Service;
use decode::Decoder;
use result::{LastLine, LineResult};
use stream::Stream;
use worker::Worker;

/// The media type of results, and the first of those that bodies may have.
const NDJSON: &str = "application/x-ndjson";

/// Media types of bodies. A page of another origin cannot send any of them without asking first.
const ACCEPTED: [&str; 4] = [NDJSON, "application/jsonl", "application/x-jsonlines", "application/jsonlines"];

/// How the results are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Options {
    /// `all` (a result for each line) or `rejected` (only for lines that were rejected; for clients that read nothing
    /// until they have sent everything).
    #[serde(default)]
    results: Results,
}

/// Which lines get a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Results {
    /// Each line.
    #[default]
    All,
    /// Rejected lines.
    Rejected,
}

/// Store events.
///
/// One event per line, in the form of `Event`; `Content-Encoding` gzip and zstd are read. The answer has a `LineResult`
/// per line, as soon as its batch is stored, and ends with a `LastLine`. Results come while the body is still being sent.
#[utoipa::path(
    post, path = "/v1/events", tag = "events", params(Options),
    request_body(content_type = "application/x-ndjson", content = String, description = "Events, one per line"),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = LineResult,
         description = "A `LineResult` per line, then a `LastLine`"),
        (status = "4XX", content_type = "application/problem+json", body = Problem),
        (status = "5XX", content_type = "application/problem+json", body = Problem),
    ),
)]
pub(crate) async fn ingest(
    State(service): State<Service>,
    options: Result<Query<Options>, QueryRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Query(options) = options
        .map_err(|_| ApiError::Invalid("the only parameter is `results`, and it is `all` or `rejected`.".to_owned()))?;
    let backend = service.backend()?;
    let (head, body) = request.into_parts();
    let decoder = match check_type(&head.headers).and_then(|()| Decoder::new(&head.headers)) {
        Ok(decoder) => decoder,
        Err(error) => return Err(refuse(body, error).await),
    };
    let permit = service.ingest_permit()?;
    let running = Running::new(service.metrics.gauge(&INGEST_STREAMS_RUNNING, &[]));
    let stream = Stream::begin(body, decoder, service.settings.body_bytes_max).await?;

    let (ours, theirs) = tokio::io::duplex(RESULT_BUFFER_BYTES);
    let terse = options.results == Results::Rejected;
    let worker = || Worker::new(Arc::clone(&service), Arc::clone(&backend), terse);
    let workers = std::iter::repeat_with(worker).take(BATCHES_AT_ONCE).collect();
    tokio::spawn(async move {
        let _held = (permit, running);
        stream.run(&service, workers, ours).await;
    });
    let results = ReaderStream::with_capacity(theirs, RESULT_PIECE_BYTES);
    Ok(([(header::CONTENT_TYPE, NDJSON)], Body::from_stream(results)).into_response())
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    if ACCEPTED.iter().any(|accepted| accepted.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    Err(ApiError::MediaType(format!("`Content-Type` must be {NDJSON} (lines of JSON).")))
}

/// The forms that the answer's lines have, for the `OpenAPI` document.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(LineResult, LastLine, crate::schema::Event)))]
pub(crate) struct Forms;
