//! Standard input that does not hold up a stop: a read that waits for an idle pipe cannot be called off, so a thread of its own
//! does the waiting, and whoever reads here looks at the stop flag meanwhile. The thread ends with the pipe or the process.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Bytes read at a time; a pipe of Linux holds 64 KiB unless somebody enlarged it.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces read ahead.
const PIECES_MAX: usize = 4;

/// Time between two looks at the stop flag while nothing comes.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Reads standard input until it ends, or `stop` is set: then a read fails with [`io::ErrorKind::ConnectionAborted`].
pub(super) struct Stdin {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    used: usize,
    stop: Arc<AtomicBool>,
}

impl Stdin {
    pub(super) fn new(stop: Arc<AtomicBool>) -> Self {
        let (sender, pieces) = sync_channel(PIECES_MAX);
        std::thread::spawn(move || pump(&sender));
        Self { pieces, piece: Vec::new(), used: 0, stop }
    }

    /// The next piece; none at the end.
    fn next_piece(&self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.pieces.recv_timeout(LOOK_EVERY) {
                Ok(piece) => return piece.map(Some),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if self.stop.load(Ordering::Relaxed) => {
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "stopped while nothing came"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.piece.len() {
            let Some(piece) = self.next_piece()? else { return Ok(0) };
            (self.piece, self.used) = (piece, 0);
        }
        let rest = &self.piece[self.used..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.used += count;
        Ok(count)
    }
}

/// Reads until the end, an error, or until nobody wants more.
fn pump(pieces: &SyncSender<io::Result<Vec<u8>>>) {
    let mut stdin = io::stdin().lock();
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = match stdin.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => {
                piece.truncate(count);
                Ok(piece)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if pieces.send(read).is_err() || failed {
            return;
        }
    }
}
