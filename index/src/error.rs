//! Why the index did not do what it was asked, and whose fault that is.

use std::io;
use std::path::PathBuf;

use forebay_event::EventId;

use crate::filter::FilterError;

/// Why an index did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The caller's fault: a filter that is too large or names what does not exist.
    #[error("filter: {0}")]
    Filter(#[from] FilterError),
    /// The caller's fault: a search outside the limits, or with a vector of the wrong length.
    #[error("search: {0}")]
    Search(String),
    /// The caller's fault: a cursor that is damaged, too deep, or of another search.
    #[error("cursor: {0}")]
    Cursor(String),
    /// The caller's fault: an event outside the limits of the schema. Nothing of the batch was stored.
    #[error("event {id}: {reason}")]
    Event {
        /// The event.
        id: EventId,
        /// What is wrong with it.
        reason: String,
    },
    /// The caller's fault: vectors that do not belong to the events. Nothing of the batch was stored.
    #[error("vectors: {0}")]
    Vectors(String),
    /// The operator's fault: options out of range.
    #[error("options: {0}")]
    Options(String),
    /// The operator's fault: the index on disk was made for another vector space.
    #[error(
        "{path}: made for the vector space {found:?} ({found_dimension} numbers a vector), but the model in use is of \
         {wanted:?} ({wanted_dimension}); use the model it was made with, or build a new index in another folder"
    )]
    OtherSpace {
        /// The index.
        path: PathBuf,
        /// Its space.
        found: String,
        /// Its dimension.
        found_dimension: usize,
        /// The space asked for.
        wanted: String,
        /// The dimension asked for.
        wanted_dimension: usize,
    },
    /// The operator's fault: another process (or another part of this one) has the index open.
    #[error("{path}: already open elsewhere (the lock is held); stop the other process first")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The operator's fault: a newer version wrote this.
    #[error("{path}: written in format {found}, this version reads up to {known}; use a newer version")]
    Format {
        /// The manifest.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// The machine's fault: the processor lacks instructions this build uses.
    #[error("{0}")]
    Cpu(String),
    /// The machine's fault: the disk or the file system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The machine's fault: an earlier write was not carried to the disk, so this index takes no more until opened anew.
    #[error("an earlier write failed ({0}); the index takes no more events until it is opened again")]
    Poisoned(String),
    /// The machine's fault: the part of the index in memory is at its bound and cannot be written as a segment.
    #[error("events cannot be written as a segment ({0}), and no more are taken into memory; make room on the disk")]
    Full(String),
    /// The machine's fault: what is on disk is not what was written, and was not caught when opening.
    #[error("{place}: damaged: {reason}")]
    Damaged {
        /// The file or segment.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operator's fault: too many segments; run `compact`.
    #[error("{0} segments, the limit is {max}; merge them (compact) before adding more", max = crate::limits::SEGMENTS_MAX)]
    TooManySegments(usize),
    /// Ours: FAISS refused.
    #[error("vector engine: {0}")]
    Engine(String),
    /// Ours: tantivy refused.
    #[error("text engine: {0}")]
    Text(#[from] tantivy::TantivyError),
}

impl IndexError {
    /// Whether asking differently would help: an HTTP layer answers these with 4xx.
    pub fn is_callers_fault(&self) -> bool {
        matches!(self, Self::Filter(_) | Self::Search(_) | Self::Cursor(_) | Self::Event { .. } | Self::Vectors(_))
    }
}
