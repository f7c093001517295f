//! Who may ask: the token, the host name and the origin.
//!
//! A page in a browser of this machine can reach a loopback address. Three things keep a hostile one out: the `Host` must
//! be a name of loopback (else DNS rebinding would make us same-origin with it; with a token it gains nothing, and a proxy
//! may pass on a name of its own), an `Origin` must be our own, and bodies must be of types that a page of another origin
//! cannot send without asking first (we never answer such a question).

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::ApiError;
use crate::settings::Token;
use crate::state::Service;

/// The one route that needs no token: a load balancer that knows no secret may ask whether we live.
const OPEN_ROUTE: &str = "/healthz";

/// Lets a request through, or answers why not.
pub(crate) async fn guard(State(service): State<Service>, request: Request, next: Next) -> Result<Response, ApiError> {
    let host = host(&request);
    if service.settings.token.is_none() && !host.as_deref().is_some_and(is_loopback_name) {
        return Err(ApiError::Host);
    }
    if !is_own_origin(request.headers(), host.as_deref()) {
        return Err(ApiError::Origin);
    }
    if let Some(token) = &service.settings.token
        && request.uri().path() != OPEN_ROUTE
        && !carries(request.headers(), token)
    {
        return Err(ApiError::Unauthorized);
    }
    Ok(next.run(request).await)
}

/// Host and port that the client asked for: of the absolute target if it sent one (RFC 9112, section 3.2.2), else of `Host`.
fn host(request: &Request) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_ascii_lowercase());
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?.to_ascii_lowercase();
    hosts.next().is_none().then_some(host)
}

/// Whether `host`, with or without a port, is a name of loopback.
fn is_loopback_name(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| match host.strip_prefix(name) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()),
        None => false,
    })
}

/// Whether the request comes from no page at all, or from one of ours.
fn is_own_origin(headers: &HeaderMap, host: Option<&str>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin: Option<Uri> = origin.to_str().ok().and_then(|origin| origin.parse().ok());
    let authority = origin.as_ref().and_then(Uri::authority).map(|authority| authority.as_str().to_ascii_lowercase());
    authority.is_some() && authority.as_deref() == host
}

/// Whether the request carries the token, as a bearer token or as the password of basic authentication (RFC 6750, RFC 7617).
fn carries(headers: &HeaderMap, token: &Token) -> bool {
    let Some((scheme, credentials)) =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '))
    else {
        return false;
    };
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return token.is(credentials.as_bytes());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let decoded = STANDARD.decode(credentials).unwrap_or_default();
    let password = decoded.iter().position(|byte| *byte == b':').map(|colon| &decoded[colon + 1..]);
    password.is_some_and(|password| token.is(password))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn names_of_loopback_and_others() {
        for name in ["localhost", "localhost:8787", "127.0.0.1:1", "[::1]", "[::1]:8787"] {
            assert!(is_loopback_name(name), "{name}");
        }
        for name in ["", "localhost.evil.example", "127.0.0.1.evil.example:80", "evil.example", "[::1", "localhost:"] {
            assert!(!is_loopback_name(name), "{name}");
        }
    }

    #[test]
    fn an_origin_is_ours_only_with_our_host_and_port() {
        let with = |origin: &'static str| HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
        let host = Some("localhost:8787");
        assert!(is_own_origin(&HeaderMap::new(), host));
        assert!(is_own_origin(&with("http://localhost:8787"), host));
        for other in ["http://localhost:9", "https://evil.example", "null", "http://localhost"] {
            assert!(!is_own_origin(&with(other), host), "{other}");
        }
    }

    #[test]
    fn the_token_comes_as_bearer_or_as_password() {
        let token = Token::new("s:ecret").unwrap();
        let with =
            |text: String| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&text).unwrap())]);
        assert!(carries(&with("Bearer s:ecret".into()), &token));
        assert!(carries(&with(format!("basic {}", STANDARD.encode("me:s:ecret"))), &token));
        for wrong in ["Bearer", "Bearer ", "Bearer secret", "Basic s:ecret", "Digest s:ecret", "Basic !!"] {
            assert!(!carries(&with(wrong.into()), &token), "{wrong}");
        }
    }
}
