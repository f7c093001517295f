//! `POST /v1/search`.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::answer::{Stages, answer_measured};
use crate::body::refuse;
use crate::error::ApiError;
use crate::limits::SEARCH_BODY_BYTES_MAX;
use crate::metrics::{Metrics, Running, SEARCH_FALLBACKS, SEARCHES_RUNNING};
use crate::problem::Problem;
use crate::question::{Answer, SearchRequest};
use crate::state::{Service, blocking};

/// Ask a question.
///
/// Addresses, ports, services, numbers and times in the question become exact filters, which the answer names; the words
/// left over rank what passes. Exactly `k` hits come whenever as many events match.
#[utoipa::path(
    post, path = "/v1/search", tag = "search", request_body = SearchRequest,
    responses(
        (status = 200, body = Answer),
        (status = "4XX", content_type = "application/problem+json", body = Problem),
        (status = "5XX", content_type = "application/problem+json", body = Problem),
    ),
)]
pub(crate) async fn search(State(service): State<Service>, request: Request) -> Result<Response, ApiError> {
    let seconds = service.settings.timeout.as_secs();
    let limit = service.settings.timeout;
    let backend = service.backend()?;
    let (head, body) = request.into_parts();
    if let Err(error) = check_type(&head.headers).and_then(|()| check_encoding(&head.headers)) {
        return Err(refuse(body, error).await);
    }
    // Read before a place is taken, so that a slow client holds up nobody; connections bound how many are read at once.
    let body = timeout(limit, read(body)).await.map_err(|_| ApiError::Slow)??;
    let question = parse(&body)?;

    let permit = service.search_permit()?;
    let worker = Arc::clone(&service);
    let answering = blocking(move || {
        // Held until the work is done, even if nobody waits for it any more.
        let _held = (permit, Running::new(worker.metrics.gauge(&SEARCHES_RUNNING, &[])));
        let answer = answer_measured(&backend, &worker.ask, &question, &worker.metrics)?;
        serde_json::to_vec(&answer).map_err(|error| ApiError::Internal(format!("writing an answer: {error}")))
    });
    let json = timeout(limit, answering).await.map_err(|_| ApiError::TimedOut(seconds))??;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

async fn read(body: Body) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::TooLarge(SEARCH_BODY_BYTES_MAX as u64);
    if body.size_hint().lower() > SEARCH_BODY_BYTES_MAX as u64 {
        return Err(refuse(body, too_large()).await);
    }
    to_bytes(body, SEARCH_BODY_BYTES_MAX).await.map_err(|error| {
        let broken = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<hyper::Error>);
        if broken { ApiError::Invalid("the body broke off.".to_owned()) } else { too_large() }
    })
}

fn parse(body: &[u8]) -> Result<SearchRequest, ApiError> {
    // An array would be taken for an object whose members come in order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::Invalid("the body must be a JSON object.".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| ApiError::Invalid(format!("the body: {error}.")))
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::MediaType("`Content-Type` must be application/json.".to_owned()))
}

/// Questions are short; what is compressed all the same is refused by its name, and not as JSON that cannot be read.
fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(ApiError::MediaType("`Content-Encoding` must be absent: a question is sent as it is.".to_owned()))
        }
        _ => Ok(()),
    }
}

impl Stages for Metrics {
    fn stage(&self, name: &'static str, start: Instant) -> Instant {
        Metrics::stage(self, name, start)
    }

    fn no_words(&self) {
        self.counter(&SEARCH_FALLBACKS, &[("reason", "no_words")]).increment(1);
    }
}
