//! Segments in memory: events that a log has made durable and that are not in a segment on the disk yet.
//!
//! They are searched by the same code as those on the disk, always by an exact scan, so they are meant to stay small.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forebay_event::Event;

use super::columns::{Fields, Gathered};
use super::events::EventFile;
use super::ids::IdFile;
use super::manifest::SEGMENT_FORMAT;
use super::profile::Profile;
use super::rendered::Rendered;
use super::text_index::TextIndex;
use super::{Columns, Segment, SegmentManifest, VectorFile};
use crate::engine::{self, EngineKind};
use crate::summary::Cache;
use crate::{IndexError, Options};

impl Segment {
    /// A segment of `events`, numbered from `first_seq`, in memory. `vectors` holds one row of the dimension for each.
    pub(crate) fn in_memory(
        name: &str,
        events: &[Event],
        vectors: &[f32],
        first_seq: u64,
        options: &Options,
    ) -> Result<Self, IndexError> {
        let held =
            EventFile::hold(events).map_err(|(row, reason)| IndexError::Event { id: events[row].event_id, reason })?;
        let ids: Vec<u128> = events.iter().map(|event| event.event_id.0.as_u128()).collect();
        let columns = Columns::joined(&[&Gathered::of(events, first_seq)])?;
        let vectors = VectorFile::hold(options.dimension, events.len(), &[vectors])?;
        Self::held(name, TextIndex::Hot(Rendered::of(events)), columns, held, &ids, vectors, options)
    }

    /// The rows of `parts`, which are all in memory, one part after the other, in memory.
    pub(crate) fn joined(name: &str, parts: &[&Self], options: &Options) -> Result<Self, IndexError> {
        let texts: Vec<&Rendered> = parts.iter().filter_map(|part| part.text.hot()).collect();
        if texts.len() != parts.len() {
            return Err(IndexError::Options("only segments in memory are joined in memory".to_owned()));
        }
        let fields: Vec<&dyn Fields> = parts.iter().map(|part| &part.columns as &dyn Fields).collect();
        let events: Vec<&EventFile> = parts.iter().map(|part| &part.events).collect();
        let ids: Vec<u128> = parts.iter().flat_map(|part| (0..part.rows()).map(|row| part.id(row))).collect();
        let numbers: Vec<&[f32]> = parts.iter().map(|part| part.vectors.numbers()).collect();
        let vectors = VectorFile::hold(options.dimension, ids.len(), &numbers)?;
        let text = TextIndex::Hot(Rendered::joined(&texts));
        Self::held(name, text, Columns::joined(&fields)?, EventFile::joined(&events)?, &ids, vectors, options)
    }

    /// Whether it is in memory only.
    pub(crate) fn is_hot(&self) -> bool {
        self.text.hot().is_some()
    }

    fn held(
        name: &str,
        text: TextIndex,
        columns: Columns,
        events: EventFile,
        ids: &[u128],
        vectors: VectorFile,
        options: &Options,
    ) -> Result<Self, IndexError> {
        let least = |values: &[i64]| values.iter().copied().min().unwrap_or_default();
        let manifest = SegmentManifest {
            format: SEGMENT_FORMAT,
            name: name.to_owned(),
            space: options.model_space.clone(),
            dimension: options.dimension,
            events: columns.rows() as u32,
            first_seq: columns.seq().iter().copied().min().unwrap_or_default(),
            last_seq: columns.seq().iter().copied().max().unwrap_or_default(),
            first_start_us: least(columns.start()),
            last_start_us: columns.start().iter().copied().max().unwrap_or_default(),
            text_tokens: 0,
            engine: EngineKind::Flat.to_string(),
            replaces: Vec::new(),
            files: Vec::new(),
        };
        let vectors = Arc::new(vectors);
        let engine = engine::flat(Arc::clone(&vectors));
        let ids = IdFile::hold(ids)?;
        let (profile, summary, verified) = (Profile::default(), Cache::default(), AtomicBool::new(true));
        Self { manifest, text, columns, events, ids, vectors, engine, profile, summary, verified }.checked()
    }
}

#[cfg(test)]
mod tests {
    use forebay_event::{EventId, Verdict};

    use super::super::{Building, SEGMENTS_DIR, merge};
    use super::*;

    const DIMENSION: usize = 4;

    fn events(from: u128, count: u128) -> Vec<Event> {
        let event = |n: u128| {
            let mut event =
                Event { event_id: EventId(uuid::Uuid::from_u128(n)), start_us: n as i64, ..Event::default() };
            event.flow.dst_port = (n % 900) as u16;
            event.flow.protocol = if n.is_multiple_of(3) { 6 } else { 17 };
            event.app.host = n.is_multiple_of(2).then(|| format!("Host{n}.example"));
            event.class.verdict = n.is_multiple_of(5).then_some(Verdict::Malicious);
            event.features.0[0] = n as f64 / 3.0;
            event
        };
        (from..from + count).map(event).collect()
    }

    #[test]
    fn a_segment_says_the_same_in_memory_joined_and_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        for folder in [SEGMENTS_DIR, super::super::BUILDING_DIR] {
            fs_err::create_dir(dir.path().join(folder)).unwrap();
        }
        let options = Options::new(DIMENSION, "test");
        let all = events(1, 150);
        let part = |events: &[Event], first_seq| {
            let vectors: Vec<f32> =
                events.iter().flat_map(|event| [event.start_us as f32 / 1e3, 0.0, 0.0, 0.1]).collect();
            Segment::in_memory("hot", events, &vectors, first_seq, &options).unwrap()
        };
        let (whole, parts) = (part(&all, 7), [part(&all[..40], 7), part(&all[40..], 47)]);
        let joined = Segment::joined("joined", &[&parts[0], &parts[1]], &options).unwrap();
        let building = Building {
            index_dir: dir.path(),
            options: &options,
            name: "segment-1".to_owned(),
            replaces: Vec::new(),
            with_engine: true,
        };
        let manifest = merge(building, &[&parts[0], &parts[1]]).unwrap();
        let sealed = Segment::open(dir.path(), manifest).unwrap();
        assert!(joined.is_hot() && !sealed.is_hot());
        for other in [&joined, &sealed] {
            assert_eq!(other.text_tokens().unwrap(), whole.text_tokens().unwrap());
            for word in ["tcp", "udp", "malicious", "host42", "example", "unicorn"] {
                let postings = |segment: &Segment| -> Vec<(u32, u32)> {
                    segment.text().postings(word).unwrap().into_iter().flatten().collect()
                };
                assert_eq!(postings(other), postings(&whole), "{word}");
                assert_eq!(other.text().rows_with(word).unwrap(), whole.text().rows_with(word).unwrap());
            }
            for row in 0..whole.rows() {
                let lengths = [other, &whole].map(|segment| segment.text().lengths().unwrap()(row));
                assert_eq!(lengths[0], lengths[1]);
                let json = |segment: &Segment| serde_json::to_string(&segment.event(row).unwrap()).unwrap();
                assert_eq!(json(other), json(&whole));
                assert_eq!(json(other), serde_json::to_string(&all[row as usize]).unwrap());
                assert_eq!(other.find(all[row as usize].event_id), Some(row));
                assert_eq!(other.columns().seq()[row as usize], 7 + u64::from(row));
            }
            assert_eq!(other.vectors().numbers(), whole.vectors().numbers());
            let ranges = |segment: &Segment| {
                let m = segment.manifest();
                (m.events, m.first_seq, m.last_seq, m.first_start_us, m.last_start_us)
            };
            assert_eq!(ranges(other), ranges(&whole));
        }
    }
}
