//! Lines cut from a source but not yet decoded, so that one thread reads and many decode.
//!
//! **Promise.** The records of a chunk, decoded in order by a [`Decoder`], are the items that
//! [`EventSource::read`](crate::source::EventSource::read) would have given: the same events, the same rejections with
//! the same sources, line numbers, reasons and bytes. Only formats whose lines mean the same wherever they stand can be cut so
//! ([`EventSource::chunks`](crate::source::EventSource::chunks)).
//!
//! **Layout.** The bytes of all lines one after another, without line ends; for each its end and its line number. A chunk may
//! hold lines of several sources.

use crate::Event;
use crate::import::Line;
use crate::jsonl::Parser;
use crate::source::{Item, Rejection, SourceError};

/// A source that can be cut into lines apart from decoding them.
pub trait ChunkSource {
    /// Appends records to `chunk` until it holds `records_max` of them or `bytes_max` bytes, or the source ends; true while
    /// there may be more. Gives the records appended as well, also before an error.
    ///
    /// An `Err` is the end of this source, as in [`EventSource::read`](crate::source::EventSource::read).
    fn fill(&mut self, chunk: &mut Chunk, records_max: usize, bytes_max: usize) -> Result<bool, SourceError>;
}

/// Lines that have not been decoded.
#[derive(Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    records: Vec<Record>,
    /// Names of the sources, and the first record of each.
    sources: Vec<(usize, String)>,
}

struct Record {
    end: usize,
    line: u64,
    /// Why it cannot be an event, if that is plain already.
    broken: Option<&'static str>,
}

impl Chunk {
    /// Records in it.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes of its records.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Drops all records and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
        self.sources.clear();
    }

    /// Appends the record of the source called `name` that `append` puts at the end of the bytes it is given; false, and
    /// nothing appended, where there is none.
    pub(crate) fn push_with<E>(
        &mut self,
        name: &str,
        append: impl FnOnce(&mut Vec<u8>) -> Result<Option<Line>, E>,
    ) -> Result<bool, E> {
        let begin = self.bytes.len();
        let appended = append(&mut self.bytes);
        let Ok(Some(Line { line, broken })) = appended else {
            self.bytes.truncate(begin);
            return appended.map(|_| false);
        };
        if self.sources.last().is_none_or(|(_, last)| last != name) {
            self.sources.push((self.records.len(), name.to_owned()));
        }
        self.records.push(Record { end: self.bytes.len(), line, broken });
        Ok(true)
    }

    fn bytes_of(&self, place: usize) -> &[u8] {
        let begin = place.checked_sub(1).map_or(0, |before| self.records[before].end);
        &self.bytes[begin..self.records[place].end]
    }

    fn reject(&self, place: usize, reason: String) -> Item {
        let source = self.sources.iter().rev().find(|(first, _)| *first <= place);
        let source = source.map(|(_, name)| name.clone()).unwrap_or_default();
        let (line, bytes) = (self.records[place].line, self.bytes_of(place).to_vec());
        Item::Rejected(Box::new(Rejection { source, line, reason, bytes }))
    }
}

/// Decodes records of chunks; keeps its buffers from one to the next.
#[derive(Default)]
pub struct Decoder {
    parser: Parser,
}

impl Decoder {
    /// Decodes the record of `chunk` at `place` into `event`; the end where there is no such record.
    pub fn read(&mut self, chunk: &Chunk, place: usize, event: &mut Event) -> Item {
        let Some(record) = chunk.records.get(place) else { return Item::End };
        if let Some(reason) = record.broken {
            return chunk.reject(place, reason.to_owned());
        }
        match self.parser.parse(chunk.bytes_of(place), event) {
            Ok(()) => Item::Event,
            Err(error) => chunk.reject(place, error.to_string()),
        }
    }

    /// What was left out since the last call, by reason, as in
    /// [`EventSource::counters`](crate::source::EventSource::counters).
    pub fn take_counters(&mut self) -> Vec<(&'static str, u64)> {
        vec![("unknown_members", self.parser.take_unknown_members())]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{EventId, import, jsonl};

    /// Good lines, bad ones, blank ones, one too long and one that the schema knows only in part.
    fn text() -> Vec<u8> {
        let mut text = Vec::new();
        for number in 0..200u64 {
            let event = Event { event_id: EventId::derive(0, &[&number.to_le_bytes()]), ..Event::default() };
            jsonl::write(&event, &mut text);
            match number % 7 {
                0 => text.extend_from_slice(b"\r\n\n{\"broken\": 1}\n"),
                1 => text.extend_from_slice(b"\nnonsense\n"),
                2 => text.extend_from_slice(b"\n \n"),
                3 => {
                    text.truncate(text.len() - 1);
                    text.extend_from_slice(b",\"later\":1}\n");
                }
                _ => text.push(b'\n'),
            }
        }
        text.extend_from_slice(&vec![b'x'; crate::limits::LINE_BYTES_MAX + 9]);
        text
    }

    fn open() -> Box<dyn crate::source::EventSource> {
        import::open_reader("log", Box::new(Cursor::new(text())), None).unwrap()
    }

    #[test]
    fn chunks_hold_what_reading_gives() {
        let (mut whole, mut event) = (open(), Event::default());
        let mut wanted = Vec::new();
        loop {
            match whole.read(&mut event).unwrap() {
                Item::End => break,
                Item::Event => wanted.push((Item::Event, Some(event.event_id))),
                rejected @ Item::Rejected(_) => wanted.push((rejected, None)),
            }
        }
        for records_max in [1, 7, 1000] {
            let (mut source, mut decoder, mut chunk) = (open(), Decoder::default(), Chunk::default());
            let (mut found, mut unknown) = (Vec::new(), 0);
            loop {
                chunk.clear();
                let more = source.chunks().unwrap().fill(&mut chunk, records_max, usize::MAX).unwrap();
                assert!(chunk.len() <= records_max);
                for place in 0..chunk.len() {
                    let item = decoder.read(&chunk, place, &mut event);
                    let id = (item == Item::Event).then_some(event.event_id);
                    found.push((item, id));
                }
                unknown += decoder.take_counters()[0].1;
                if !more {
                    break;
                }
            }
            assert_eq!(found, wanted);
            assert_eq!(vec![("unknown_members", unknown)], whole.counters());
        }
        assert!(wanted.iter().filter(|(item, _)| *item != Item::Event).count() > 50);
    }

    #[test]
    fn a_chunk_ends_at_its_bytes() {
        let (mut source, mut chunk) = (open(), Chunk::default());
        assert!(source.chunks().unwrap().fill(&mut chunk, 1000, 10_000).unwrap());
        assert!(chunk.bytes() >= 10_000 && chunk.bytes() < 15_000 && chunk.len() < 20, "{}", chunk.len());
    }
}
