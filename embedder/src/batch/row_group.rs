//! One row group of a part, encoded on a worker's thread; the writer only has to append it to a file.

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};

use super::BatchError;
use super::manifest::ModelIdentity;
use super::properties::properties;

/// Encodes one row group after the other.
pub(super) struct Encoder {
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
    /// One for each leaf column; none between two row groups.
    columns: Vec<ArrowColumnWriter>,
    rows: u64,
}

/// A row group as it will stand in a file.
pub(super) struct RowGroup {
    pub(super) columns: Vec<ArrowColumnChunk>,
    pub(super) rows: u64,
}

impl Encoder {
    pub(super) fn new(schema: SchemaRef, model: &ModelIdentity) -> Result<Self, BatchError> {
        // The factory knows schema and properties only; the file they would go to is never written.
        let nowhere = ArrowWriter::try_new(std::io::sink(), schema.clone(), Some(properties(model)?))?;
        let (_, factory) = nowhere.into_serialized_writer()?;
        Ok(Self { schema, factory, columns: Vec::new(), rows: 0 })
    }

    /// Encodes more rows, given as the columns of the schema.
    pub(super) fn write(&mut self, columns: &[ArrayRef]) -> Result<(), BatchError> {
        if self.columns.is_empty() {
            // The number of the row group matters to encryption alone.
            self.columns = self.factory.create_column_writers(0)?;
        }
        let mut writers = self.columns.iter_mut();
        for (field, column) in self.schema.fields().iter().zip(columns) {
            for leaf in compute_leaves(field, column)? {
                let writer = writers.next().expect("there is a writer for every leaf of the schema");
                writer.write(&leaf)?;
            }
        }
        self.rows += columns.first().map_or(0, |column| column.len() as u64);
        Ok(())
    }

    /// Ends the row group; none where nothing was written.
    pub(super) fn finish(&mut self) -> Result<Option<RowGroup>, BatchError> {
        let (writers, rows) = (std::mem::take(&mut self.columns), std::mem::take(&mut self.rows));
        if rows == 0 {
            return Ok(None);
        }
        let columns = writers.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?;
        Ok(Some(RowGroup { columns, rows }))
    }
}
