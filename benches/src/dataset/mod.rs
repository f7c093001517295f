//! The data set of the search comparison: vectors of the committed model on real flows, jittered to size.
//!
//! **Promise.** The same seed, flows and count give the same rows, on any machine whose ONNX Runtime gives the same vectors.
//! Rows are made one after the other, so memory does not depend on their number but for the groups (2 bytes a row). The
//! flows that questions are made of are held out: neither they nor copies of them are rows.
//!
//! **Layout of a folder.** `base.npy` (float32, rows x dimension), `draw.npy` and `group.npy` (u16, what filters look at),
//! `queries-text.npy`, `queries-event.npy`, `questions.txt`, `filters.json`, and `about.json`, written last.

pub mod clusters;
pub mod filters;
pub mod flows;
pub mod jitter;
pub mod npy;
pub mod questions;
pub mod random;
pub mod rows;

use std::path::Path;

use anyhow::ensure;
use forebay_event::{Event, EventId};
use uuid::Builder;

use filters::Fields;
use flows::{Origins, real_flows};
use jitter::Jitter;
use random::Random;

/// Questions of each set.
pub const QUERIES: usize = 1_000;
/// Of few flows, at most one in so many is held out; the questions are then jittered copies as well.
const HELD_OUT_PART: usize = 4;
/// Fewer flows are no data set.
const FLOWS_MIN: usize = 100;
/// Time between the starts of two rows.
const STEP_US: i64 = 10_000;
const FIRST_START_US: i64 = 1_760_000_000_000_000;
/// The bits of an identifier that hold the row.
const ROW_BITS: u32 = 62;

/// The real flows, and how rows are made of them.
pub struct Dataset {
    /// Where the flows come from.
    pub origins: Origins,
    held_out: Vec<Event>,
    flows: Vec<Event>,
    jitter: Jitter,
    seed: u64,
}

impl Dataset {
    /// Reads every flow that can be had; `shared` is the folder of public data.
    pub fn open(shared: &Path, seed: u64) -> anyhow::Result<Self> {
        let (mut flows, origins) = real_flows(shared)?;
        ensure!(flows.len() >= FLOWS_MIN, "only {} real flows, fewer than {FLOWS_MIN}", flows.len());
        Random::new(seed, 0).shuffle(&mut flows);
        let held_out = flows.split_off(flows.len() - QUERIES.min(flows.len() / HELD_OUT_PART));
        Ok(Self { origins, held_out, flows, jitter: Jitter::default(), seed })
    }

    /// Real flows that rows are made of.
    pub fn flows(&self) -> usize {
        self.flows.len()
    }

    /// The event of `row` as it is embedded: a real flow as it is, or from the second round on a jittered copy.
    pub fn event(&self, row: u64) -> Event {
        let place = row as usize % self.flows.len();
        let mut event = self.flows[place].clone();
        if row as usize >= self.flows.len() {
            self.jitter.apply(&mut event.features, &mut Random::new(self.seed, row));
        }
        let lasts_us = event.end_us - event.start_us;
        event.start_us = FIRST_START_US + row as i64 * STEP_US;
        event.end_us = event.start_us.saturating_add(lasts_us);
        event.event_id = id_of(row, event.start_us);
        event
    }

    /// Question `place` of those that are events.
    pub fn question(&self, place: usize) -> Event {
        let mut event = self.held_out[place % self.held_out.len()].clone();
        if place >= self.held_out.len() {
            self.jitter.apply(&mut event.features, &mut Random::new(!self.seed, place as u64));
        }
        event
    }

    /// Real flows that questions are made of.
    pub fn held_out(&self) -> usize {
        self.held_out.len()
    }

    /// What filters look at in `row`, whose vector is of `group`.
    pub fn fields(&self, row: u64, group: u16) -> Fields {
        Fields { draw: Fields::draw(self.seed, row), group }
    }
}

/// The row that the event called `id` was made for.
pub fn row_of(id: EventId) -> u64 {
    let low = id.0.as_u128() as u64;
    low & ((1 << ROW_BITS) - 1)
}

fn id_of(row: u64, start_us: i64) -> EventId {
    debug_assert!(row < 1 << ROW_BITS);
    let mut bits = [0; 10];
    bits[2..].copy_from_slice(&row.to_be_bytes());
    EventId(Builder::from_unix_timestamp_millis(start_us as u64 / 1_000, &bits).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_holds_its_row() {
        for row in [0, 1, 77_777_777, (1 << ROW_BITS) - 1] {
            assert_eq!(row_of(id_of(row, FIRST_START_US)), row);
        }
    }

    #[test]
    fn rows_are_repeatable_and_copies_differ() {
        let nowhere = Path::new("/nonexistent");
        let (one, other) = (Dataset::open(nowhere, 1).unwrap(), Dataset::open(nowhere, 1).unwrap());
        let copy = one.flows() as u64 + 3;
        assert_eq!(one.event(copy), other.event(copy));
        assert_ne!(one.event(3).features, one.event(copy).features);
    }
}
