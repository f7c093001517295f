//! Keeping the mapped files of an index from filling the memory of a machine that has other things to do.
//!
//! Segments are mapped, so what searches touch stays resident until the system needs the room. That is right for a machine of
//! its own, and a nuisance on a shared one. With `Options::resident_bytes_max` a background thread looks once a second at
//! how much of its mapped files the process holds, and above the bound gives pages back until [`SLACK`] below it: first
//! events and floats, of which a search reads a few rows, oldest segment first; then, if that is not enough, what searches
//! pass over. A search that needs a page again reads it from the disk: the bound trades time for room.
//!
//! **Limits.** Between two looks a search may touch more than the bound. Memory of the process's own (the hot part, buffers)
//! is not counted and not given back; words (tantivy) are counted and stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use fs_err as fs;

use crate::limits::WORKER_REST;
use crate::segment::Segment;
use crate::shared::Shared;

/// Share of the bound that is freed below it, so that the next search does not exceed it again: a sixteenth.
const SLACK: u64 = 16;

/// When the last look was.
#[derive(Default)]
pub(crate) struct LastLook {
    since_start_ms: AtomicU64,
}

/// Gives pages back if more than the bound is resident and the last look was a while ago.
pub(crate) fn keep_below_bound(shared: &Shared) {
    let Some(bound) = shared.options.resident_bytes_max else { return };
    if !shared.last_look.is_due(shared.opened) || mapped_resident() <= bound {
        return;
    }
    let enough = bound - bound / SLACK;
    let snapshot = shared.snapshot();
    let mut segments: Vec<&Arc<Segment>> = snapshot.sealed().collect();
    segments.sort_by_key(|segment| segment.manifest().last_start_us);
    let before = mapped_resident();
    for give_back in [Segment::page_out_rows, Segment::page_out_scanned] {
        for segment in &segments {
            give_back(segment);
            let resident = mapped_resident();
            if resident <= enough {
                shared.counters.bytes_paged_out.add(before.saturating_sub(resident));
                return;
            }
        }
    }
    shared.counters.bytes_paged_out.add(before.saturating_sub(mapped_resident()));
}

impl LastLook {
    fn is_due(&self, start: Instant) -> bool {
        let now = start.elapsed().as_millis() as u64;
        let due = now >= self.since_start_ms.load(Ordering::Relaxed) + WORKER_REST.as_millis() as u64;
        if due {
            self.since_start_ms.store(now, Ordering::Relaxed);
        }
        due
    }
}

/// Bytes of mapped files that are resident in this process: `RssFile` of proc(5); 0 where the system does not say.
fn mapped_resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssFile:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}
