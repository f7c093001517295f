//! Deleting by age: whole segments, the oldest first.
//!
//! A segment goes when its newest event is older than asked for; what is older and shares a segment with something newer
//! stays, and is counted. So nothing is rewritten and no search waits. The hot part is never touched: what it holds is
//! minutes old by the clock of the index. Times are those of the events ([`forebay_event::Event::start_us`]): an event from
//! a clock that runs ahead keeps its segment for as long.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::IndexError;
use crate::segment::Segment;
use crate::shared::Shared;
use crate::writer::{Writer, remove_folders};

/// What an index keeps. Nothing is dropped unless one of these is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Drop what started longer ago than this.
    pub max_age: Option<Duration>,
    /// Drop the oldest while there are more events than this.
    pub max_events: Option<u64>,
    /// Drop the oldest while the segments are larger than this.
    pub max_bytes: Option<u64>,
}

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Segments.
    pub segments: usize,
    /// Their events.
    pub events: u64,
    /// Their bytes on disk.
    pub bytes: u64,
}

impl Writer {
    /// Drops what the options say should not be kept, by the system's clock.
    pub(crate) fn retain(&self, shared: &Shared) -> Result<Dropped, IndexError> {
        self.apply(shared, &shared.options.retention, unix_us())
    }

    /// Drops what `retention` says should not be kept where it is `now_us`.
    pub(crate) fn apply(&self, shared: &Shared, retention: &Retention, now_us: i64) -> Result<Dropped, IndexError> {
        if *retention == Retention::default() {
            return Ok(Dropped::default());
        }
        let oldest_us = retention
            .max_age
            .map_or(i64::MIN, |age| now_us.saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX)));
        self.drop_oldest(shared, |segments| due(segments, retention, oldest_us))
    }

    /// Drops every segment whose events all started before `before_us`.
    pub(crate) fn delete_before(&self, shared: &Shared, before_us: i64) -> Result<Dropped, IndexError> {
        self.drop_oldest(shared, |segments| segments.iter().filter(|s| s.manifest().last_start_us < before_us).count())
    }

    /// Drops as many of the segments, oldest first, as `count` says.
    fn drop_oldest(
        &self,
        shared: &Shared,
        count: impl FnOnce(&[Arc<Segment>]) -> usize,
    ) -> Result<Dropped, IndexError> {
        let mut catalog = self.catalog();
        let mut gone: Vec<Arc<Segment>> = shared.snapshot().sealed().cloned().collect();
        gone.sort_by_key(|segment| segment.manifest().last_start_us);
        gone.truncate(count(&gone));
        if gone.is_empty() {
            return Ok(Dropped::default());
        }
        let names: Vec<String> = gone.iter().map(|segment| segment.name().to_owned()).collect();
        self.write_catalog(shared, &mut catalog, |manifest| manifest.strike(&names))?;
        shared.update(|snapshot| snapshot.remove(&gone));
        drop(catalog);
        let dropped = Dropped {
            segments: gone.len(),
            events: gone.iter().map(|segment| u64::from(segment.rows())).sum(),
            bytes: gone.iter().map(|segment| segment.manifest().bytes()).sum(),
        };
        shared.retire(gone);
        shared.counters.events_dropped.add(dropped.events);
        shared.counters.segments_dropped.add(dropped.segments as u64);
        tracing::info!(segments = dropped.segments, events = dropped.events, bytes = dropped.bytes, "dropped by age");
        remove_folders(&shared.dir, names.iter().map(String::as_str));
        Ok(dropped)
    }
}

/// How many of `segments`, which are in the order of their last events, have to go.
fn due(segments: &[Arc<Segment>], retention: &Retention, oldest_us: i64) -> usize {
    let mut events: u64 = segments.iter().map(|segment| u64::from(segment.rows())).sum();
    let mut bytes: u64 = segments.iter().map(|segment| segment.manifest().bytes()).sum();
    let too_much = |held: u64, most: Option<u64>| most.is_some_and(|most| held > most);
    for (count, segment) in segments.iter().enumerate() {
        let is_old = segment.manifest().last_start_us < oldest_us;
        if !is_old && !too_much(events, retention.max_events) && !too_much(bytes, retention.max_bytes) {
            return count;
        }
        events -= u64::from(segment.rows());
        bytes -= segment.manifest().bytes();
    }
    segments.len()
}

fn unix_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
