//! What a worker does with a batch: decode, embed, lay out in columns, encode as a row group.
//!
//! It goes through a batch in slices of one run of the network, so that events and vectors are still in the cache when they are
//! laid out and encoded. How a batch is cut into slices depends on the batch alone, never on which worker has it: the same
//! inputs give the same bytes.

use std::time::Instant;

use arrow::buffer::{Buffer, ScalarBuffer};
use forebay_event::Event;
use forebay_event::chunk::Decoder;
use forebay_event::source::Item;

use super::BatchError;
use super::manifest::ModelIdentity;
use super::pipeline::Batch;
use super::row_group::Encoder;
use super::rows::Rows;
use super::summary::Times;
use crate::{Embedder as _, EventEmbedder};

/// What is left in a batch besides the row group.
#[derive(Clone, Copy)]
pub(super) struct Keep {
    /// The events.
    pub(super) events: bool,
    /// The vectors.
    pub(super) vectors: bool,
}

/// A worker's own session, buffers and encoders.
pub(super) struct Worker {
    embedder: EventEmbedder,
    decoder: Decoder,
    rows: Rows,
    encoder: Encoder,
    slice_events: usize,
    keep: Keep,
    /// Memory for the vectors of a slice.
    vectors: Vec<f32>,
    times: Times,
}

impl Worker {
    pub(super) fn new(
        embedder: EventEmbedder,
        rows: &Rows,
        model: &ModelIdentity,
        slice_events: usize,
        keep: Keep,
    ) -> Result<Self, BatchError> {
        let encoder = Encoder::new(rows.schema(), model)?;
        let (decoder, rows) = (Decoder::default(), rows.clone());
        let (vectors, times) = (Vec::new(), Times::default());
        Ok(Self { embedder, decoder, rows, encoder, slice_events, keep, vectors, times })
    }

    /// Puts the row group, and what else shall be kept, into `batch`.
    pub(super) fn fill(&mut self, batch: &mut Batch) -> Result<(), BatchError> {
        let infinite_before = self.embedder.infinite_features();
        let mut vectors = std::mem::take(&mut batch.vectors);
        for slice in batch.events().chunks(self.slice_events) {
            self.take(slice, &mut vectors)?;
        }
        batch.embedded = batch.events().len() as u64;
        let mut place = 0;
        while place < batch.chunk.len() {
            let first = batch.events().len();
            place = self.decode(batch, place);
            batch.embedded += (batch.events().len() - first) as u64;
            self.take(&batch.events()[first..], &mut vectors)?;
            if !self.keep.events {
                batch.forget_after(first);
            }
        }
        batch.counters.extend(self.decoder.take_counters());
        batch.vectors = vectors;
        batch.infinite_features = self.embedder.infinite_features() - infinite_before;
        let began = Instant::now();
        batch.group = self.encoder.finish()?;
        Times::add(&mut self.times.encoding, began.elapsed());
        batch.times = std::mem::take(&mut self.times);
        Ok(())
    }

    /// Decodes records from `place` on until a slice is full or the chunk ends; gives the place after the last.
    fn decode(&mut self, batch: &mut Batch, mut place: usize) -> usize {
        let began = Instant::now();
        let mut events = 0;
        while events < self.slice_events {
            match batch.decode_next(&mut self.decoder, place) {
                Item::Event => events += 1,
                Item::Rejected(rejection) => batch.rejections.push(*rejection),
                Item::End => break,
            }
            place += 1;
        }
        Times::add(&mut self.times.decoding, began.elapsed());
        place
    }

    /// Embeds and encodes one slice; appends its vectors to `kept` if they are wanted.
    fn take(&mut self, events: &[Event], kept: &mut Vec<f32>) -> Result<(), BatchError> {
        if events.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let mut vectors = std::mem::take(&mut self.vectors);
        vectors.clear();
        let items: Vec<&Event> = events.iter().collect();
        self.embedder.embed(&items, &mut vectors)?;
        if self.keep.vectors {
            kept.extend_from_slice(&vectors);
        }
        let embedded = began.elapsed();
        let buffer = Buffer::from_vec(vectors);
        let columns = self.rows.columns(events, ScalarBuffer::from(buffer.clone()))?;
        let laid_out = began.elapsed();
        self.encoder.write(&columns)?;
        drop(columns);
        // The columns are gone, so the memory is ours again; were it not, the next slice would only take new memory.
        self.vectors = buffer.into_vec().unwrap_or_default();
        Times::add(&mut self.times.embedding, embedded);
        Times::add(&mut self.times.columns, laid_out.saturating_sub(embedded));
        Times::add(&mut self.times.encoding, began.elapsed().saturating_sub(laid_out));
        Ok(())
    }
}
