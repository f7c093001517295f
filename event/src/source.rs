//! The face every reader of events shows: a file format, a capture through the meter, or standard input.

use std::io;

use crate::Event;
use crate::chunk::ChunkSource;

/// Yields events one at a time into memory the caller owns and reuses.
pub trait EventSource: Send {
    /// Reads the next item. After [`Item::Event`] `event` holds it whole (nothing of the event before is left in it).
    ///
    /// An `Err` is the end of this source: the medium failed, or what follows cannot be told apart into items.
    fn read(&mut self, event: &mut Event) -> Result<Item, SourceError>;

    /// How far the source has been read.
    fn progress(&self) -> Progress;

    /// What the reader left out or took by a fallback, by reason, apart from rejected items. Names are stable, lower
    /// case, with underscores; for example `("packets_not_ip", 12)`.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// This source as one that can be cut into lines apart from decoding them; none where a record means something only
    /// with those before it. Whoever cuts does not call [`EventSource::read`]; what decoding counts is then the decoder's.
    fn chunks(&mut self) -> Option<&mut dyn ChunkSource> {
        None
    }
}

/// What [`EventSource::read`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// The event is in the caller's memory.
    Event,
    /// Something that is not an event, passed over. The caller counts it and may keep it.
    Rejected(Box<Rejection>),
    /// Nothing more.
    End,
}

/// An item that was not an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The file, or `-` for standard input.
    pub source: String,
    /// Line (or packet record) number, from 1.
    pub line: u64,
    /// What is wrong with it, in words for a person.
    pub reason: String,
    /// The item byte for byte; cut at [`crate::limits::LINE_BYTES_MAX`], in which case `reason` says so.
    pub bytes: Vec<u8>,
}

/// How far a source has been read, in bytes of the file as it lies on disk (compressed, where it is).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read so far.
    pub bytes_read: u64,
    /// Bytes there are, where that is known (not for a pipe).
    pub bytes_total: Option<u64>,
}

/// Why a source could not be opened, or read further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The medium failed. Not the input's fault.
    #[error("{name}: {error}")]
    Io {
        /// The file, or `-`.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// The input is no format we know. The user's fault; the message says what was looked for.
    #[error("{name}: not a format that can be read ({reason})")]
    Unrecognised {
        /// The file, or `-`.
        name: String,
        /// What was found, and what would have been accepted.
        reason: String,
    },
    /// The input is damaged from this place on.
    #[error("{name}: damaged at byte {offset}: {reason}")]
    Damaged {
        /// The file, or `-`.
        name: String,
        /// Where, in bytes of the decompressed input.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
}
