//! Feeds an index with what the batch job embeds: one segment for each part, so that a segment is never tiny.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use forebay_embedder::batch::{Sink, SinkError};
use forebay_event::Event;
use forebay_index::{Index, Options};

/// What the index took, told to whoever holds a copy.
#[derive(Clone, Default)]
pub(super) struct Counts(Rc<Cell<(u64, u64)>>);

impl Counts {
    /// Events added by this run.
    pub(super) fn added(&self) -> u64 {
        self.0.get().0
    }

    /// Events that the index held already.
    pub(super) fn duplicates(&self) -> u64 {
        self.0.get().1
    }
}

/// Holds a part back until it is committed.
pub(super) struct IndexSink {
    index: Index,
    events: Vec<Event>,
    vectors: Vec<f32>,
    counts: Counts,
}

impl IndexSink {
    pub(super) fn open(dir: &Path, options: Options, counts: Counts) -> Result<Self, SinkError> {
        let index = Index::open(dir, options)?;
        Ok(Self { index, events: Vec::new(), vectors: Vec::new(), counts })
    }
}

impl Sink for IndexSink {
    fn take(&mut self, events: &[Event], vectors: &[f32]) -> Result<(), SinkError> {
        self.events.extend_from_slice(events);
        self.vectors.extend_from_slice(vectors);
        Ok(())
    }

    /// The index skips events it holds, so what a crash made come twice is kept once.
    fn commit(&mut self) -> Result<(), SinkError> {
        if self.events.is_empty() {
            return Ok(());
        }
        let appended = self.index.append(&self.events, &self.vectors)?;
        let (added, duplicates) = self.counts.0.get();
        self.counts.0.set((added + appended.added as u64, duplicates + appended.duplicates as u64));
        self.events.clear();
        self.vectors.clear();
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}
