//! A file written from start to end past the page cache, where the system allows it.
//!
//! What a batch job writes is read much later, if at all, on this machine. Through the page cache every byte is copied once
//! more, pushes the inputs out of memory, and waits for `fsync`; written directly (`O_DIRECT` in Linux's open(2)) it goes from
//! our buffer to the device. Direct writes want aligned memory, offsets and lengths: the buffer is aligned, written in whole
//! blocks, and the padding of the last block is cut off at the end. A file system that refuses (tmpfs of older kernels, some
//! network file systems) gets ordinary writes.

use std::io::{self, Seek as _, SeekFrom, Write as _};

use std::path::{Path, PathBuf};

use fs_err::os::unix::fs::OpenOptionsExt as _;

use super::limits::WRITE_BYTES;

/// What memory, offsets and lengths are multiples of; no block device has larger logical blocks.
const BLOCK_BYTES: usize = 4096;

const _: () = assert!(WRITE_BYTES.is_multiple_of(BLOCK_BYTES));

/// The file being written.
pub(super) struct DirectFile {
    path: PathBuf,
    file: fs_err::File,
    direct: bool,
    /// Holds [`WRITE_BYTES`] from `aligned` on; never grows, so it stays where it is.
    memory: Vec<u8>,
    aligned: usize,
    filled: usize,
    /// Bytes given to the system.
    written: u64,
}

impl DirectFile {
    /// Creates the file at `path`, or empties it.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let direct = fs_err::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(libc::O_DIRECT)
            .open(&path)
            .ok();
        let is_direct = direct.is_some();
        let file = direct.map_or_else(|| fs_err::File::create(&path), Ok)?;
        let memory = vec![0; WRITE_BYTES + BLOCK_BYTES];
        let aligned = memory.as_ptr().align_offset(BLOCK_BYTES).min(BLOCK_BYTES);
        Ok(Self { path, file, direct: is_direct, memory, aligned, filled: 0, written: 0 })
    }

    /// Appends `bytes`; each time the buffer is full, `seen` gets its content before it is written.
    pub(super) fn write(&mut self, mut bytes: &[u8], mut seen: impl FnMut(&[u8])) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = bytes.len().min(WRITE_BYTES - self.filled);
            let (now, later) = bytes.split_at(count);
            let begin = self.aligned + self.filled;
            self.memory[begin..begin + count].copy_from_slice(now);
            self.filled += count;
            bytes = later;
            if self.filled == WRITE_BYTES {
                seen(&self.memory[self.aligned..self.aligned + WRITE_BYTES]);
                self.put(WRITE_BYTES)?;
                self.written += WRITE_BYTES as u64;
                self.filled = 0;
            }
        }
        Ok(())
    }

    /// Writes what is left; gives the file and its length.
    pub(super) fn finish(mut self, mut seen: impl FnMut(&[u8])) -> io::Result<(fs_err::File, u64)> {
        let rest = self.filled;
        seen(&self.memory[self.aligned..self.aligned + rest]);
        let padded = rest.next_multiple_of(BLOCK_BYTES);
        self.memory[self.aligned + rest..self.aligned + padded].fill(0);
        self.put(padded)?;
        let bytes = self.written + rest as u64;
        self.file.set_len(bytes)?;
        Ok((self.file, bytes))
    }

    /// Writes the first `bytes` of the buffer at the end of what is written.
    fn put(&mut self, bytes: usize) -> io::Result<()> {
        let content = &self.memory[self.aligned..self.aligned + bytes];
        match self.file.write_all(content) {
            Err(error) if self.direct && error.kind() == io::ErrorKind::InvalidInput => {
                // Some file systems take the flag and then refuse the write.
                self.direct = false;
                self.file = reopen(&self.path, self.written)?;
                self.file.write_all(content)
            }
            other => other,
        }
    }
}

fn reopen(path: &Path, offset: u64) -> io::Result<fs_err::File> {
    let mut file = fs_err::OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_written_whole() {
        let dir = tempfile::tempdir().unwrap();
        for length in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, WRITE_BYTES, WRITE_BYTES + 1, 3 * WRITE_BYTES + 777] {
            let content: Vec<u8> = (0..length).map(|place| (place * 31 % 251) as u8).collect();
            for piece in [1000, WRITE_BYTES * 2] {
                let path = dir.path().join("file");
                let (mut file, mut hashed) = (DirectFile::create(path.clone()).unwrap(), Vec::new());
                for bytes in content.chunks(piece) {
                    file.write(bytes, |bytes| hashed.extend_from_slice(bytes)).unwrap();
                }
                let (_, bytes) = file.finish(|bytes| hashed.extend_from_slice(bytes)).unwrap();
                assert_eq!(bytes, length as u64);
                assert!(fs_err::read(&path).unwrap() == content && hashed == content, "{length} in {piece}");
            }
        }
    }
}
