//! Events and vectors as the columns of a part: the table of `forebay_event::export`, and the vector beside it.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use forebay_event::Event;
use forebay_event::export::{arrow_schema, to_record_batch};

use super::BatchError;

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
        let vector = Field::new(VECTOR, DataType::FixedSizeList(element.clone(), dimension), false);
        let events = arrow_schema();
        let fields: Vec<_> = events.fields().iter().cloned().chain([Arc::new(vector)]).collect();
        let schema = Arc::new(Schema::new(fields).with_metadata(events.metadata().clone()));
        Self { schema, element, dimension }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The columns of the schema, one row for each event; `vectors` holds `dimension` floats for each.
    pub(super) fn columns(&self, events: &[Event], vectors: ScalarBuffer<f32>) -> Result<Vec<ArrayRef>, BatchError> {
        let mut columns = to_record_batch(events)?.columns().to_vec();
        let floats = Float32Array::new(vectors, None);
        let vectors = FixedSizeListArray::try_new(self.element.clone(), self.dimension, Arc::new(floats), None)?;
        columns.push(Arc::new(vectors));
        Ok(columns)
    }
}
