//! Every route, and the `OpenAPI` document that follows from them.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{ApiError, KINDS};
use crate::guard::guard;
use crate::ingest::{self, Forms};
use crate::observe::observe;
use crate::state::Service;
use crate::{events, health, page, problem, search, upkeep};

/// What the document says of the whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Forebay",
        description = "Ask for network events in plain words, with exact filters; store events as they come.\n\n\
            Errors are problem details (RFC 9457). Where the server has a token, every route but `/healthz` needs it.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    tags(
        (name = "search", description = "Questions and their answers"),
        (name = "events", description = "Events by their identifier, and new ones"),
        (name = "operation", description = "For whoever runs the service"),
    ),
)]
struct Document;

fn documented() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(search::search))
        .routes(routes!(events::event))
        .routes(routes!(ingest::ingest, upkeep::delete_events))
        .routes(routes!(upkeep::copy))
        .routes(routes!(health::stats))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
}

/// The `OpenAPI` document.
pub(crate) fn openapi() -> OpenApi {
    let (_, mut document) = documented().split_for_parts();
    document.merge(Forms::openapi());
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`serve.token`, where it is set"));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    let none = SecurityRequirement::default();
    let builder: OpenApiBuilder = document.into();
    builder.security(Some([none, SecurityRequirement::new("token", Vec::<String>::new())])).build()
}

/// The document as it is served and committed.
pub fn openapi_json() -> String {
    let mut text = openapi().to_pretty_json().expect("the document is made of strings and numbers");
    text.push('\n');
    text
}

/// Everything the service answers.
pub(crate) fn router(service: Service) -> Router {
    let (router, _) = documented().split_for_parts();
    let document: HeaderValue = HeaderValue::from_static("application/json");
    let text = openapi_json();
    let router = page::FILES.iter().fold(router, |router, file| router.route(file.path, get(page::file)));
    router
        .route("/openapi.json", get(move || async move { ([(header::CONTENT_TYPE, document)], text) }))
        .route("/problems/{slug}", get(explain))
        .fallback(async || ApiError::NoRoute)
        .method_not_allowed_fallback(async || ApiError::NoMethod)
        .layer(from_fn_with_state(service.clone(), guard))
        .layer(from_fn_with_state(service.clone(), observe))
        .with_state(service)
}

/// What a type of problem means.
async fn explain(Path(slug): Path<String>) -> Result<Response, ApiError> {
    let kind = KINDS.iter().find(|kind| kind.slug == slug).ok_or(ApiError::NoRoute)?;
    Ok(problem::explanation(kind).into_response())
}
