//! `vectors.npy`: all vectors in the format of `NumPy`, so that `numpy.load(..., mmap_mode="r")` reads them in place.
//!
//! Format version 1.0 (`NumPy` Enhancement Proposal 1): `\x93NUMPY`, two version bytes, the length of the header as u16, the
//! header (a Python dictionary, padded with spaces, ended by a line feed), then the rows as little-endian float32. The
//! header here is always as long as it can get, so the number of rows can be put in at the end.

use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::dead_letters::open_cut;

pub(super) const FILE: &str = "vectors.npy";

/// Bytes before the first row; a multiple of 64, which `NumPy` wants for alignment.
const HEADER_BYTES: usize = 128;
const PREAMBLE: [u8; 8] = *b"\x93NUMPY\x01\x00";

/// The file, open at its end.
pub(super) struct Npy {
    file: BufWriter<fs_err::File>,
    dimension: usize,
    rows: u64,
}

impl Npy {
    /// Opens the file in `folder` and cuts it after `rows` rows.
    pub(super) fn open(folder: &Path, dimension: usize, rows: u64) -> io::Result<Self> {
        let path = folder.join(FILE);
        let bytes = if rows == 0 { 0 } else { HEADER_BYTES as u64 + rows * row_bytes(dimension) };
        let mut file = open_cut(&path, bytes)?;
        if rows == 0 {
            file.write_all(&header(0, dimension))?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file: BufWriter::new(file), dimension, rows })
    }

    pub(super) fn write(&mut self, vectors: &[f32]) -> io::Result<()> {
        debug_assert!(vectors.len().is_multiple_of(self.dimension));
        self.rows += (vectors.len() / self.dimension) as u64;
        if cfg!(target_endian = "little") {
            return self.file.write_all(bytemuck::cast_slice(vectors));
        }
        vectors.iter().try_for_each(|x| self.file.write_all(&x.to_le_bytes()))
    }

    /// Enters the number of rows into the header; gives the file, for whoever carries it to the disk.
    pub(super) fn flush(&mut self) -> io::Result<fs_err::File> {
        self.file.flush()?;
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header(self.rows, self.dimension))?;
        file.seek(SeekFrom::End(0))?;
        file.try_clone()
    }
}

fn row_bytes(dimension: usize) -> u64 {
    (dimension * size_of::<f32>()) as u64
}

fn header(rows: u64, dimension: usize) -> [u8; HEADER_BYTES] {
    let mut header = [b' '; HEADER_BYTES];
    let length = (HEADER_BYTES - PREAMBLE.len() - 2) as u16;
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimension}), }}");
    header[..8].copy_from_slice(&PREAMBLE);
    header[8..10].copy_from_slice(&length.to_le_bytes());
    // 54 characters and two numbers of at most 20 digits always fit.
    header[10..10 + text.len()].copy_from_slice(text.as_bytes());
    header[HEADER_BYTES - 1] = b'\n';
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_header_fits() {
        let header = header(u64::MAX, usize::MAX);
        assert_eq!(header.last(), Some(&b'\n'));
        assert!(header.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'"));
    }

    #[test]
    fn a_cut_file_goes_on_where_it_was_cut() {
        let dir = tempfile::tempdir().unwrap();
        let mut npy = Npy::open(dir.path(), 2, 0).unwrap();
        npy.write(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        npy.flush().unwrap();
        drop(npy);
        let mut npy = Npy::open(dir.path(), 2, 1).unwrap();
        npy.write(&[5.0, 6.0]).unwrap();
        npy.flush().unwrap();
        let bytes = fs_err::read(dir.path().join(FILE)).unwrap();
        assert_eq!(&bytes[..HEADER_BYTES], header(2, 2));
        let rows: Vec<f32> =
            bytes[HEADER_BYTES..].chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!(rows, [1.0, 2.0, 5.0, 6.0]);
    }
}
