//! Around every request: its identifier, its log line, its metrics, its security headers, and its error in words.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::error::{ApiError, Carried};
use crate::metrics::REQUESTS_REJECTED;
use crate::problem;
use crate::state::Service;

/// The header that carries the identifier of a request.
pub const REQUEST_ID: &str = "x-request-id";

/// No script but our own files, nothing from elsewhere, nowhere to send to, no frame around us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers, observed.
pub(crate) async fn observe(State(service): State<Service>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let request_id = Uuid::now_v7().to_string();
    let method = method_label(request.method().as_str());
    let route = request.extensions().get::<MatchedPath>().map_or("none", |path| path.as_str()).to_owned();

    let mut response = next.run(request).await;

    if let Some(Carried(error)) = response.extensions_mut().remove::<Carried>() {
        service.metrics.counter(&REQUESTS_REJECTED, &[("reason", error.kind().slug)]).increment(1);
        log(&error, &request_id, method, &route);
        response = problem::response(&error, &request_id);
    }
    let took = start.elapsed();
    let status = response.status().as_u16();
    service.metrics.request(&route, method, status, took);
    tracing::debug!(request_id, method, route, status, took_us = took.as_micros() as u64, "answered");
    add_headers(&mut response, &request_id);
    response
}

fn log(error: &ApiError, request_id: &str, method: &str, route: &str) {
    match error {
        ApiError::Internal(text) => tracing::error!(request_id, method, route, error = text, "a request failed"),
        error => tracing::debug!(request_id, method, route, reason = error.kind().slug, "{error}"),
    }
}

/// The method as a label: one of a fixed set, since a client may make up its own.
fn method_label(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

fn add_headers(response: &mut Response, request_id: &str) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static(REQUEST_ID), value);
    }
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
