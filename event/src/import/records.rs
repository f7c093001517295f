//! The part every importer shares: frames in, events or rejections out.

use crate::check::check;
use crate::jsonl::clear;
use crate::source::{EventSource, Item, Progress, Rejection, SourceError};
use crate::{Event, ParseError};

use crate::chunk::{Chunk, ChunkSource};

use super::input::{Input, Meter, Reader};
use super::lines::{Frame, Framing};

/// Makes an event of one frame.
pub(crate) trait Decode: Send {
    /// Fills `event`, which is empty, from the bytes of a frame.
    fn decode(&mut self, bytes: &[u8], event: &mut Event) -> Result<Decoded, ParseError>;

    /// Whether a frame is a JSON line of ours, which means the same wherever it stands: then frames may be decoded by
    /// [`crate::chunk::Decoder`] on any thread.
    fn stands_alone(&self) -> bool {
        false
    }

    /// As [`EventSource::counters`].
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// An event.
    Event,
    /// Something that belongs to the format but is no flow: a header, a comment, a record of another kind.
    Nothing,
}

/// An [`EventSource`] over any framing and any decoder.
pub(crate) struct Records<F, D> {
    name: String,
    reader: Reader,
    meter: Meter,
    framing: F,
    decoder: D,
    frame: Frame,
}

impl<F: Framing, D: Decode> Records<F, D> {
    pub(crate) fn new(input: Input, framing: F, decoder: D) -> Self {
        let (name, meter) = (input.name().to_owned(), input.meter());
        Self { name, meter, reader: input.into_reader(), framing, decoder, frame: Frame::default() }
    }

    fn reject(&self, reason: String) -> Item {
        let Frame { line, bytes, .. } = &self.frame;
        Item::Rejected(Box::new(Rejection { source: self.name.clone(), line: *line, reason, bytes: bytes.clone() }))
    }
}

impl<F: Framing, D: Decode> EventSource for Records<F, D> {
    fn read(&mut self, event: &mut Event) -> Result<Item, SourceError> {
        loop {
            let more = self.framing.next(&mut self.reader, &mut self.frame);
            if !more.map_err(|error| self.meter.error(&self.name, error))? {
                return Ok(Item::End);
            }
            if let Some(reason) = self.frame.broken {
                return Ok(self.reject(reason.to_owned()));
            }
            clear(event);
            match self.decoder.decode(&self.frame.bytes, event) {
                Ok(Decoded::Nothing) => {}
                Ok(Decoded::Event) => {
                    return Ok(match check(event) {
                        Ok(()) => Item::Event,
                        Err(error) => self.reject(error.to_string()),
                    });
                }
                Err(error) => return Ok(self.reject(error.to_string())),
            }
        }
    }

    fn progress(&self) -> Progress {
        self.meter.progress()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.decoder.counters()
    }

    fn chunks(&mut self) -> Option<&mut dyn ChunkSource> {
        if self.framing.lines().is_some() && self.decoder.stands_alone() { Some(self) } else { None }
    }
}

impl<F: Framing, D: Decode> ChunkSource for Records<F, D> {
    fn fill(&mut self, chunk: &mut Chunk, records_max: usize, bytes_max: usize) -> Result<bool, SourceError> {
        let Some(lines) = self.framing.lines() else { return Ok(false) };
        while chunk.len() < records_max && chunk.bytes() < bytes_max {
            let reader = &mut self.reader;
            let more = chunk.push_with(&self.name, |bytes| lines.append(reader, bytes));
            if !more.map_err(|error| self.meter.error(&self.name, error))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
