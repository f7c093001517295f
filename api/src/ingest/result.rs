//! What a client is told about each line it sent, and about all of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineResult {
    /// The line's number in the body, from 1.
    pub line: u64,
    /// What became of it.
    pub status: Status,
    /// The event's identifier; absent where the line is no event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The event is on disk and searchable.
    Stored,
    /// An event of this identifier was there already; this one was passed over.
    Duplicate,
    /// Nothing was stored.
    Rejected,
}

/// The last line of every answer. If it is missing, the answer was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastLine {
    /// What became of the whole body.
    pub summary: Summary,
}

/// What became of a whole body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// Lines that were looked at; blank ones do not count.
    pub lines: u64,
    /// Events stored.
    pub stored: u64,
    /// Events passed over because they were there.
    pub duplicate: u64,
    /// Lines rejected.
    pub rejected: u64,
    /// Members of events that were passed over because the schema does not know their names: misspelt ones, most likely.
    #[serde(default)]
    pub unknown_members: u64,
    /// Whether the body was read to its end.
    pub complete: bool,
    /// Why not, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Summary {
    pub(crate) fn count(&mut self, status: Status) {
        self.lines += 1;
        match status {
            Status::Stored => self.stored += 1,
            Status::Duplicate => self.duplicate += 1,
            Status::Rejected => self.rejected += 1,
        }
    }

    /// Adds what was counted of a batch.
    pub(crate) fn add(&mut self, batch: &Self) {
        self.lines += batch.lines;
        self.stored += batch.stored;
        self.duplicate += batch.duplicate;
        self.rejected += batch.rejected;
        self.unknown_members += batch.unknown_members;
    }
}
