//! From shares to changes: when a ceiling may move, and by how much.
//!
//! **Promise.** Pure; time is passed in. Up at once; down only when the queue is under the new ceiling and the present one was
//! not needed for the hold time ([`hold`]), unless someone else lacks room that is not free. At most so
//! many changes a second for each buffer ([`rate`]). The ceilings in force never add up to more than the budget through a
//! change made here ([`plan`]): room is given up first, and only what is free is given out.
//!
//! **Counted.** Every change that was due and did not happen has a [`Deferred`] reason.

mod hold;
mod plan;
mod rate;

pub use hold::Hold;
pub use plan::{Deferred, Seat, Verdict, grows, shrinks};
pub use rate::Bucket;

/// Ceilings are multiples of this, in bytes: the size of a page.
pub const GRAIN_BYTES: u64 = 4_096;

/// How soon ceilings move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a ceiling stays after it was last needed, in milliseconds.
    pub hold_ms: u64,
    /// Changes of one buffer a second, over any longer time.
    pub changes_per_s: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { hold_ms: HOLD_MS, changes_per_s: CHANGES_PER_S }
    }
}

/// Hold time where nothing else is set: 10 s. Shrinking between the bursts of one source loses the next burst; sources that send
/// every few seconds are common, and a held ceiling costs memory only while it is filled.
pub const HOLD_MS: u64 = 10_000;

/// Changes a second where nothing else is set: every fifth tick of 10 ms. One costs about 2 us and a write of the state file.
pub const CHANGES_PER_S: u32 = 20;
