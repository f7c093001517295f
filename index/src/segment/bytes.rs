//! The bytes of a file of a segment: mapped from the disk, or held in memory by a segment that is not on it yet.
//!
//! Both start at an address that is a multiple of 16, so numbers of up to 128 bits can be looked at where they lie.
#![allow(unsafe_code)]

use std::io;
use std::path::Path;

use fs_err as fs;
use memmap2::Mmap;

/// Bytes that never change while they are held.
pub(crate) enum Bytes {
    /// A mapped file.
    Mapped(Mmap),
    /// Memory, in words so that it is aligned, and how many bytes of it count.
    Held(Vec<u128>, usize),
}

impl Bytes {
    /// Maps the file at `path`.
    pub(crate) fn map(path: &Path) -> io::Result<Self> {
        let file = fs::File::open(path)?;
        // SAFETY: files of a segment are never written to once renamed into place, and the index holds an exclusive
        // lock; someone who truncates them from outside anyway kills the process, which the format document says.
        Ok(Self::Mapped(unsafe { Mmap::map(file.file()) }?))
    }

    /// Holds a copy of `bytes`.
    pub(crate) fn hold(bytes: &[u8]) -> Self {
        let mut words = vec![0u128; bytes.len().div_ceil(size_of::<u128>())];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self::Held(words, bytes.len())
    }

    /// Lets the system have the room of a mapped file; whoever needs its bytes reads them from the disk again. Does nothing
    /// where the system cannot (before Linux 5.4).
    pub(crate) fn page_out(&self) {
        if let Self::Mapped(map) = self {
            // SAFETY: the range is that of a mapping that `self` keeps; MADV_PAGEOUT changes where its pages are, not what
            // they hold (madvise(2)).
            let done = unsafe {
                rustix::mm::madvise(map.as_ptr().cast_mut().cast(), map.len(), rustix::mm::Advice::LinuxPageOut)
            };
            if let Err(error) = done {
                tracing::debug!(%error, "the system keeps the pages of a mapped file");
            }
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Held(words, length) => &bytemuck::cast_slice(words)[..*length],
        }
    }
}

/// That a file does not hold what its name says.
pub(super) fn damaged(what: &str, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what}: {reason}"))
}
