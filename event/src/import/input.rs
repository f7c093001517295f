//! The bytes of a source: opened, decompressed, counted, and with their head in view.
//!
//! gzip (any number of members, RFC 1952) and Zstandard (any number of frames, RFC 8878) are known by their magic, never by
//! the name of the file. Progress counts the bytes of the medium, before decompression, because that is the number whose
//! total is known.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::source::{Progress, SourceError};

/// Most bytes looked at to recognise a format.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Size of the read buffers, before and after decompression.
const BUFFER_BYTES: usize = 64 * 1024;

/// The window that a Zstandard frame may ask for, as a power of two: 128 MiB, what the command-line tool allows too.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A source after decompression.
pub struct Input {
    name: String,
    head: Vec<u8>,
    reader: Reader,
    meter: Meter,
}

/// What follows the decompressor: the head again, then the rest.
pub type Reader = BufReader<io::Chain<io::Cursor<Vec<u8>>, Counted<Box<dyn Read + Send>>>>;

/// Counts that outlive the reader's being given away.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    medium: Arc<AtomicU64>,
    plain: Arc<AtomicU64>,
    total: Option<u64>,
}

/// A reader that counts what passes through it.
pub struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl Meter {
    /// How far the medium has been read.
    pub fn progress(&self) -> Progress {
        Progress { bytes_read: self.medium.load(Ordering::Relaxed), bytes_total: self.total }
    }

    /// Decompressed bytes so far, read-ahead included.
    pub fn plain_bytes(&self) -> u64 {
        self.plain.load(Ordering::Relaxed)
    }

    /// Turns an error of the reader into one of the source: what the decompressor cannot make sense of is damage of the
    /// file, everything else is the medium's failure.
    pub fn error(&self, name: &str, error: io::Error) -> SourceError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let damaged = matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
            || (error.kind() == io::ErrorKind::Other && error.raw_os_error().is_none());
        if damaged {
            SourceError::Damaged { name: name.to_owned(), offset: self.plain_bytes(), reason: error.to_string() }
        } else {
            SourceError::Io { name: name.to_owned(), error }
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Input {
    /// The file, or `-` for standard input.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first decompressed bytes: at most [`HEAD_BYTES_MAX`], fewer where the source is short or slow to come.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The counts, to be kept when the reader is taken.
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// The decompressed bytes from the first one on.
    pub fn into_reader(self) -> Reader {
        self.reader
    }
}

/// Opens what comes out of `medium`, through gzip or Zstandard if it is one. `total` is its size, where it is known.
pub fn decompress(name: &str, medium: Box<dyn Read + Send>, total: Option<u64>) -> Result<Input, SourceError> {
    let meter = Meter { total, ..Meter::default() };
    let counted = Counted { inner: medium, count: Arc::clone(&meter.medium) };
    let mut raw = BufReader::with_capacity(BUFFER_BYTES, counted);
    let magic = peek_magic(&mut raw).map_err(|error| meter.error(name, error))?;
    let plain: Box<dyn Read + Send> = if magic.starts_with(GZIP_MAGIC) {
        Box::new(flate2::bufread::MultiGzDecoder::new(raw_from(magic, raw)))
    } else if magic.starts_with(ZSTD_MAGIC) {
        let mut decoder =
            zstd::stream::read::Decoder::with_buffer(raw_from(magic, raw)).map_err(|error| meter.error(name, error))?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| meter.error(name, error))?;
        Box::new(decoder)
    } else {
        Box::new(raw_from(magic, raw))
    };
    let mut plain = Counted { inner: plain, count: Arc::clone(&meter.plain) };
    let head = peek_head(&mut plain).map_err(|error| meter.error(name, error))?;
    let chained = io::Cursor::new(head.clone()).chain(plain);
    let reader = BufReader::with_capacity(BUFFER_BYTES, chained);
    Ok(Input { name: name.to_owned(), head, reader, meter })
}

/// Takes four bytes from the front, fewer at the end. Reads by the byte, so that a pipe is not waited for.
fn peek_magic(raw: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(ZSTD_MAGIC.len());
    raw.take(ZSTD_MAGIC.len() as u64).read_to_end(&mut magic)?;
    Ok(magic)
}

fn raw_from<R: BufRead + Send>(magic: Vec<u8>, raw: R) -> impl BufRead + Send {
    io::Cursor::new(magic).chain(raw)
}

/// Reads until a first line is whole, so that a slow pipe is not waited for longer than that.
fn peek_head(plain: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD_BYTES_MAX];
    let mut filled = 0;
    while filled < HEAD_BYTES_MAX && !tells(&head[..filled]) {
        match plain.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    Ok(head)
}

/// Whether these bytes are enough to recognise any format: a line that is more than the opening of a JSON array.
fn tells(head: &[u8]) -> bool {
    const OPENING_BYTES: usize = 256;
    head.len() >= OPENING_BYTES && head.contains(&b'\n')
        || head.iter().position(|byte| *byte == b'\n').is_some_and(|end| end > OPENING_BYTES / 8)
}
