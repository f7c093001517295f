//! The one writer of an index: appends and merges.

use std::collections::HashSet;
use std::sync::Arc;

use forebay_event::limits::{HOST_BYTES_MAX, ORIGIN_BYTES_MAX, WORD_BYTES_MAX};
use forebay_event::{Event, EventId};
use fs_err as fs;

use crate::limits::{INLINE_MERGE_EVENTS_MAX, MERGE_FACTOR, SEGMENT_EVENTS_MAX, SEGMENTS_MAX, TIER_EVENTS};
use crate::manifest::{IndexManifest, Listed, segment_name};
use crate::segment::{Building, SEGMENTS_DIR, Segment, SegmentManifest, canonical, merge};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::{Appended, Compacted, IndexError};

/// Longest vector that is taken, a little over 1 for the rounding of its numbers. Zeros are taken: near to nothing.
const LENGTH_MAX: f32 = 1.01;

/// What only the writer knows.
pub(crate) struct Writer {
    manifest: IndexManifest,
    /// Why nothing more is taken.
    poisoned: Option<String>,
}

impl Writer {
    pub(crate) fn new(manifest: IndexManifest) -> Self {
        Self { manifest, poisoned: None }
    }

    /// Stores what is new of `events`.
    pub(crate) fn append(
        &mut self,
        shared: &Shared,
        events: &[Event],
        vectors: &[f32],
    ) -> Result<Appended, IndexError> {
        self.check_healthy()?;
        check_batch(events, vectors, shared.options.dimension)?;
        let snapshot = shared.snapshot();
        let mut seen: HashSet<EventId> = HashSet::with_capacity(events.len());
        let fresh: Vec<usize> = (0..events.len())
            .filter(|i| seen.insert(events[*i].event_id) && snapshot.find(events[*i].event_id).is_none())
            .collect();
        let appended = Appended { added: fresh.len(), duplicates: events.len() - fresh.len() };
        if fresh.is_empty() {
            return Ok(appended);
        }
        if snapshot.segments.len() >= SEGMENTS_MAX {
            return Err(IndexError::TooManySegments(snapshot.segments.len()));
        }
        let dimension = shared.options.dimension;
        let kept: Vec<Event> = fresh.iter().map(|i| canonical(&events[*i])).collect();
        let numbers: Vec<f32> =
            fresh.iter().flat_map(|i| &vectors[i * dimension..(i + 1) * dimension]).copied().collect();
        let first_seq = self.manifest.next_seq;
        let building = self.next_building(shared, Vec::new());
        let segment = self.guard(building.write(&kept, &numbers, first_seq))?;
        self.manifest.next_seq = first_seq + kept.len() as u64;
        self.publish(shared, segment, &[])?;
        Ok(appended)
    }

    /// Merges until no tier holds [`MERGE_FACTOR`] segments; merges of more than `events_max` events are left for later.
    pub(crate) fn compact(&mut self, shared: &Shared, events_max: u64) -> Result<Compacted, IndexError> {
        self.check_healthy()?;
        let mut done = Compacted { merges: 0, segments_before: shared.snapshot().segments.len(), segments_after: 0 };
        // Each merge removes at least one segment, so this ends.
        while let Some(parts) = due(&shared.snapshot().segments, events_max) {
            let parts_ref: Vec<&Segment> = parts.iter().map(Arc::as_ref).collect();
            let names: Vec<String> = parts.iter().map(|part| part.name().to_owned()).collect();
            let building = self.next_building(shared, names.clone());
            let merged = self.guard(merge(building, &parts_ref))?;
            self.publish(shared, merged, &names)?;
            done.merges += 1;
        }
        done.segments_after = shared.snapshot().segments.len();
        Ok(done)
    }

    /// Merges of a size that an append may wait for.
    pub(crate) fn compact_inline(&mut self, shared: &Shared) -> Result<Compacted, IndexError> {
        self.compact(shared, INLINE_MERGE_EVENTS_MAX)
    }

    fn next_building<'a>(&mut self, shared: &'a Shared, replaces: Vec<String>) -> Building<'a> {
        let name = segment_name(self.manifest.next_segment);
        // Counted even if the write fails: a name is never used twice.
        self.manifest.next_segment += 1;
        Building { index_dir: &shared.dir, options: &shared.options, name, replaces }
    }

    /// Lists `segment` instead of those it replaces, first on the disk, then for searches.
    fn publish(&mut self, shared: &Shared, segment: SegmentManifest, replaced: &[String]) -> Result<(), IndexError> {
        let name = segment.name.clone();
        let events = u64::from(segment.events);
        let opened = Arc::new(Segment::open(&shared.dir, segment)?);
        let mut manifest = self.manifest.clone();
        manifest.segments.retain(|listed| !replaced.contains(&listed.name));
        manifest.segments.push(Listed { name, events });
        self.guard(manifest.write(&shared.dir))?;
        self.manifest = manifest;

        let before = shared.snapshot();
        let mut segments: Vec<Arc<Segment>> =
            before.segments.iter().filter(|one| !replaced.iter().any(|name| name == one.name())).cloned().collect();
        segments.push(opened);
        shared.replace(Snapshot { segments, end_seq: self.manifest.next_seq });
        for name in replaced {
            // Searches still running keep their open files. What cannot be removed now is removed at the next opening.
            if let Err(error) = fs::remove_dir_all(shared.dir.join(SEGMENTS_DIR).join(name)) {
                tracing::warn!(segment = name, %error, "a merged segment could not be removed");
            }
        }
        Ok(())
    }

    fn check_healthy(&self) -> Result<(), IndexError> {
        match &self.poisoned {
            Some(reason) => Err(IndexError::Poisoned(reason.clone())),
            None => Ok(()),
        }
    }

    /// After a failed write or sync nobody knows what is on the disk (the kernel drops the pages it could not write), so
    /// nothing more is taken. A full disk is different: what was being written is thrown away, and there may be room later.
    fn guard<T>(&mut self, result: Result<T, IndexError>) -> Result<T, IndexError> {
        if let Err(IndexError::Io(error)) = &result
            && !matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
        {
            self.poisoned = Some(error.to_string());
        }
        result
    }
}

/// Refuses a batch that cannot be stored whole.
fn check_batch(events: &[Event], vectors: &[f32], dimension: usize) -> Result<(), IndexError> {
    if events.len() > SEGMENT_EVENTS_MAX {
        let reason = format!("{} events at once, the limit is {SEGMENT_EVENTS_MAX}", events.len());
        return Err(IndexError::Vectors(reason));
    }
    if vectors.len() != events.len() * dimension {
        let reason = format!("{} numbers for {} events of {dimension}", vectors.len(), events.len());
        return Err(IndexError::Vectors(reason));
    }
    for (event, vector) in events.iter().zip(vectors.chunks_exact(dimension)) {
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length.is_nan() || length > LENGTH_MAX {
            let reason = format!("that of event {} has the length {length}, not 1", event.event_id);
            return Err(IndexError::Vectors(reason));
        }
        check_event(event)?;
    }
    Ok(())
}

fn check_event(event: &Event) -> Result<(), IndexError> {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let texts = [
        ("node_id", event.node_id.len(), ORIGIN_BYTES_MAX),
        ("sensor", event.sensor.len(), ORIGIN_BYTES_MAX),
        ("interface", event.interface.len(), ORIGIN_BYTES_MAX),
        ("app.protocol", optional(&event.app.protocol), WORD_BYTES_MAX),
        ("app.host", optional(&event.app.host), HOST_BYTES_MAX),
        ("class.family", optional(&event.class.family), WORD_BYTES_MAX),
        ("class.technique", optional(&event.class.technique), WORD_BYTES_MAX),
        ("label.truth", optional(&event.label.truth), WORD_BYTES_MAX),
    ];
    match texts.into_iter().find(|(_, bytes, most)| bytes > most) {
        None => Ok(()),
        Some((field, bytes, most)) => {
            Err(IndexError::Event { id: event.event_id, reason: format!("{field} has {bytes} bytes, at most {most}") })
        }
    }
}

/// The tier of a segment: each holds segments up to [`MERGE_FACTOR`] times as large as the one below.
fn tier(events: u64) -> u32 {
    events.div_ceil(TIER_EVENTS).max(1).next_power_of_two().ilog2().div_ceil(MERGE_FACTOR.ilog2())
}

/// The smallest tier that is full, oldest segments first, if its merge is not too large.
fn due(segments: &[Arc<Segment>], events_max: u64) -> Option<Vec<Arc<Segment>>> {
    let mut by_age: Vec<&Arc<Segment>> = segments.iter().collect();
    by_age.sort_by_key(|segment| (tier(u64::from(segment.rows())), segment.manifest().first_seq));
    by_age
        .chunk_by(|a, b| tier(u64::from(a.rows())) == tier(u64::from(b.rows())))
        .filter(|tier| tier.len() >= MERGE_FACTOR)
        .map(|tier| tier[..MERGE_FACTOR].iter().copied().cloned().collect::<Vec<_>>())
        .find(|parts| {
            let events: u64 = parts.iter().map(|part| u64::from(part.rows())).sum();
            events <= events_max.min(SEGMENT_EVENTS_MAX as u64)
        })
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
