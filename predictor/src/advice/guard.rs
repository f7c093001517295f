//! Who may ask over HTTP.
//!
//! A page in a browser of this machine can reach a loopback address. Without a token the `Host` must be a name of loopback (else
//! DNS rebinding would make a foreign page same-origin with us), and a request that comes from a page (`Origin`) is refused:
//! we have no pages.

use std::fmt;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

/// A secret. Kept as its digest, so that it is in no log and comparing it takes the same time for every guess.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
}

impl Token {
    /// The token `text`; none if it is empty.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self { digest: Sha256::digest(text.as_bytes()).into() })
    }

    fn is(&self, guess: &[u8]) -> bool {
        let guess: [u8; 32] = Sha256::digest(guess).into();
        let difference = self.digest.iter().zip(guess).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Lets a request through, or answers why not.
pub(super) async fn guard(State(token): State<Option<Token>>, request: Request, next: Next) -> Response {
    match refusal(token.as_ref(), request.uri().path(), request.headers()) {
        None => next.run(request).await,
        Some((status, why)) => {
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
            if status == StatusCode::UNAUTHORIZED {
                (status, challenge, why).into_response()
            } else {
                (status, why).into_response()
            }
        }
    }
}

fn refusal(token: Option<&Token>, path: &str, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    if headers.contains_key(header::ORIGIN) {
        return Some((StatusCode::FORBIDDEN, "pages may not ask the sidecar\n"));
    }
    let Some(token) = token else {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let is_ours = is_loopback_name(&host.to_ascii_lowercase());
        return (!is_ours)
            .then_some((StatusCode::FORBIDDEN, "ask by a name of this machine: localhost or 127.0.0.1\n"));
    };
    let bearer =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '));
    let is_known = bearer
        .is_some_and(|(scheme, guess)| scheme.eq_ignore_ascii_case("bearer") && token.is(guess.trim().as_bytes()));
    // A probe that knows no secret may ask whether we live.
    (!is_known && path != "/healthz")
        .then_some((StatusCode::UNAUTHORIZED, "sidecar.token is wanted as a bearer token\n"))
}

/// Whether `host`, with or without a port, is a name of loopback.
fn is_loopback_name(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| match host.strip_prefix(name) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn without_a_token_only_names_of_loopback() {
        let ask = |host| refusal(None, "/metrics", &headers(&[(header::HOST, host)])).map(|(status, _)| status);
        for host in ["localhost:8788", "127.0.0.1", "[::1]:1"] {
            assert_eq!(ask(host), None, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "localhost:"] {
            assert_eq!(ask(host), Some(StatusCode::FORBIDDEN), "{host}");
        }
        let page = headers(&[(header::HOST, "localhost"), (header::ORIGIN, "http://localhost")]);
        assert!(refusal(None, "/metrics", &page).is_some());
    }

    #[test]
    fn with_a_token_only_who_knows_it() {
        let token = Token::new("secret");
        let ask = |value| refusal(token.as_ref(), "/metrics", &headers(&[(header::AUTHORIZATION, value)])).is_none();
        assert!(ask("Bearer secret") && ask("bearer  secret"));
        assert!(!ask("Bearer secre") && !ask("Basic secret") && !ask("secret") && !ask("Bearer"));
        assert!(refusal(token.as_ref(), "/metrics", &HeaderMap::new()).is_some());
        assert!(refusal(token.as_ref(), "/healthz", &HeaderMap::new()).is_none());
        assert!(Token::new("").is_none());
        assert_eq!(format!("{token:?}"), "Some(Token(..))");
    }
}
