//! The segments a search looks at: they stay the same while it runs, whatever is added or merged meanwhile.

use std::sync::Arc;

use forebay_event::EventId;

use crate::known::Known;
use crate::segment::Segment;

/// The live segments at one moment.
#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    /// Those on disk and the slices in memory, in no particular order.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// The identifiers of those on disk.
    pub(crate) known: Vec<Arc<Known>>,
    /// Number of the first event that is not in it.
    pub(crate) end_seq: u64,
}

impl Snapshot {
    /// The segments.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Segment> + Clone {
        self.segments.iter().map(Arc::as_ref)
    }

    /// Those on disk.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = &Arc<Segment>> + Clone {
        self.known.iter().map(|known| known.segment())
    }

    /// Where an event is.
    pub(crate) fn find(&self, id: EventId) -> Option<(&Segment, u32)> {
        self.iter().find_map(|segment| segment.find(id).map(|row| (segment, row)))
    }

    /// Adds a segment on disk.
    pub(crate) fn add(&mut self, known: Arc<Known>) {
        self.segments.push(Arc::clone(known.segment()));
        self.known.push(known);
    }

    /// Takes segments or slices out.
    pub(crate) fn remove(&mut self, gone: &[Arc<Segment>]) {
        let stays = |segment: &Arc<Segment>| !gone.iter().any(|gone| Arc::ptr_eq(gone, segment));
        self.segments.retain(stays);
        self.known.retain(|known| stays(known.segment()));
    }
}
