//! Connections: accepted, bounded, timed, and ended in good order.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::answer::Ask;
use crate::backend::{Backend, OpenError, Sources};
use crate::limits::{CONNECTIONS_MAX, HEAD_BYTES_MAX, HEAD_WAIT, HEADERS_MAX, INGESTS_MAX, WRITE_WAIT};
use crate::metrics::{CONNECTIONS, CONNECTIONS_ENDED, Running};
use crate::patience::Patient;
use crate::routes::router;
use crate::settings::{Settings, StartError};
use crate::state::{Service, State, blocking};

/// How often the histograms are folded when nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// How long accepting rests when the system has no file descriptor left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Threads for blocking work beyond those that searches and ingest streams may hold.
const THREADS_SPARE: usize = 8;

/// Serves until SIGINT or SIGTERM, then finishes what is in flight. Blocks.
pub fn serve(settings: Settings, ask: Ask, sources: Sources) -> Result<(), StartError> {
    settings.check()?;
    let shutdown = settings.shutdown;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(settings.concurrent_max + INGESTS_MAX + THREADS_SPARE)
        .enable_all()
        .build()
        .map_err(StartError::System)?;
    let result = runtime.block_on(async {
        let stop = CancellationToken::new();
        watch_signals(stop.clone()).map_err(StartError::System)?;
        let server = Server::bind(settings, ask).await?;
        server.run(move || Backend::open(&sources), stop).await
    });
    runtime.shutdown_timeout(shutdown);
    result
}

/// A service that has its address and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
    ask: Ask,
}

impl Server {
    /// Takes the address.
    pub async fn bind(settings: Settings, ask: Ask) -> Result<Self, StartError> {
        settings.check()?;
        let failed = |error: io::Error| StartError::Listen { address: settings.listen, error };
        let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, settings, ask })
    }

    /// The address it listens on; tells the port where the system chose it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`. Health and metrics answer at once, the rest when `open` has given the backend; if it fails, so
    /// does the service.
    pub async fn run(
        self,
        open: impl FnOnce() -> Result<Backend, OpenError> + Send + 'static,
        stop: CancellationToken,
    ) -> Result<(), StartError> {
        let shutdown = self.settings.shutdown;
        let service = State::new(self.settings, self.ask, stop.clone());
        let app = router(Arc::clone(&service));
        tracing::info!("listening on http://{}", self.address);
        let upkeep = tokio::spawn(keep_up(Arc::clone(&service)));
        let opening = tokio::spawn(open_backend(Arc::clone(&service), open, stop.clone()));

        let graceful = GracefulShutdown::new();
        accept(&self.listener, &app, &service, &graceful, &stop).await;
        drop(self.listener);
        tracing::info!("stopping");
        if timeout(shutdown, graceful.shutdown()).await.is_err() {
            tracing::warn!(seconds = shutdown.as_secs(), "requests that did not finish in time were cut off");
        }
        upkeep.abort();
        match opening.await {
            Ok(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

/// Opens the backend beside the service. Failing, it stops the service: there is nothing to serve.
async fn open_backend(
    service: Service,
    open: impl FnOnce() -> Result<Backend, OpenError> + Send + 'static,
    stop: CancellationToken,
) -> Result<(), StartError> {
    let opened = blocking(move || Ok(open())).await;
    let error = match opened {
        Ok(Ok(backend)) => {
            tracing::info!(events = backend.stats().events, models = backend.model(), "ready");
            service.ready(Arc::new(backend));
            return Ok(());
        }
        Ok(Err(error)) => StartError::Backend(error),
        Err(error) => StartError::System(io::Error::other(error.to_string())),
    };
    stop.cancel();
    Err(error)
}

async fn accept(
    listener: &TcpListener,
    app: &Router,
    service: &Service,
    graceful: &GracefulShutdown,
    stop: &CancellationToken,
) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let next = async {
            let permit = Arc::clone(&free).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let (app, service, watcher) = (app.clone(), Arc::clone(service), graceful.watcher());
                tokio::spawn(async move {
                    let _held = permit;
                    converse(stream, app, &service, watcher).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// Serves one connection to its end.
async fn converse(stream: TcpStream, app: Router, service: &Service, watcher: Watcher) {
    let _open = Running::new(service.metrics.gauge(&CONNECTIONS, &[]));
    // Answers are small and whole; waiting to fill packets would only delay them. Failing costs nothing but that.
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(Patient::new(stream, WRITE_WAIT));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(stream, TowerToHyperService::new(app));
    let ended: Result<(), hyper::Error> = watcher.watch(connection).await;
    let reason = if ended.is_ok() { "done" } else { "error" };
    service.metrics.counter(&CONNECTIONS_ENDED, &[("reason", reason)]).increment(1);
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn keep_up(service: Service) -> Infallible {
    let mut ticks = interval(UPKEEP);
    loop {
        ticks.tick().await;
        service.metrics.upkeep();
    }
}

/// Cancels `stop` on the first SIGINT or SIGTERM; ends the process on the second.
fn watch_signals(stop: CancellationToken) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        for patience in [true, false] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if !patience {
                tracing::warn!("a second signal: stopping at once");
                std::process::exit(1);
            }
            stop.cancel();
        }
    });
    Ok(())
}
