//! Every way out of the event: our own lines, ML Defender's lines, Parquet.
//!
//! **Promise.** JSON lines and Parquet hold an event whole: reading back gives the same. `RAGLogger` lines hold what that
//! format can ([`rag`] says what). A sink writes in order and says so when the medium fails; that a file appears whole or
//! not at all is the caller's part (write aside, then rename).
//!
//! **Layout.** [`open`] gives an [`EventSink`] for a [`Target`]; [`table`] is the Arrow schema and both directions of it,
//! [`parquet`] the file around it.

pub mod parquet;
pub mod rag;
pub mod table;

use std::io::Write;

use crate::{Event, jsonl};

pub use parquet::ParquetWriter;
pub use table::{arrow_schema, from_record_batch, to_record_batch};

/// Bytes of lines gathered before they are written.
const LINES_BYTES: usize = 64 * 1024;

/// Takes events.
pub trait EventSink: Send {
    /// Takes one more.
    fn write(&mut self, event: &Event) -> Result<(), ExportError>;

    /// Writes what is left and the end of the format. What was written before that is no whole file.
    fn finish(self: Box<Self>) -> Result<(), ExportError>;
}

/// A format of events that this crate writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Our own lines, [`crate::jsonl`].
    Jsonl,
    /// The nested line of ML Defender's `RAGLogger`.
    RagLogger,
    /// Parquet, Zstandard inside.
    Parquet,
}

/// Why events could not be written, or read back from a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The medium failed. Not the events' fault.
    #[error("writing events: {0}")]
    Io(#[from] std::io::Error),
    /// Parquet could not be written or read: the medium failed, or the file is damaged.
    #[error("Parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// A table could not be put together; a fault of this program.
    #[error("Arrow: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The table is not one of events. The caller's fault.
    #[error("column `{column}`: {reason}")]
    Column {
        /// The column.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A sink that writes `target` to `out`.
pub fn open(target: Target, out: Box<dyn Write + Send>) -> Result<Box<dyn EventSink>, ExportError> {
    Ok(match target {
        Target::Jsonl => Box::new(LineWriter::new(out, jsonl::write)),
        Target::RagLogger => Box::new(LineWriter::new(out, rag::write)),
        Target::Parquet => Box::new(ParquetWriter::new(out)?),
    })
}

/// Writes one line per event.
pub struct LineWriter<W> {
    out: W,
    lines: Vec<u8>,
    append: fn(&Event, &mut Vec<u8>),
}

impl<W: Write> LineWriter<W> {
    /// Writes lines that `append` makes ([`jsonl::write()`], [`rag::write`]).
    pub fn new(out: W, append: fn(&Event, &mut Vec<u8>)) -> Self {
        Self { out, lines: Vec::with_capacity(2 * LINES_BYTES), append }
    }

    /// Takes one more event.
    pub fn append(&mut self, event: &Event) -> Result<(), ExportError> {
        (self.append)(event, &mut self.lines);
        self.lines.push(b'\n');
        if self.lines.len() >= LINES_BYTES {
            self.out.write_all(&self.lines)?;
            self.lines.clear();
        }
        Ok(())
    }

    /// Writes what is left and gives the medium back.
    pub fn into_inner(mut self) -> Result<W, ExportError> {
        self.out.write_all(&self.lines)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write + Send> EventSink for LineWriter<W> {
    fn write(&mut self, event: &Event) -> Result<(), ExportError> {
        self.append(event)
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        self.into_inner().map(|_| ())
    }
}
