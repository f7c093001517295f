//! The index: many readers, one writer.

use std::path::Path;

use forebay_event::{Event, EventId};

use crate::{Appended, Compacted, Found, IndexError, Options, Search, Stats};

/// A folder of segments that can be searched and added to.
pub struct Index {
    options: Options,
}

impl Index {
    /// Opens the index in `dir`, or makes it there.
    pub fn open(dir: &Path, options: Options) -> Result<Self, IndexError> {
        options.check()?;
        fs_err::create_dir_all(dir)?;
        Ok(Self { options })
    }

    /// Adds events with their vectors, one row of `dimension` numbers for each event.
    pub fn append(&self, events: &[Event], vectors: &[f32]) -> Result<Appended, IndexError> {
        let _ = (events, vectors);
        Err(IndexError::Engine("not yet".to_owned()))
    }

    /// Answers a search.
    pub fn search(&self, search: &Search) -> Result<Found, IndexError> {
        search.check(self.options.dimension)?;
        Err(IndexError::Engine("not yet".to_owned()))
    }

    /// The event with this identifier.
    pub fn event(&self, id: EventId) -> Result<Option<Event>, IndexError> {
        let _ = id;
        Err(IndexError::Engine("not yet".to_owned()))
    }

    /// What the index holds.
    pub fn stats(&self) -> Stats {
        Stats {
            events: 0,
            bytes: 0,
            model_space: self.options.model_space.clone(),
            dimension: self.options.dimension,
            time_range_us: None,
            segments: Vec::new(),
            damaged: Vec::new(),
            counters: Vec::new(),
        }
    }

    /// Merges small segments.
    pub fn compact(&self) -> Result<Compacted, IndexError> {
        Err(IndexError::Engine("not yet".to_owned()))
    }
}
