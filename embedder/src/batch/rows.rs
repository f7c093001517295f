//! Events and vectors as the columns of a part.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use forebay_event::Event;

use super::columns;

/// Name of the column of vectors.
pub(super) const VECTOR: &str = "vector";

/// Lays events and vectors out in columns.
#[derive(Clone)]
pub(super) struct Rows {
    schema: SchemaRef,
    element: Arc<Field>,
    dimension: i32,
}

impl Rows {
    pub(super) fn new(dimension: usize) -> Self {
        let element = Arc::new(Field::new("element", DataType::Float32, false));
        let dimension = dimension as i32; // a model's dimension is bounded far below
        let mut fields = columns::fields();
        fields.push(Field::new(VECTOR, DataType::FixedSizeList(element.clone(), dimension), false));
        Self { schema: Arc::new(Schema::new(fields)), element, dimension }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// One row for each event; `vectors` holds `dimension` floats for each.
    pub(super) fn encode(&self, events: &[Event], vectors: &[f32]) -> Result<RecordBatch, ArrowError> {
        let mut arrays = columns::arrays(events);
        let floats = Float32Array::new(Buffer::from_slice_ref(vectors).into(), None);
        let vectors = FixedSizeListArray::try_new(self.element.clone(), self.dimension, Arc::new(floats), None)?;
        arrays.push(Arc::new(vectors) as ArrayRef);
        RecordBatch::try_new(self.schema.clone(), arrays)
    }
}
