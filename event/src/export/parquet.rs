//! A Parquet file of events: [`super::table`] in row groups of bounded size, compressed with Zstandard.

use std::io::Write;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::Event;

use super::table::{arrow_schema, to_record_batch};
use super::{EventSink, ExportError};

/// Events turned into a table at a time.
const BATCH_EVENTS: usize = 4096;

/// Events in a row group; what a reader has to hold, about 100 MB at most. The writer holds one, encoded.
pub const ROW_GROUP_EVENTS: usize = 131_072;

/// Zstandard's level: its default, past which a file of floats hardly shrinks.
const ZSTD_LEVEL: i32 = 3;

/// Writes events to `W`.
pub struct ParquetWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    waiting: Vec<Event>,
}

/// The properties of every Parquet file of ours, for those who write further columns beside the events.
pub fn writer_properties() -> Result<WriterProperties, ExportError> {
    let compression = Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?);
    let builder = WriterProperties::builder().set_compression(compression);
    Ok(builder.set_max_row_group_row_count(Some(ROW_GROUP_EVENTS)).set_created_by("forebay".to_owned()).build())
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Begins a file.
    pub fn new(out: W) -> Result<Self, ExportError> {
        let writer = ArrowWriter::try_new(out, arrow_schema(), Some(writer_properties()?))?;
        Ok(Self { writer, waiting: Vec::with_capacity(BATCH_EVENTS) })
    }

    /// Takes events.
    pub fn write_all(&mut self, events: &[Event]) -> Result<(), ExportError> {
        self.flush_waiting()?;
        for batch in events.chunks(BATCH_EVENTS) {
            self.writer.write(&to_record_batch(batch)?)?;
        }
        Ok(())
    }

    /// Takes one more event.
    pub fn append(&mut self, event: &Event) -> Result<(), ExportError> {
        self.waiting.push(event.clone());
        if self.waiting.len() >= BATCH_EVENTS { self.flush_waiting() } else { Ok(()) }
    }

    /// Writes what is left and the footer, and gives the medium back.
    pub fn into_inner(mut self) -> Result<W, ExportError> {
        self.flush_waiting()?;
        Ok(self.writer.into_inner()?)
    }

    fn flush_waiting(&mut self) -> Result<(), ExportError> {
        if !self.waiting.is_empty() {
            self.writer.write(&to_record_batch(&self.waiting)?)?;
            self.waiting.clear();
        }
        Ok(())
    }
}

impl<W: Write + Send> EventSink for ParquetWriter<W> {
    fn write(&mut self, event: &Event) -> Result<(), ExportError> {
        self.append(event)
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        self.into_inner()?.flush()?;
        Ok(())
    }
}
