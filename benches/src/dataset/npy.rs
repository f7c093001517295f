//! Arrays in the format of `NumPy` (Enhancement Proposal 1, version 1.0), written row by row and read whole.

use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use bytemuck::Pod;

/// Bytes before the first row; a multiple of 64.
const HEADER_BYTES: usize = 128;
const PREAMBLE: [u8; 8] = *b"\x93NUMPY\x01\x00";

/// A number of an array.
pub trait Number: Pod {
    /// How `NumPy` calls it.
    const NAME: &'static str;
}

impl Number for f32 {
    const NAME: &'static str = "<f4";
}
impl Number for f64 {
    const NAME: &'static str = "<f8";
}
impl Number for u16 {
    const NAME: &'static str = "<u2";
}
impl Number for i32 {
    const NAME: &'static str = "<i4";
}

/// An array of two dimensions that is being written. [`Writer::finish`] enters its number of rows.
pub struct Writer<T> {
    file: BufWriter<fs_err::File>,
    columns: usize,
    numbers: usize,
    kind: std::marker::PhantomData<T>,
}

impl<T: Number> Writer<T> {
    /// A new file with rows of `columns` numbers.
    pub fn create(path: &Path, columns: usize) -> io::Result<Self> {
        let mut file = BufWriter::new(fs_err::File::create(path)?);
        file.write_all(&header::<T>(0, columns))?;
        Ok(Self { file, columns, numbers: 0, kind: std::marker::PhantomData })
    }

    /// Adds whole rows.
    pub fn write(&mut self, rows: &[T]) -> io::Result<()> {
        debug_assert!(rows.len().is_multiple_of(self.columns));
        self.numbers += rows.len();
        self.file.write_all(bytemuck::cast_slice(rows))
    }

    /// Enters the number of rows.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header::<T>(self.numbers / self.columns, self.columns))?;
        self.file.flush()
    }
}

/// Writes `rows` as one array.
pub fn write<T: Number>(path: &Path, rows: &[T], columns: usize) -> io::Result<()> {
    let mut writer = Writer::create(path, columns)?;
    writer.write(rows)?;
    writer.finish()
}

/// An array of this module's making that is read from front to back.
pub struct Reader {
    file: fs_err::File,
}

impl Reader {
    /// Opens the file after its header.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = fs_err::File::open(path)?;
        let mut head = [0; HEADER_BYTES];
        file.read_exact(&mut head)?;
        if head[..8] != PREAMBLE {
            return Err(io::Error::other(format!("{}: not an array of NumPy", path.display())));
        }
        Ok(Self { file })
    }

    /// Goes past the next `bytes`.
    pub fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Current(bytes as i64)).map(drop)
    }

    /// Fills `rows` with what comes next.
    pub fn read<T: Number>(&mut self, rows: &mut [T]) -> io::Result<()> {
        self.file.read_exact(bytemuck::cast_slice_mut(rows))
    }
}

/// The whole array in the file at `path`.
pub fn read<T: Number>(path: &Path) -> io::Result<Vec<T>> {
    let bytes = fs_err::metadata(path)?.len() as usize - HEADER_BYTES;
    let mut rows = vec![T::zeroed(); bytes / size_of::<T>()];
    Reader::open(path)?.read(&mut rows)?;
    Ok(rows)
}

fn header<T: Number>(rows: usize, columns: usize) -> Vec<u8> {
    let mut header = PREAMBLE.to_vec();
    header.extend(((HEADER_BYTES - PREAMBLE.len() - 2) as u16).to_le_bytes());
    let kind = T::NAME;
    header.extend(format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}").bytes());
    header.resize(HEADER_BYTES - 1, b' ');
    header.push(b'\n');
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        write(&path, &[1.5f32, -2.0, 3.0, 4.0], 2).unwrap();
        assert_eq!(read::<f32>(&path).unwrap(), [1.5, -2.0, 3.0, 4.0]);
        let text = String::from_utf8_lossy(&fs_err::read(&path).unwrap()[..HEADER_BYTES]).into_owned();
        assert!(text.contains("'shape': (2, 2)"), "{text}");
    }
}
