//! What an index holds.

use std::path::PathBuf;

use serde::Serialize;

/// What an index holds, at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Events that can be found.
    pub events: u64,
    /// Bytes on disk: the live segments and the log.
    pub bytes: u64,
    /// Events of these that are in memory and in the log, and in no segment yet.
    pub hot_events: u64,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// The vector space.
    pub model_space: String,
    /// Numbers in a vector.
    pub dimension: usize,
    /// First and last start of a flow, Unix epoch, microseconds.
    pub time_range_us: Option<(i64, i64)>,
    /// The live segments on disk.
    pub segments: Vec<SegmentStats>,
    /// Slices in memory that hold the hot events.
    pub slices: usize,
    /// Segments and places of the log that were found damaged and set aside, since the index was made.
    pub damaged: Vec<DamagedSegment>,
    /// Since opening, by name; the list is in `shared::Counters`. Among them `seals` and `merges` with those that failed,
    /// `appends_waited` for room (and how long, `appends_waited_us`), `log_bytes_torn` by a crash, `events_dropped` by age.
    pub counters: Vec<(&'static str, u64)>,
}

/// One live segment.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentStats {
    /// Its folder's name.
    pub name: String,
    /// Its events.
    pub events: u64,
    /// Its bytes on disk.
    pub bytes: u64,
    /// What compares vectors in it: `flat`, or as `Options::engine` says, for example `cells`.
    pub engine: String,
}

/// A segment, or a place of the log, that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct DamagedSegment {
    /// Its name.
    pub name: String,
    /// Events it held.
    pub events: u64,
    /// What is wrong with it: the file, and how.
    pub reason: String,
    /// Where it lies now; absent where nothing of it was left.
    pub aside: Option<PathBuf>,
}

/// What an append did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Appended {
    /// Events stored, synced and searchable.
    pub added: usize,
    /// Events passed over because their identifier was there already, or came earlier in the batch.
    pub duplicates: usize,
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Merges done.
    pub merges: usize,
    /// Segments before.
    pub segments_before: usize,
    /// Segments after.
    pub segments_after: usize,
}
