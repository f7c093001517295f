//! Bodies of requests: read piece by piece, and read off when they are refused.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody as _};
use tokio::time::timeout;

use crate::error::ApiError;
use crate::limits::{REFUSED_BYTES_MAX, REFUSED_WAIT};

/// The body broke off: the client's fault, or the network's.
pub(crate) struct Broken;

/// The next bytes of `body`; none at its end.
pub(crate) async fn next(body: &mut Body) -> Option<Result<Bytes, Broken>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await? {
            // Anything but data is a trailer, which nobody asked for.
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Some(Ok(bytes));
                }
            }
            Err(_) => return Some(Err(Broken)),
        }
    }
}

/// Reads off a body that is refused with `error`, within bounds. A client that is still sending when the connection closes
/// sees a broken connection and not the reason.
pub(crate) async fn refuse(mut body: Body, error: ApiError) -> ApiError {
    let read_off = async {
        let mut left = REFUSED_BYTES_MAX;
        while let Some(Ok(bytes)) = next(&mut body).await {
            left = left.saturating_sub(bytes.len());
            if left == 0 {
                return;
            }
        }
    };
    // Whether it ended or the time did, the answer is the same.
    let _ = timeout(REFUSED_WAIT, read_off).await;
    error
}
