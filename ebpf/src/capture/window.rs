//! A buffer over a reader in which a record lies whole, so that nothing is copied per packet.

use std::io::{self, Read};

use super::CaptureError;
use super::open::Origin;

/// Bytes asked of the reader at a time.
const READ_BYTES: usize = 256 * 1024;

/// See the module.
pub(super) struct Window {
    reader: Box<dyn Read + Send>,
    origin: Origin,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Place of `start` in the decompressed file.
    offset: u64,
    ended: bool,
}

impl Window {
    pub(super) fn new(reader: Box<dyn Read + Send>, origin: Origin) -> Self {
        Self { reader, origin, buffer: vec![0; READ_BYTES], start: 0, end: 0, offset: 0, ended: false }
    }

    /// Place in the decompressed file of the first byte that is not consumed.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What is in the buffer and not consumed.
    pub(super) fn ready(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The next `size` bytes, or as many as there are before the end. The caller bounds `size`.
    pub(super) fn peek(&mut self, size: usize) -> Result<&[u8], CaptureError> {
        if self.end - self.start < size {
            self.fill(size)?;
        }
        let there = size.min(self.end - self.start);
        Ok(&self.buffer[self.start..self.start + there])
    }

    /// Passes over bytes that [`Self::peek`] has shown.
    pub(super) fn consume(&mut self, size: usize) {
        let size = size.min(self.end - self.start);
        self.start += size;
        self.offset += size as u64;
    }

    /// Passes over `size` bytes without holding them; `false` where there are fewer.
    pub(super) fn skip(&mut self, mut size: u64) -> Result<bool, CaptureError> {
        while size > 0 {
            let there = self.peek(1)?.len();
            if there == 0 {
                return Ok(false);
            }
            let step = size.min((self.end - self.start) as u64);
            self.consume(step as usize);
            size -= step;
        }
        Ok(true)
    }

    fn fill(&mut self, size: usize) -> Result<(), CaptureError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < size + READ_BYTES {
            self.buffer.resize(size + READ_BYTES, 0);
        }
        while self.end < size && !self.ended {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(more) => self.end += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.origin.has_failed() => return Err(error.into()),
                Err(error) => return Err(self.bad_compression(&error)),
            }
        }
        Ok(())
    }

    fn bad_compression(&mut self, error: &io::Error) -> CaptureError {
        self.ended = true;
        let offset = self.offset + (self.end - self.start) as u64;
        CaptureError::Damaged { offset, reason: format!("the compressed data is damaged or cut off ({error})") }
    }
}
