//! A log file that is being written.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::frame::{ALIGN, Frame};
use crate::durable;

/// Folder of the log inside an index.
pub(crate) const LOG_DIR: &str = "log";

/// First bytes of a file.
const MAGIC: &[u8; 8] = b"FBLOG001";

/// Bytes before the name of the space.
const FIXED_BYTES: usize = 24;

/// Digits of the number in a file's name.
const DIGITS: usize = 10;

/// A log file that is being written.
pub(crate) struct LogFile {
    file: fs::File,
    /// Bytes that are synced; what lies behind was never acknowledged.
    synced: u64,
}

/// The name of file `number`.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:0DIGITS$}.log")
}

/// The numbers of the log files of the index in `dir`, ascending.
pub(crate) fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir.join(LOG_DIR))? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_suffix(".log")?.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes file `number`; whether it was there.
pub(crate) fn remove(dir: &Path, number: u64) -> io::Result<bool> {
    match fs::remove_file(path(dir, number)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(LOG_DIR).join(file_name(number))
}

/// The bytes every file begins with.
pub(super) fn header(space: &str, dimension: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FIXED_BYTES + space.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(dimension as u32).to_le_bytes());
    bytes.extend_from_slice(&(space.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(space.as_bytes()).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes.extend_from_slice(space.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    bytes
}

/// Whether a file begins with a header that is whole, of whatever space.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    let Some(fixed) = bytes.first_chunk::<FIXED_BYTES>() else { return false };
    let (said, crc) = fixed.split_at(FIXED_BYTES - 4);
    said.starts_with(MAGIC) && crc == crc32fast::hash(said).to_le_bytes()
}

impl LogFile {
    /// Makes file `number`: its name and its header are on the disk when this returns.
    pub(crate) fn create(dir: &Path, number: u64, space: &str, dimension: usize) -> io::Result<Self> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).open(path(dir, number))?;
        let header = header(space, dimension);
        file.write_all(&header)?;
        file.sync_all()?;
        durable::sync_dir(&dir.join(LOG_DIR))?;
        Ok(Self { file, synced: header.len() as u64 })
    }

    /// Bytes that are synced.
    pub(crate) fn bytes(&self) -> u64 {
        self.synced
    }

    /// Writes `frames`, each with its vectors, and syncs them together. On an error none of them counts, and [`LogFile::cut_back`] takes away what
    /// may have been written.
    pub(crate) fn append<'a>(&mut self, frames: impl Iterator<Item = (&'a Frame, &'a [f32])>) -> io::Result<()> {
        let mut bytes = 0;
        for (frame, vectors) in frames {
            frame.write(&mut self.file, vectors, self.synced)?;
            bytes += frame.len() as u64;
        }
        self.file.sync_data()?;
        self.synced += bytes;
        Ok(())
    }

    /// Removes what was written and not synced, after a write that found no room.
    pub(crate) fn cut_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.synced)?;
        self.file.seek(SeekFrom::Start(self.synced))?;
        self.file.sync_all()
    }
}
