//! What can go wrong with a request, and the one place where that becomes a status and words for the client.
//!
//! A variant carries what may be told to the client. [`ApiError::Internal`] also carries what may not: that text goes to
//! the log, under the identifier of the request, and never leaves.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

use crate::limits::RETRY_AFTER_S;

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The client's fault: the request cannot be understood.
    #[error("{0}")]
    Invalid(String),
    /// The client's fault: more was asked for than is allowed.
    #[error("{0}")]
    Limit(String),
    /// The client's fault: the cursor is not one of ours, or belongs to another question.
    #[error("{0}")]
    Cursor(String),
    /// The client's fault: no token, or a wrong one.
    #[error("the token is missing or wrong")]
    Unauthorized,
    /// The client's fault, or an attack: a page of another origin asks.
    #[error("a page of another origin asks")]
    Origin,
    /// The client's fault, or an attack: the host name asked for is not this machine.
    #[error("the host name is not this machine's")]
    Host,
    /// The client's fault: no such event.
    #[error("no event {0}")]
    NoEvent(String),
    /// The client's fault: no such route.
    #[error("no such route")]
    NoRoute,
    /// The client's fault: the route exists, the method does not.
    #[error("no such method")]
    NoMethod,
    /// The client's fault: the body came too slowly.
    #[error("the body came too slowly")]
    Slow,
    /// The client's fault: the body is longer than allowed.
    #[error("the body is over {0} bytes")]
    TooLarge(u64),
    /// The client's fault: the body is of a type we do not read.
    #[error("{0}")]
    MediaType(String),
    /// Nobody's fault: as many requests of this kind run as may.
    #[error("too many {0} at once")]
    Busy(&'static str),
    /// Nobody's fault: the service is starting or stopping.
    #[error("{0}")]
    NotReady(String),
    /// Ours: the search took longer than allowed.
    #[error("no answer within {0} s")]
    TimedOut(u64),
    /// Ours. The text is for the log alone.
    #[error("{0}")]
    Internal(String),
}

/// A kind of problem: what is the same each time it occurs.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Last part of the path of the problem's type; also the `reason` in the metrics.
    pub slug: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// In a few words.
    pub title: &'static str,
    /// What it means and what to do.
    pub help: &'static str,
}

const fn kind(slug: &'static str, status: u16, title: &'static str, help: &'static str) -> Kind {
    Kind { slug, status, title, help }
}

/// Every kind, in the order of the status.
pub const KINDS: [Kind; 16] = [
    kind(
        "invalid-request",
        400,
        "The request is not valid",
        "Correct what `detail` names; /openapi.json has the forms.",
    ),
    kind("limit-exceeded", 400, "A limit was exceeded", "Ask for less; `detail` names the limit."),
    kind("invalid-cursor", 400, "The cursor is not valid", "Ask the same question again without the cursor."),
    kind("unauthorized", 401, "A token is needed", "Send `Authorization: Bearer` with the token of this server."),
    kind("origin-refused", 403, "The origin is refused", "Pages of other origins may not use this server."),
    kind("event-not-found", 404, "There is no such event", "The identifier is of no event in this index."),
    kind("route-not-found", 404, "There is no such page", "/openapi.json lists every route."),
    kind("method-not-allowed", 405, "The method is not allowed", "/openapi.json lists the methods of every route."),
    kind("body-too-slow", 408, "The body came too slowly", "Send it again over a better connection."),
    kind("body-too-large", 413, "The body is too large", "Send it in smaller parts."),
    kind("unsupported-media-type", 415, "The type of the body is not supported", "`detail` names the types that are."),
    kind("host-refused", 421, "The host name is refused", "Use localhost, 127.0.0.1 or [::1] in the address."),
    kind("too-many-requests", 429, "Too many requests at once", "Wait as `Retry-After` says and ask again."),
    kind(
        "internal",
        500,
        "Something failed on our side",
        "The server's log has the cause under the request's identifier.",
    ),
    kind("not-ready", 503, "The service is not ready", "Wait until /readyz says 200."),
    kind("timed-out", 503, "The search took too long", "Ask for less, for example with a time range, or try again."),
];

impl ApiError {
    /// The kind of problem this is: the one mapping from our errors to HTTP.
    pub fn kind(&self) -> &'static Kind {
        let place = match self {
            Self::Invalid(_) => 0,
            Self::Limit(_) => 1,
            Self::Cursor(_) => 2,
            Self::Unauthorized => 3,
            Self::Origin => 4,
            Self::NoEvent(_) => 5,
            Self::NoRoute => 6,
            Self::NoMethod => 7,
            Self::Slow => 8,
            Self::TooLarge(_) => 9,
            Self::MediaType(_) => 10,
            Self::Host => 11,
            Self::Busy(_) => 12,
            Self::Internal(_) => 13,
            Self::NotReady(_) => 14,
            Self::TimedOut(_) => 15,
        };
        &KINDS[place]
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What the client is told: never the text of an internal error.
    pub fn detail(&self) -> String {
        match self {
            Self::Internal(_) | Self::Unauthorized | Self::Origin | Self::Host | Self::NoRoute | Self::NoMethod => {
                self.kind().help.to_owned()
            }
            Self::Slow | Self::TooLarge(_) | Self::Busy(_) | Self::NoEvent(_) | Self::TimedOut(_) => {
                format!("{}. {}", capitalised(&self.to_string()), self.kind().help)
            }
            _ => capitalised(&self.to_string()),
        }
    }

    /// Headers that belong to the answer.
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthorized => vec![
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"forebay\"")),
                // So that a browser asks for the token: any name, the token as the password.
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"forebay\", charset=\"UTF-8\"")),
            ],
            Self::Busy(_) | Self::NotReady(_) | Self::TimedOut(_) => {
                vec![(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S))]
            }
            _ => Vec::new(),
        }
    }
}

impl Kind {
    /// The path that a problem of this kind has as its `type`.
    pub fn path(&self) -> String {
        format!("/problems/{}", self.slug)
    }
}

/// The error on its way out: [`crate::observe`] turns it into problem details once the request's identifier is known.
#[derive(Clone)]
pub(crate) struct Carried(pub(crate) Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Carried(Arc::new(self)));
        response
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_and_named_like_their_errors() {
        for (i, kind) in KINDS.iter().enumerate() {
            assert!(KINDS[..i].iter().all(|other| other.slug != kind.slug), "{}", kind.slug);
            assert!(StatusCode::from_u16(kind.status).unwrap().as_u16() >= 400);
        }
        assert_eq!(ApiError::Invalid(String::new()).kind().slug, "invalid-request");
        assert_eq!(ApiError::Host.kind().slug, "host-refused");
        assert_eq!(ApiError::Busy("searches").kind().slug, "too-many-requests");
        assert_eq!(ApiError::TimedOut(1).kind().slug, "timed-out");
    }

    #[test]
    fn internal_text_stays_inside() {
        let error = ApiError::Internal("/secret/path: no space left".to_owned());
        assert!(!error.detail().contains("secret"));
    }
}
