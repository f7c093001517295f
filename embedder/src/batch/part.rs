//! One Parquet file of the output.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use super::BatchError;
use super::files::{ASIDE, sync_folder};
use super::limits::ROW_GROUP_ROWS;
use super::manifest::{ModelIdentity, Part, Position};
use super::rows::VECTOR;
use crate::model::hex;

/// Level that costs little more than no compression.
const ZSTD_LEVEL: i32 = 1;

/// A part that is being written under another name.
pub(super) struct PartWriter {
    writer: ArrowWriter<Hashing>,
    folder: PathBuf,
    name: String,
    rows: u64,
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
        let writer = ArrowWriter::try_new(file, schema, Some(properties(model)?))?;
        Ok(Self { writer, folder: folder.to_owned(), name, rows: 0 })
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), BatchError> {
        self.rows += batch.num_rows() as u64;
        Ok(self.writer.write(batch)?)
    }

    /// Ends the file, carries it to the disk and gives it its name.
    pub(super) fn finish(self, position: Position) -> Result<Part, BatchError> {
        let file = self.writer.into_inner()?;
        file.inner.sync_all()?;
        let aside = self.folder.join(format!("{}{ASIDE}", self.name));
        fs_err::rename(aside, self.folder.join(&self.name))?;
        sync_folder(&self.folder)?;
        let sha256 = hex(&file.hasher.finalize());
        Ok(Part { file: self.name, rows: self.rows, bytes: file.bytes, sha256, position })
    }
}

/// Whether `path` has the name of a part.
pub(super) fn is_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("part-") && name.ends_with(".parquet")
}

/// Vectors are noise to a compressor and to statistics, so they get neither; the columns beside them do.
fn properties(model: &ModelIdentity) -> Result<WriterProperties, BatchError> {
    let vector = ColumnPath::new(vec![VECTOR.to_owned(), "list".to_owned(), "element".to_owned()]);
    let entries = [
        ("forebay.model", model.name.clone()),
        ("forebay.model_version", model.version.to_string()),
        ("forebay.model_sha256", model.sha256.clone()),
        ("forebay.precision", model.precision.clone()),
        ("forebay.space", model.space.clone()),
        ("forebay.dimension", model.dimension.to_string()),
    ];
    let metadata = entries.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
    Ok(WriterProperties::builder()
        .set_created_by(concat!("forebay ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_column_compression(vector.clone(), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(vector.clone(), false)
        .set_column_statistics_enabled(vector, EnabledStatistics::None)
        .set_key_value_metadata(Some(metadata))
        .build())
}

/// A file that is hashed and counted as it is written.
struct Hashing {
    inner: fs_err::File,
    hasher: Sha256,
    bytes: u64,
}

impl Hashing {
    fn create(path: PathBuf) -> io::Result<Self> {
        Ok(Self { inner: fs_err::File::create(path)?, hasher: Sha256::new(), bytes: 0 })
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
