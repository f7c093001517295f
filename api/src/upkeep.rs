//! Keeping an index that is served: dropping what is old, and copying what is there.
//!
//! Both leave searches and ingest running. A copy goes below the one folder that the deployment names, under a plain name,
//! so that no request can write anywhere else.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use forebay_index::IndexError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answer::from_index;
use crate::error::ApiError;
use crate::limits::COPY_NAME_BYTES_MAX;
use crate::problem::Problem;
use crate::state::{Service, blocking};

/// Which events to drop.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Before {
    /// Unix epoch, microseconds.
    before_us: i64,
}

/// What was dropped.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dropped {
    /// Segments.
    segments: u64,
    /// Their events.
    events: u64,
    /// Their bytes on disk.
    bytes: u64,
}

/// Where a copy is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyRequest {
    /// Name of its folder inside `serve.copies_dir`: letters, digits, `-`, `_` and `.`, and no `.` in front.
    name: String,
}

/// A copy that was made.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "a name of the API, beside its counterpart")]
pub(crate) struct Copied {
    /// Its folder.
    path: String,
    /// Segments in it.
    segments: u64,
    /// Bytes of files it shares with the original.
    linked_bytes: u64,
    /// Bytes of its own.
    copied_bytes: u64,
}

/// Drop old events.
///
/// Drops every segment whose events all started before `before_us`. What is older and shares a segment with something newer
/// stays until that is older too.
#[utoipa::path(
    delete, path = "/v1/events", tag = "operation", params(Before),
    responses(
        (status = 200, body = Dropped),
        (status = "4XX", content_type = "application/problem+json", body = Problem),
        (status = "5XX", content_type = "application/problem+json", body = Problem),
    ),
)]
pub(crate) async fn delete_events(
    State(service): State<Service>,
    before: Result<Query<Before>, QueryRejection>,
) -> Result<Json<Dropped>, ApiError> {
    let wrong =
        |_| ApiError::Invalid("the one parameter is `before_us`, a time in microseconds since 1970.".to_owned());
    let Query(Before { before_us }) = before.map_err(wrong)?;
    let backend = service.backend()?;
    let dropped = blocking(move || backend.delete_before(before_us).map_err(from_index)).await?;
    Ok(Json(Dropped { segments: dropped.segments as u64, events: dropped.events, bytes: dropped.bytes }))
}

/// Copy the index.
///
/// Makes a copy of the index of this moment in `serve.copies_dir`, while everything goes on. It holds every event that was
/// reported stored before, and opens as an index of its own. Files are linked where the folder is on the same file system.
#[utoipa::path(
    post, path = "/v1/copies", tag = "operation", request_body = CopyRequest,
    responses(
        (status = 200, body = Copied),
        (status = "4XX", content_type = "application/problem+json", body = Problem),
        (status = "5XX", content_type = "application/problem+json", body = Problem),
    ),
)]
pub(crate) async fn copy(
    State(service): State<Service>,
    request: Result<Json<CopyRequest>, JsonRejection>,
) -> Result<Json<Copied>, ApiError> {
    let Json(CopyRequest { name }) = request.map_err(|rejection| match rejection {
        JsonRejection::MissingJsonContentType(_) => {
            ApiError::MediaType("`Content-Type` must be application/json.".to_owned())
        }
        _ => ApiError::Invalid("the body is a JSON object with one member, `name`.".to_owned()),
    })?;
    let to = place(&service, &name)?;
    let backend = service.backend()?;
    let path = to.display().to_string();
    let copied = blocking(move || backend.copy_to(&to).map_err(refused)).await?;
    tracing::info!(path, segments = copied.segments, "a copy of the index was made");
    Ok(Json(Copied {
        path,
        segments: copied.segments as u64,
        linked_bytes: copied.linked_bytes,
        copied_bytes: copied.copied_bytes,
    }))
}

fn place(service: &Arc<crate::state::State>, name: &str) -> Result<PathBuf, ApiError> {
    let none = || ApiError::Invalid("this server makes no copies: `serve.copies_dir` is not set.".to_owned());
    let folder = service.settings.copies.as_ref().ok_or_else(none)?;
    if !is_plain(name) {
        let most = COPY_NAME_BYTES_MAX;
        let reason = format!("`name` has 1 to {most} letters, digits, `-`, `_` and `.`, and no `.` in front.");
        return Err(ApiError::Invalid(reason));
    }
    Ok(folder.join(name))
}

/// Whether a name can only be that of a folder right below where it is put.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=COPY_NAME_BYTES_MAX).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
}

fn refused(error: IndexError) -> ApiError {
    match error {
        IndexError::Io(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            ApiError::Invalid("there is a copy of this name already.".to_owned())
        }
        other => from_index(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["2026-11-20", "a", "before_upgrade.1"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", ".", "..", ".hidden", "a/b", "/etc", "a\\b", "a b", "\u{e9}", &"x".repeat(65)] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
