//! The vectors of a segment, mapped into memory.
//!
//! Layout: 8 bytes `FBVEC001`, dimension and rows as little-endian u32, zeros up to 64 bytes, then rows x dimension
//! little-endian f32. 64 bytes keep the numbers aligned to a cache line.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use fs_err as fs;

use super::bytes::{Bytes, damaged};

const MAGIC: &[u8; 8] = b"FBVEC001";
const HEADER_BYTES: usize = 64;

/// The vectors of a segment.
pub(crate) struct VectorFile {
    bytes: Bytes,
    dimension: usize,
    rows: usize,
}

impl VectorFile {
    /// Maps a file. What its header says is checked against its length.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::of(Bytes::map(path)?, &path.display().to_string())
    }

    /// The rows of `parts`, one part after the other, in memory.
    pub(super) fn hold(dimension: usize, rows: usize, parts: &[&[f32]]) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + rows * dimension * size_of::<f32>());
        write(&mut bytes, dimension, rows, parts.iter().copied())?;
        Self::of(Bytes::hold(&bytes), "vectors in memory")
    }

    fn of(bytes: Bytes, what: &str) -> io::Result<Self> {
        let header = bytes.all().get(..HEADER_BYTES).ok_or_else(|| damaged(what, "shorter than its header"))?;
        if &header[..8] != MAGIC {
            return Err(damaged(what, "not a file of vectors"));
        }
        let number =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize;
        let (dimension, rows) = (number(8), number(12));
        let length = dimension.checked_mul(rows).and_then(|numbers| numbers.checked_mul(size_of::<f32>()));
        if dimension == 0 || length != Some(bytes.all().len() - HEADER_BYTES) {
            return Err(damaged(what, "its length does not fit its header"));
        }
        Ok(Self { bytes, dimension, rows })
    }

    /// Writes `parts`, which must hold whole rows; the caller syncs.
    pub(crate) fn write<'a>(
        path: &Path,
        dimension: usize,
        rows: usize,
        parts: impl Iterator<Item = &'a [f32]>,
    ) -> io::Result<()> {
        let mut file = BufWriter::new(fs::File::create(path)?);
        write(&mut file, dimension, rows, parts)?;
        file.flush()
    }

    /// Gives back the room that its pages take.
    pub(super) fn page_out(&self) {
        self.bytes.page_out();
    }

    /// Numbers in a vector.
    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many vectors.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// All numbers, row after row.
    pub(crate) fn numbers(&self) -> &[f32] {
        // The bytes start at a multiple of 16, the numbers 64 bytes later, and `open` checked that they are whole.
        bytemuck::cast_slice(&self.bytes.all()[HEADER_BYTES..])
    }
}

fn write<'a>(
    out: &mut impl Write,
    dimension: usize,
    rows: usize,
    parts: impl Iterator<Item = &'a [f32]>,
) -> io::Result<()> {
    let mut header = [0u8; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&(dimension as u32).to_le_bytes());
    header[12..16].copy_from_slice(&(rows as u32).to_le_bytes());
    out.write_all(&header)?;
    let mut written = 0;
    for part in parts {
        out.write_all(bytemuck::cast_slice(part))?;
        written += part.len();
    }
    assert_eq!(written, dimension * rows, "the caller counted the rows");
    Ok(())
}

const _: () = assert!(cfg!(target_endian = "little"), "vectors are mapped as they lie on disk");
const _: () = assert!(HEADER_BYTES.is_multiple_of(align_of::<f32>()));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_back_and_a_wrong_length_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v");
        let numbers = [1.0f32, -2.5, 3.0, 0.0, f32::MIN_POSITIVE, 6.0];
        VectorFile::write(&path, 3, 2, numbers.chunks(3)).unwrap();
        let file = VectorFile::open(&path).unwrap();
        assert_eq!((file.dimension(), file.rows(), file.numbers()), (3, 2, &numbers[..]));
        let mut bytes = fs::read(&path).unwrap();
        bytes.pop();
        fs::write(&path, bytes).unwrap();
        assert!(VectorFile::open(&path).is_err());
    }
}
