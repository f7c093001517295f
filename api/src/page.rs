//! The page at `/`: static files, embedded, with no build in between. Its own comments say how it works.

use axum::extract::MatchedPath;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// A file of the page.
pub(crate) struct File {
    /// Where it is served.
    pub(crate) path: &'static str,
    media_type: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($path:literal $name:literal $media_type:literal;)*) => {
        /// Every file of the page.
        pub(crate) const FILES: &[File] = &[$(
            File { path: $path, media_type: $media_type, text: include_str!(concat!("../page/", $name)) }
        ),*];
    };
}

files! {
    "/" "index.html" "text/html; charset=utf-8";
    "/page.css" "page.css" "text/css; charset=utf-8";
    "/page.js" "page.js" "text/javascript; charset=utf-8";
    "/address.js" "address.js" "text/javascript; charset=utf-8";
    "/dom.js" "dom.js" "text/javascript; charset=utf-8";
    "/format.js" "format.js" "text/javascript; charset=utf-8";
    "/hits.js" "hits.js" "text/javascript; charset=utf-8";
    "/summary.js" "summary.js" "text/javascript; charset=utf-8";
    "/icon.svg" "icon.svg" "image/svg+xml";
}

/// The file that the router matched.
pub(crate) async fn file(path: MatchedPath) -> Result<Response, ApiError> {
    let file = FILES.iter().find(|file| file.path == path.as_str()).ok_or(ApiError::NoRoute)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((headers, file.text).into_response())
}
