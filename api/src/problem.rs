//! Problem details: the one form of every error that leaves over HTTP (RFC 9457).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{ApiError, Kind};

/// The media type of problem details (RFC 9457, section 3).
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Which kind of problem: a path on this server that explains it.
    #[schema(example = "/problems/invalid-request")]
    pub r#type: String,
    /// The kind in a few words, always the same for the same type.
    #[schema(example = "The request is not valid")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 400)]
    pub status: u16,
    /// What is wrong this time, and what to do about it.
    #[schema(example = "`k` is 5000, and the most is 1000.")]
    pub detail: String,
    /// The request, by the identifier it has in our log; also in the header `x-request-id`.
    #[schema(example = "urn:uuid:0197a3c5-2f4c-7c70-a2c5-9a41f2a5be10")]
    pub instance: String,
}

impl Problem {
    /// What the client is told of `error`.
    pub fn new(error: &ApiError, request_id: &str) -> Self {
        let kind = error.kind();
        Self {
            r#type: kind.path(),
            title: kind.title.to_owned(),
            status: kind.status,
            detail: error.detail(),
            instance: format!("urn:uuid:{request_id}"),
        }
    }
}

/// The answer to a request that ended in `error`.
pub(crate) fn response(error: &ApiError, request_id: &str) -> Response {
    let problem = Problem::new(error, request_id);
    let mut response = (error.status(), axum::Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    for (name, value) in error.headers() {
        headers.append(name, value);
    }
    response
}

/// The page that a problem's `type` names.
pub(crate) fn explanation(kind: &Kind) -> String {
    format!("{} (HTTP status {})\n\n{}\n", kind.title, kind.status, kind.help)
}
