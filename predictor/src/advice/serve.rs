//! The thread that serves clients, apart from the loop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::sleep;

use super::Publisher;
use super::guard::Token;
use super::http::router;
use super::unix::Socket;
use crate::limits::{CLIENT_WAIT, CLIENTS_MAX, HEAD_BYTES_MAX, HEAD_WAIT, HEADERS_MAX};

/// How long accepting rests when the system has no file descriptor left.
pub(super) const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Where clients come in.
#[derive(Clone, Debug)]
pub struct Listen {
    /// HTTP; none for none. Anything but loopback needs a token.
    pub http: Option<SocketAddr>,
    /// What HTTP requests must carry, if anything.
    pub token: Option<Token>,
    /// The Unix socket; none for none.
    pub socket: Option<PathBuf>,
}

/// Why clients cannot be served. The operator's to decide.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdviceError {
    /// The address can be reached from other machines and nothing protects it.
    #[error(
        "sidecar.listen is {0}, which other machines can reach, and sidecar.token is empty: anyone could read what runs \
         here. Set sidecar.token (FOREBAY_SIDECAR_TOKEN), or listen on 127.0.0.1"
    )]
    Unprotected(SocketAddr),
    /// The address is taken, or is not this machine's.
    #[error("cannot listen on {address}: {error}. Is another sidecar running? sidecar.listen sets the address")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The socket cannot be made.
    #[error("cannot listen at {path}: {error}; sidecar.socket sets the place, and an empty one is none")]
    Socket {
        /// The path asked for.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The system would not give us a thread.
    #[error("cannot serve recommendations: {0}")]
    System(#[from] io::Error),
}

/// The thread. Ends, with all clients, when this is dropped.
pub struct Advisor {
    address: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Advisor {
    /// Takes the addresses and starts serving what the publisher is given.
    pub fn start(listen: &Listen, metrics: PrometheusHandle) -> Result<(Self, Publisher), AdviceError> {
        if let Some(address) = listen.http.filter(|address| listen.token.is_none() && !address.ip().is_loopback()) {
            return Err(AdviceError::Unprotected(address));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bound = runtime.block_on(async {
            let http = match listen.http {
                None => None,
                Some(address) => {
                    let failed = |error: io::Error| AdviceError::Listen { address, error };
                    Some(TcpListener::bind(address).await.map_err(failed)?)
                }
            };
            let socket = listen.socket.as_deref().map(Socket::bind).transpose()?;
            Ok::<_, AdviceError>((http, socket))
        });
        let (http, socket) = bound?;
        let address = http.as_ref().and_then(|listener| listener.local_addr().ok());
        let (publisher, board) = Publisher::new();
        let (stop, stopped) = oneshot::channel();
        let token = listen.token.clone();
        let thread = thread::Builder::new().name("advice".to_owned()).spawn(move || {
            let app = router(board.clone(), metrics, token);
            runtime.block_on(async {
                let http = async {
                    if let Some(listener) = http {
                        accept(&listener, &app).await;
                    }
                    std::future::pending::<()>().await;
                };
                let unix = async {
                    if let Some(socket) = socket {
                        socket.serve(board).await;
                    }
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = http => {}
                    () = unix => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok((Self { address, stop: Some(stop), thread: Some(thread) }, publisher))
    }

    /// The HTTP address; tells the port where the system chose it.
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }
}

impl Drop for Advisor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends as soon as it sees the stop; if it ended by a panic, that was reported.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: &TcpListener, app: &axum::Router) {
    let free = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let permit = Arc::clone(&free).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let app = app.clone();
                tokio::spawn(async move {
                    let _held = permit;
                    converse(stream, app).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, app: axum::Router) {
    // Lines are small and whole; waiting to fill packets would only delay them. Failing costs nothing but that.
    let _ = stream.set_nodelay(true);
    // A client that leaves our lines unread is cut off by the kernel (RFC 5482).
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, CLIENT_WAIT.as_millis() as u32);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended");
    }
}
