//! The Unix socket: recommendations as JSON lines.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::Board;
use super::serve::{ACCEPT_REST, AdviceError};
use crate::limits::{CLIENT_WAIT, CLIENTS_MAX};

/// Anyone on the machine may listen, as anyone may read the same figures with `ss -m`; nothing is read from clients.
const MODE: u32 = 0o666;

/// The socket, removed when it is dropped.
#[derive(Debug)]
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens at `path`. One that nobody listens at any more is replaced.
    pub(super) fn bind(path: &Path) -> Result<Self, AdviceError> {
        let failed = |error: io::Error| AdviceError::Socket { path: path.to_owned(), error };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs_err::create_dir_all(folder).map_err(failed)?;
        }
        // A socket left by a kill refuses connections; anything else at this place is not ours to remove.
        let is_socket = fs_err::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
        let is_left = is_socket
            && std::os::unix::net::UnixStream::connect(path)
                .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if is_left {
            fs_err::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(MODE)).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Accepts until it is dropped.
    pub(super) async fn serve(self, board: Board) {
        let free = Arc::new(Semaphore::new(CLIENTS_MAX));
        loop {
            let permit = Arc::clone(&free).acquire_owned().await;
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let board = board.clone();
                    tokio::spawn(async move {
                        let _held = permit;
                        if let Err(error) = converse(stream, &board).await {
                            tracing::debug!(%error, "a client of the socket is gone");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a client of the socket could not be accepted");
                    sleep(ACCEPT_REST).await;
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Failing, it is replaced by the next start.
        let _ = fs_err::remove_file(&self.path);
    }
}

async fn converse(mut stream: UnixStream, board: &Board) -> io::Result<()> {
    let mut follower = board.follow();
    let mut lines = Vec::new();
    loop {
        let news = tokio::select! {
            news = follower.next() => news,
            // A client says nothing; that its end can be read means that it went away.
            readable = stream.readable() => {
                readable?;
                match stream.try_read(&mut [0; 256]) {
                    Ok(0) => return Ok(()),
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                    _ => continue,
                }
            }
        };
        let Some(news) = news else { return Ok(()) };
        lines.clear();
        for recommendation in &news {
            serde_json::to_writer(&mut lines, recommendation)?;
            lines.push(b'\n');
        }
        timeout(CLIENT_WAIT, stream.write_all(&lines)).await??;
    }
}
