//! Goal: nobody uses the service who may not: no other machine without a token, no page of another origin.
//! Method: requests with and without token, foreign hosts and origins; a start on an open address.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::Running;
use forebay_api::{Ask, Server, Settings, StartError, Token};
use reqwest::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};

#[test]
fn with_a_token_every_route_but_healthz_needs_it() {
    let server = Running::with(Settings { token: Token::new("secret"), ..Settings::default() });
    assert_eq!(server.get("/healthz").status(), 200);
    for path in ["/", "/page.js", "/readyz", "/metrics", "/openapi.json", "/v1/stats", "/v1/search", "/nowhere"] {
        let bare = server.get(path);
        assert_eq!(bare.status(), 401, "{path}");
        assert_eq!(bare.headers().get_all(WWW_AUTHENTICATE).iter().count(), 2);
        let with =
            |value: &str| server.client.get(server.url(path)).header(AUTHORIZATION, value).send().unwrap().status();
        for wrong in ["Bearer wrong", "Bearer secret2", "Bearer", "secret"] {
            assert_eq!(with(wrong), 401, "{path} {wrong}");
        }
        assert_ne!(with("Bearer secret"), 401, "{path}");
    }
    let page = server.client.get(server.url("/")).basic_auth("me", Some("secret")).send().unwrap();
    assert_eq!(page.status(), 200, "a browser may send the token as a password");
}

#[test]
fn foreign_hosts_and_origins_are_refused() {
    let server = Running::new();
    let get = |name, value: &str| {
        let response = server.client.get(server.url("/v1/stats")).header(name, value).send().unwrap();
        response.status().as_u16()
    };
    let port = server.address.port();
    assert_eq!(get(HOST, "rebound.example"), 421);
    assert_eq!(get(HOST, &format!("127.0.0.1.rebound.example:{port}")), 421);
    assert_eq!(get(HOST, &format!("localhost:{port}")), 200);
    assert_eq!(get(ORIGIN, "https://evil.example"), 403);
    assert_eq!(get(ORIGIN, "null"), 403);
    assert_eq!(get(ORIGIN, &format!("http://127.0.0.1:{port}")), 200);
    let preflight = server.client.request(reqwest::Method::OPTIONS, server.url("/v1/events"));
    let answer = preflight.header(ORIGIN, "https://evil.example").send().unwrap();
    assert!(answer.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn an_open_address_without_a_token_does_not_start() {
    let mut settings = Settings { listen: "0.0.0.0:0".parse().unwrap(), ..Settings::default() };
    let refused = Server::bind(settings.clone(), Ask::default()).await;
    let Err(StartError::Unprotected(_)) = refused else { panic!("it must not start") };
    settings.token = Token::new("secret");
    assert!(Server::bind(settings, Ask::default()).await.is_ok());
}
