//! `GET /v1/events/{id}`.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use forebay_event::{Event, EventId};

use crate::answer::from_index;
use crate::error::ApiError;
use crate::problem::Problem;
use crate::schema;
use crate::state::{Service, blocking};

/// One event, whole.
#[utoipa::path(
    get, path = "/v1/events/{id}", tag = "events",
    params(("id" = String, Path, format = Uuid, description = "The event's identifier")),
    responses(
        (status = 200, body = schema::Event),
        (status = "4XX", content_type = "application/problem+json", body = Problem),
        (status = "5XX", content_type = "application/problem+json", body = Problem),
    ),
)]
pub(crate) async fn event(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Event>, ApiError> {
    let backend = service.backend()?;
    let wrong = || ApiError::Invalid("the identifier of an event is a UUID.".to_owned());
    let Path(text) = id.map_err(|_| wrong())?;
    let id: EventId = text.parse().map_err(|_| wrong())?;
    let event = blocking(move || backend.event(id).map_err(from_index)).await?;
    event.map(Json).ok_or_else(|| ApiError::NoEvent(id.to_string()))
}
