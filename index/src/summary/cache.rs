//! What was counted over all rows of a segment, kept for the next question that everything in it matches.
//!
//! A segment never changes, so neither do these. A question without a filter is the commonest of all, and without this it
//! would pass over every row of the index. Room: 4 bytes for each address of the segment and end, at most 260 kB for ports,
//! and nothing before the first such question.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::counts::Counts;
use super::timeline::Bins;
use crate::bitmap::Bitmap;
use crate::segment::Columns;

/// Counts over all rows of a segment.
#[derive(Default)]
pub(crate) struct Cache {
    counts: OnceLock<Arc<Counts>>,
    /// With the width that was asked for last: it changes when the range of the whole index outgrows it.
    bins: Mutex<Option<Arc<Bins>>>,
}

impl Cache {
    /// The counts over `rows`.
    pub(super) fn counts(&self, columns: &Columns, rows: &Bitmap) -> Arc<Counts> {
        let count = || Arc::new(Counts::of(columns, rows));
        if rows.is_all() { Arc::clone(self.counts.get_or_init(count)) } else { count() }
    }

    /// The starts of all rows in bins of `width` microseconds.
    pub(super) fn bins(&self, columns: &Columns, width: i128) -> Arc<Bins> {
        let held = || self.bins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bins) = held().as_ref().filter(|bins| bins.width == width) {
            return Arc::clone(bins);
        }
        // Counted without the lock: two who ask at once both count, and neither waits.
        let bins = Arc::new(Bins::of(columns.start(), width));
        *held() = Some(Arc::clone(&bins));
        bins
    }
}
