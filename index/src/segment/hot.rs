//! Segments in memory: events that a log has made durable and that are not in a segment on the disk yet.
//!
//! They are searched by the same code as those on the disk, always by an exact scan, so they are meant to stay small.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forebay_event::Event;

use super::columns::{Fields, Gathered};
use super::events::EventFile;
use super::ids::IdFile;
use super::manifest::SEGMENT_FORMAT;
use super::profile::Profile;
use super::rendered::Rendered;
use super::text_index::TextIndex;
use super::{Columns, Segment, SegmentManifest, VectorFile};
use crate::engine;
use crate::{IndexError, Options};

impl Segment {
    /// A segment of `events`, numbered from `first_seq`, in memory. `vectors` holds one row of the dimension for each.
    pub(crate) fn in_memory(
        name: &str,
        events: &[Event],
        vectors: &[f32],
        first_seq: u64,
        options: &Options,
    ) -> Result<Self, IndexError> {
        let held =
            EventFile::hold(events).map_err(|(row, reason)| IndexError::Event { id: events[row].event_id, reason })?;
        let ids: Vec<u128> = events.iter().map(|event| event.event_id.0.as_u128()).collect();
        let columns = Columns::joined(&[&Gathered::of(events, first_seq)])?;
        let vectors = VectorFile::hold(options.dimension, events.len(), &[vectors])?;
        Self::held(name, TextIndex::Hot(Rendered::of(events)), columns, held, &ids, vectors, options)
    }

    /// The rows of `parts`, which are all in memory, one part after the other, in memory.
    pub(crate) fn joined(name: &str, parts: &[&Self], options: &Options) -> Result<Self, IndexError> {
        let texts: Vec<&Rendered> = parts.iter().filter_map(|part| part.text.hot()).collect();
        if texts.len() != parts.len() {
            return Err(IndexError::Options("only segments in memory are joined in memory".to_owned()));
        }
        let fields: Vec<&dyn Fields> = parts.iter().map(|part| &part.columns as &dyn Fields).collect();
        let events: Vec<&EventFile> = parts.iter().map(|part| &part.events).collect();
        let ids: Vec<u128> = parts.iter().flat_map(|part| (0..part.rows()).map(|row| part.id(row))).collect();
        let numbers: Vec<&[f32]> = parts.iter().map(|part| part.vectors.numbers()).collect();
        let vectors = VectorFile::hold(options.dimension, ids.len(), &numbers)?;
        let text = TextIndex::Hot(Rendered::joined(&texts));
        Self::held(name, text, Columns::joined(&fields)?, EventFile::joined(&events)?, &ids, vectors, options)
    }

    /// Whether it is in memory only.
    pub(crate) fn is_hot(&self) -> bool {
        self.text.hot().is_some()
    }

    fn held(
        name: &str,
        text: TextIndex,
        columns: Columns,
        events: EventFile,
        ids: &[u128],
        vectors: VectorFile,
        options: &Options,
    ) -> Result<Self, IndexError> {
        let least = |values: &[i64]| values.iter().copied().min().unwrap_or_default();
        let manifest = SegmentManifest {
            format: SEGMENT_FORMAT,
            name: name.to_owned(),
            space: options.model_space.clone(),
            dimension: options.dimension,
            events: columns.rows() as u32,
            first_seq: columns.seq().iter().copied().min().unwrap_or_default(),
            last_seq: columns.seq().iter().copied().max().unwrap_or_default(),
            first_start_us: least(columns.start()),
            last_start_us: columns.start().iter().copied().max().unwrap_or_default(),
            text_tokens: 0,
            graph: false,
            replaces: Vec::new(),
            files: Vec::new(),
        };
        let vectors = Arc::new(vectors);
        let engine = engine::open(Arc::clone(&vectors), None)?;
        let ids = IdFile::hold(ids)?;
        let (profile, verified) = (Profile::default(), AtomicBool::new(true));
        Self { manifest, text, columns, events, ids, vectors, engine, profile, verified }.checked()
    }
}
