//! Merging segments of like size in the background, so that a search meets few of them.
//!
//! Tiers: whenever [`MERGE_FACTOR`] segments of one tier (up to [`TIER_EVENTS`] events, then eight times as many, and so
//! on) lie in one window of time, they become one. No lock is held while a merge works: it reads segments that do not change
//! and its result is listed at the end, unless one of them was dropped meanwhile; then the result is thrown away.
//!
//! Segments that came too fast to get an engine at once ([`crate::sealing`]) get one when they are merged, or, when no
//! merge is due, by themselves.
//!
//! Windows exist only where events are kept for a limited time: then a segment that spans little of it can be dropped whole
//! soon after its last event is due. The price is more segments, for those of different windows stay apart.

use std::sync::Arc;

use crate::engine::EngineKind;
use crate::limits::{MERGE_FACTOR, RETENTION_WINDOWS, SEGMENT_EVENTS_MAX, TIER_EVENTS};
use crate::segment::{Segment, merge};
use crate::shared::Shared;
use crate::writer::{Writer, open, remove_folders};
use crate::{Compacted, IndexError, Options};

impl Writer {
    /// Writes the hot part to disk, and merges until no tier of a window is full.
    pub(crate) fn compact(&self, shared: &Shared) -> Result<Compacted, IndexError> {
        self.seal_all(shared)?;
        let mut done = Compacted { merges: 0, segments_before: shared.snapshot().known.len(), segments_after: 0 };
        // Each merge removes at least one segment, so this ends.
        while self.merge_one(shared)? {
            done.merges += 1;
        }
        done.segments_after = shared.snapshot().known.len();
        Ok(done)
    }

    /// Does the merge that is due, if one is.
    pub(crate) fn merge_one(&self, shared: &Shared) -> Result<bool, IndexError> {
        let _alone = self.merging();
        let window_us = shared.options.retention.max_age.map(|age| age.as_micros() as i64 / RETENTION_WINDOWS);
        let snapshot = shared.snapshot();
        let verified = || snapshot.sealed().filter(|segment| segment.is_verified());
        let Some(parts) = due(verified(), window_us).or_else(|| without_engine(verified(), &shared.options)) else {
            return Ok(false);
        };
        drop(snapshot);
        let refs: Vec<&Segment> = parts.iter().map(Arc::as_ref).collect();
        let names: Vec<String> = parts.iter().map(|part| part.name().to_owned()).collect();
        let building = self.next_building(shared, names.clone());
        let name = building.name.clone();
        let known = open(shared, merge(building, &refs)?)?;

        let mut catalog = self.catalog();
        if !names.iter().all(|name| catalog.segments.iter().any(|listed| listed.name == *name)) {
            tracing::info!(segment = name, "a merge was thrown away: a segment of it was dropped meanwhile");
            remove_folders(&shared.dir, [name.as_str()]);
            return Ok(true);
        }
        self.write_catalog(shared, &mut catalog, |manifest| {
            manifest.strike(&names);
            manifest.add(known.segment().manifest());
        })?;
        shared.update(|snapshot| {
            snapshot.remove(&parts);
            snapshot.add(known);
        });
        drop(catalog);
        shared.retire(parts);
        shared.counters.merges.add(1);
        remove_folders(&shared.dir, names.iter().map(String::as_str));
        Ok(true)
    }
}

/// The oldest segment that is large enough for an engine and was written without one, or with one of an earlier layout: written again by itself, it gets it.
fn without_engine<'a>(
    mut segments: impl Iterator<Item = &'a Arc<Segment>>,
    options: &Options,
) -> Option<Vec<Arc<Segment>>> {
    // What is asked is the engine that answers, which is not the one in the manifest where that one's file is of an earlier layout.
    let is_plain = |segment: &&Arc<Segment>| {
        segment.rows() as usize >= options.engine_from && segment.engine().name() == EngineKind::Flat.to_string()
    };
    (options.engine != EngineKind::Flat).then(|| segments.find(is_plain).map(|segment| vec![Arc::clone(segment)]))?
}

/// The tier of a segment: each holds segments up to [`MERGE_FACTOR`] times as large as the one below.
fn tier(events: u64) -> u32 {
    events.div_ceil(TIER_EVENTS).max(1).next_power_of_two().ilog2().div_ceil(MERGE_FACTOR.ilog2())
}

/// The smallest tier of a window that is full, oldest segments first, if its merge is not too large.
fn due<'a>(segments: impl Iterator<Item = &'a Arc<Segment>>, window_us: Option<i64>) -> Option<Vec<Arc<Segment>>> {
    let place = |segment: &Segment| {
        let window = window_us.map_or(0, |width| segment.manifest().last_start_us.div_euclid(width.max(1)));
        (tier(u64::from(segment.rows())), window)
    };
    let mut by_age: Vec<&Arc<Segment>> = segments.collect();
    by_age.sort_by_key(|segment| (place(segment), segment.manifest().first_seq));
    by_age
        .chunk_by(|a, b| place(a) == place(b))
        .filter(|tier| tier.len() >= MERGE_FACTOR)
        .map(|tier| tier[..MERGE_FACTOR].iter().copied().cloned().collect::<Vec<_>>())
        .find(|parts| parts.iter().map(|part| part.rows() as usize).sum::<usize>() <= SEGMENT_EVENTS_MAX)
}

const _: () = assert!(MERGE_FACTOR.is_power_of_two());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_grow_by_the_merge_factor() {
        assert_eq!([1, 512, 513, 4096, 4097, 32_768, 32_769].map(tier), [0, 0, 1, 1, 2, 2, 3]);
    }
}
