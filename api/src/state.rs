//! What every handler shares.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::Ask;
use crate::backend::Backend;
use crate::error::ApiError;
use crate::limits::INGESTS_MAX;
use crate::metrics::{Metrics, READY};
use crate::settings::Settings;

/// The service; cheap to clone.
pub(crate) type Service = Arc<State>;

/// What every handler shares.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) ask: Ask,
    pub(crate) metrics: Metrics,
    pub(crate) started: Instant,
    /// Set once, when index and models are open.
    backend: OnceLock<Arc<Backend>>,
    /// Cancelled when the service begins to stop.
    pub(crate) stopping: CancellationToken,
    searches: Arc<Semaphore>,
    ingests: Arc<Semaphore>,
}

impl State {
    pub(crate) fn new(settings: Settings, ask: Ask, stopping: CancellationToken) -> Service {
        Arc::new(Self {
            searches: Arc::new(Semaphore::new(settings.concurrent_max)),
            ingests: Arc::new(Semaphore::new(INGESTS_MAX)),
            settings,
            ask,
            metrics: Metrics::new(),
            started: Instant::now(),
            backend: OnceLock::new(),
            stopping,
        })
    }

    /// Lets requests through to `backend` from now on.
    pub(crate) fn ready(&self, backend: Arc<Backend>) {
        // A second call could only come from a second opening, which the caller does not do; the first stays.
        let _ = self.backend.set(backend);
        self.metrics.gauge(&READY, &[]).set(1.0);
    }

    /// The backend, if it is open and the service is not stopping.
    pub(crate) fn backend(&self) -> Result<Arc<Backend>, ApiError> {
        if self.stopping.is_cancelled() {
            return Err(ApiError::NotReady("the service is stopping".to_owned()));
        }
        let opening = || ApiError::NotReady("index and models are being opened; ask again soon".to_owned());
        self.backend.get().cloned().ok_or_else(opening)
    }

    pub(crate) fn search_permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.searches.clone().try_acquire_owned().map_err(|_| ApiError::Busy("searches"))
    }

    pub(crate) fn ingest_permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.ingests.clone().try_acquire_owned().map_err(|_| ApiError::Busy("ingest streams"))
    }
}

/// Runs `work` on a thread that may block. A panic in it becomes an internal error.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| Err(ApiError::Internal(format!("a worker ended: {error}"))))
}
