//! From slices in memory to a segment on disk.
//!
//! A generation that has ended is merged into one segment; the manifest lists it and says from which log file on the log
//! counts; searches see the segment in place of the slices; the log file is removed. A crash before the manifest leaves the
//! log, one after it leaves a log file that does not count any more.
//!
//! Building an engine over the vectors takes several times as long as everything else about a segment. Where events come
//! faster than that, a segment is written without one, so that appends do not wait for it; merging makes up for it
//! ([`crate::merging`]), and until then searches compare all of its vectors.

use std::sync::Arc;
use std::time::Duration;

use crate::IndexError;
use crate::hot::{LogSlot, State, slice_name};
use crate::limits::{COALESCE_BELOW_EVENTS, COALESCE_FACTOR};
use crate::log;
use crate::segment::{Segment, merge};
use crate::shared::Shared;
use crate::writer::{Writer, open};

impl Writer {
    /// Ends the current generation if it has events and is older than `age`.
    pub(crate) fn rotate_if_older(&self, age: Duration) {
        let mut state = self.hot.lock();
        while matches!(state.log, LogSlot::Taken) {
            state = self.hot.wait(state);
        }
        let current = state.current();
        if current.events > 0 && current.since.is_some_and(|since| since.elapsed() >= age) {
            state.rotate();
            // It did not fill, so nothing fills behind it: there is time for its engine.
            state.before_last().is_hasty = false;
        }
    }

    /// Writes everything that is hot now as segments.
    pub(crate) fn seal_all(&self, shared: &Shared) -> Result<(), IndexError> {
        self.check_healthy()?;
        self.rotate_if_older(Duration::ZERO);
        self.seal(shared).map(drop)
    }

    /// Seals the generations that have ended; how many.
    pub(crate) fn seal(&self, shared: &Shared) -> Result<usize, IndexError> {
        let _alone = self.sealing();
        let mut sealed = 0;
        while self.seal_one(shared).inspect_err(|error| self.seal_failed(shared, error))? {
            sealed += 1;
        }
        Ok(sealed)
    }

    /// Seals the oldest generation if it has ended; whether it had.
    fn seal_one(&self, shared: &Shared) -> Result<bool, IndexError> {
        let (slices, number, in_haste) = {
            let state = self.hot.lock();
            state.check_healthy()?;
            let [first, _, others @ ..] = state.generations.as_slice() else { return Ok(false) };
            (first.slices.clone(), first.log, first.is_hasty || !others.is_empty())
        };
        let mut known = None;
        if !slices.is_empty() {
            let parts: Vec<&Segment> = slices.iter().map(Arc::as_ref).collect();
            let mut building = self.next_building(shared, Vec::new());
            let rows: u32 = parts.iter().map(|part| part.rows()).sum();
            building.with_engine = !in_haste;
            let goes_without = in_haste && rows as usize >= shared.options.engine_from;
            shared.counters.seals_without_engine.add(u64::from(goes_without));
            known = Some(open(shared, merge(building, &parts)?)?);
        }
        let mut catalog = self.catalog();
        let first_log = catalog.first_log;
        self.write_catalog(shared, &mut catalog, |manifest| {
            manifest.first_log = number + 1;
            if let Some(known) = &known {
                manifest.add(known.segment().manifest());
            }
        })?;
        let mut state = self.hot.lock();
        shared.update(|snapshot| {
            snapshot.remove(&slices);
            if let Some(known) = known {
                snapshot.add(known);
            }
        });
        shared.retire(slices);
        let gone = state.generations.remove(0);
        state.seal_failed = None;
        drop(state);
        drop(catalog);
        self.hot.changed.notify_all();
        drop(gone);
        shared.counters.seals.add(1);
        for old in first_log..=number {
            if let Err(error) = log::remove(&shared.dir, old) {
                tracing::warn!(log = old, %error, "a log file that is sealed could not be removed");
            }
        }
        Ok(true)
    }

    /// The log still has everything, so a later try may succeed; meanwhile the hot part grows up to its bound.
    fn seal_failed(&self, shared: &Shared, error: &IndexError) {
        shared.counters.seals_failed.add(1);
        tracing::error!(%error, "the hot part could not be written as a segment; it stays in the log");
        self.hot.lock().seal_failed = Some(error.to_string());
        self.hot.changed.notify_all();
    }

    /// Joins slices of like size in memory, so that a search meets few of them; whether there was anything to do.
    pub(crate) fn coalesce(&self, shared: &Shared) -> Result<bool, IndexError> {
        let _alone = self.sealing();
        let Some((number, parts)) = self.slices_due() else { return Ok(false) };
        let refs: Vec<&Segment> = parts.iter().map(Arc::as_ref).collect();
        let name = slice_name(parts[0].manifest().first_seq);
        let joined = Arc::new(Segment::joined(&name, &refs, &shared.options)?);
        let mut state = self.hot.lock();
        if let Some(generation) = state.generations.iter_mut().find(|generation| generation.log == number) {
            let is_part = |slice: &Arc<Segment>| parts.iter().any(|part| Arc::ptr_eq(part, slice));
            let place = generation.slices.iter().position(is_part).unwrap_or(0);
            generation.slices.retain(|slice| !is_part(slice));
            generation.slices.insert(place, Arc::clone(&joined));
            shared.update(|snapshot| {
                snapshot.remove(&parts);
                snapshot.segments.push(joined);
            });
            shared.retire(parts);
        }
        Ok(true)
    }

    /// Slices of one generation and one tier that should be one, oldest first.
    fn slices_due(&self) -> Option<(u64, Vec<Arc<Segment>>)> {
        let state = self.hot.lock();
        state.generations.iter().find_map(|generation| {
            let due = run_due(&generation.slices.iter().map(|slice| slice.rows()).collect::<Vec<_>>())?;
            Some((generation.log, generation.slices[due].to_vec()))
        })
    }
}

impl State {
    /// Whether there is something to seal or to join, and the writer can.
    pub(crate) fn is_seal_due(&self) -> bool {
        let rows = |slices: &[Arc<Segment>]| slices.iter().map(|slice| slice.rows()).collect::<Vec<_>>();
        self.poisoned.is_none()
            && (self.generations.len() > 1 || self.generations.iter().any(|one| run_due(&rows(&one.slices)).is_some()))
    }
}

/// Neighbours of one tier, as many as are joined at once. Neighbours, so that a slice stays a range of numbers.
fn run_due(rows: &[u32]) -> Option<std::ops::Range<usize>> {
    let tier = |rows: &u32| rows.max(&1).ilog2() / COALESCE_FACTOR.ilog2();
    let mut start = 0;
    for run in rows.chunk_by(|a, b| tier(a) == tier(b)) {
        if run.len() >= COALESCE_FACTOR && run[0] < COALESCE_BELOW_EVENTS {
            return Some(start..start + COALESCE_FACTOR);
        }
        start += run.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_tier_are_joined_until_few_are_left() {
        let mut slices: Vec<u32> = vec![1; 1_000];
        let mut copied = 0;
        while let Some(due) = run_due(&slices) {
            let joined: u32 = slices[due.clone()].iter().sum();
            copied += joined;
            slices.splice(due, [joined]);
        }
        assert_eq!(slices.iter().sum::<u32>(), 1_000);
        assert!(slices.len() < 5 * COALESCE_FACTOR, "{slices:?}");
        assert!(copied <= 5 * 1_000, "{copied} rows were copied");
    }
}
