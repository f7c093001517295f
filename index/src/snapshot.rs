//! The segments a search looks at: they stay the same while it runs, whatever is added or merged meanwhile.

use std::sync::Arc;

use forebay_event::EventId;

use crate::segment::Segment;

/// The live segments at one moment.
#[derive(Default)]
pub(crate) struct Snapshot {
    /// In no particular order.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Number of the first event that is not in it.
    pub(crate) end_seq: u64,
}

impl Snapshot {
    /// The segments.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Segment> + Clone {
        self.segments.iter().map(Arc::as_ref)
    }

    /// Where an event is.
    pub(crate) fn find(&self, id: EventId) -> Option<(&Segment, u32)> {
        self.iter().find_map(|segment| segment.find(id).map(|row| (segment, row)))
    }
}
