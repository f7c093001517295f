//! One Parquet file of the output.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::file::writer::SerializedFileWriter;
use sha2::{Digest, Sha256};

use super::BatchError;
use super::direct::DirectFile;
use super::files::{ASIDE, sync_folder};
use super::manifest::{ModelIdentity, Part, Position};
use super::properties::properties;
use super::row_group::RowGroup;
use crate::model::hex;

/// A part that is being written under another name.
pub(super) struct PartWriter {
    writer: SerializedFileWriter<Hashing>,
    folder: PathBuf,
    name: String,
    rows: u64,
}

/// A part that is written, but may not be on the disk yet.
pub(super) struct WrittenPart {
    file: fs_err::File,
    folder: PathBuf,
    part: Part,
}

impl PartWriter {
    pub(super) fn create(
        folder: &Path,
        place: usize,
        schema: SchemaRef,
        model: &ModelIdentity,
    ) -> Result<Self, BatchError> {
        let name = format!("part-{place:05}.parquet");
        let file = Hashing::create(folder.join(format!("{name}{ASIDE}")))?;
        // The Arrow writer puts the Arrow schema into the metadata; row groups come encoded.
        let (writer, _) = ArrowWriter::try_new(file, schema, Some(properties(model)?))?.into_serialized_writer()?;
        Ok(Self { writer, folder: folder.to_owned(), name, rows: 0 })
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn append(&mut self, group: RowGroup) -> Result<(), BatchError> {
        let mut writer = self.writer.next_row_group()?;
        for column in group.columns {
            column.append_to_row_group(&mut writer)?;
        }
        writer.close()?;
        self.rows += group.rows;
        Ok(())
    }

    /// Ends the file.
    pub(super) fn finish(self, position: Position) -> Result<WrittenPart, BatchError> {
        let (file, bytes, sha256) = self.writer.into_inner()?.finish()?;
        let part = Part { file: self.name, rows: self.rows, bytes, sha256, position };
        Ok(WrittenPart { file, folder: self.folder, part })
    }
}

impl WrittenPart {
    /// Carries the file to the disk and gives it its name.
    pub(super) fn keep(self) -> io::Result<Part> {
        self.file.sync_all()?;
        let aside = self.folder.join(format!("{}{ASIDE}", self.part.file));
        fs_err::rename(aside, self.folder.join(&self.part.file))?;
        sync_folder(&self.folder)?;
        Ok(self.part)
    }
}

/// Whether `path` has the name of a part.
pub(super) fn is_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("part-") && name.ends_with(".parquet")
}

/// A file that is hashed as it is written.
struct Hashing {
    file: DirectFile,
    hasher: Sha256,
}

impl Hashing {
    fn create(path: PathBuf) -> io::Result<Self> {
        Ok(Self { file: DirectFile::create(path)?, hasher: Sha256::new() })
    }

    /// The file, its length and its hex digest.
    fn finish(mut self) -> io::Result<(fs_err::File, u64, String)> {
        let (file, bytes) = self.file.finish(|bytes| self.hasher.update(bytes))?;
        Ok((file, bytes, hex(&self.hasher.finalize())))
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes, |bytes| self.hasher.update(bytes))?;
        Ok(bytes.len())
    }

    /// Only whole blocks can be written before the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
