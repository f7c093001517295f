//! Decompression by content, and counting of what is read from the file itself.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::pcap::Pcap;
use super::{CaptureError, pcapng};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Largest zstd window that is accepted, as a power of two: 128 MiB, what `zstd --long` writes.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// A reader of decompressed bytes, and what is known of the file beneath.
pub(super) struct Opened {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) origin: Origin,
}

/// What is known of the file beneath: how far it has been read, and whether reading it failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    bytes: Arc<AtomicU64>,
    failed: Arc<AtomicBool>,
}

impl Origin {
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether an error came from the medium, and not from decompressing what it gave.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Whether a file that begins with `prefix` (4 bytes or more, decompressed) is a capture.
pub fn is_capture(prefix: &[u8]) -> bool {
    prefix.get(..4).is_some_and(|magic| magic == pcapng::SECTION || Pcap::recognise(magic).is_some())
}

pub(super) fn open(reader: Box<dyn Read + Send>) -> Result<Opened, CaptureError> {
    let origin = Origin::default();
    let mut counted = Counted { reader, origin: origin.clone() };
    let mut magic = Vec::with_capacity(4);
    counted.by_ref().take(4).read_to_end(&mut magic)?;
    let is_gzip = magic.starts_with(&GZIP);
    let is_zstd = magic == ZSTD;
    let whole = Cursor::new(magic).chain(counted);
    let reader: Box<dyn Read + Send> = if is_gzip {
        Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(64 * 1024, whole)))
    } else if is_zstd {
        let mut decoder = zstd::stream::read::Decoder::new(whole)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        Box::new(decoder)
    } else {
        Box::new(whole)
    };
    Ok(Opened { reader, origin })
}

pub(super) fn unrecognised(magic: &[u8]) -> CaptureError {
    let found = match magic {
        [] => "it is empty".to_owned(),
        magic => format!("it begins with the bytes {magic:02x?}"),
    };
    CaptureError::Unrecognised(format!(
        "{found}; a pcap or pcapng file was expected, plain or packed with gzip or zstd"
    ))
}

struct Counted {
    reader: Box<dyn Read + Send>,
    origin: Origin,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.reader.read(buffer) {
            Ok(size) => {
                self.origin.bytes.fetch_add(size as u64, Ordering::Relaxed);
                Ok(size)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.origin.failed.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }
}
