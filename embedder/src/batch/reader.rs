//! Reads the inputs one after another into batches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use forebay_event::Event;
use forebay_event::chunk::Chunk;
use forebay_event::source::{EventSource, Item, SourceError};

use super::limits::{BATCH_LINE_BYTES_MAX, BATCH_REJECTED_BYTES_MAX, BATCH_REJECTED_MAX};
use super::manifest::Position;
use super::pipeline::Batch;
use super::{BatchError, Input};

/// Items read or skipped between two looks at the stop flag and the clock.
const ITEMS_PER_LOOK: u64 = 1024;

/// How reading ended.
pub(super) enum End {
    /// All inputs are read.
    Inputs,
    /// Somebody asked to stop; the batch begun was dropped.
    Stopped,
    /// An input failed; the batch begun was dropped.
    Failed(BatchError),
}

/// Reads on from a position.
pub(super) struct Reader<'i> {
    pub(super) inputs: &'i [Input],
    pub(super) position: Position,
    /// Most events, or lines, of a batch.
    pub(super) batch_events: usize,
    /// Go on with the next input when one is damaged.
    pub(super) keep_going: bool,
}

/// Why reading ends early.
enum Halt {
    Stopped,
    Failed(BatchError),
}

/// The reader at work.
struct Run<'r> {
    reader: Reader<'r>,
    free: &'r Receiver<Batch>,
    full: &'r Sender<Batch>,
    stop: &'r AtomicBool,
    batch: Batch,
    rejected_bytes: usize,
    number: u64,
    /// Of the inputs read to the end.
    bytes_before: u64,
    /// Of the input at hand, when it has been read.
    bytes_now: u64,
    waited: Duration,
}

impl Reader<'_> {
    /// Fills batches from `free` and sends them to `full`; gives how it ended and the time it took, waiting apart.
    pub(super) fn run(self, free: &Receiver<Batch>, full: &Sender<Batch>, stop: &AtomicBool) -> (End, Duration) {
        let began = Instant::now();
        let bytes_before = self.inputs[..self.position.input].iter().filter_map(|input| input.bytes).sum();
        let Ok(batch) = free.recv() else { return (End::Stopped, began.elapsed()) };
        let mut run = Run {
            reader: self,
            free,
            full,
            stop,
            batch,
            rejected_bytes: 0,
            number: 0,
            bytes_before,
            bytes_now: 0,
            waited: Duration::ZERO,
        };
        let end = match run.inputs() {
            Ok(()) => End::Inputs,
            Err(Halt::Stopped) => End::Stopped,
            Err(Halt::Failed(error)) => End::Failed(error),
        };
        (end, began.elapsed().saturating_sub(run.waited))
    }
}

impl Run<'_> {
    fn inputs(&mut self) -> Result<(), Halt> {
        while self.reader.position.input < self.reader.inputs.len() {
            let input = &self.reader.inputs[self.reader.position.input];
            self.bytes_now = 0;
            if let Err(error) = self.input(input)? {
                self.give_up(input, error)?;
            }
            self.bytes_before += input.bytes.unwrap_or(self.bytes_now);
            self.reader.position = Position { input: self.reader.position.input + 1, items: 0 };
        }
        // The last batch carries the end of the inputs even if it holds no event.
        self.send(self.bytes_before)
    }

    /// Reads one input; the inner error is the input's own.
    fn input(&mut self, input: &Input) -> Result<Result<(), SourceError>, Halt> {
        let mut source = match input.open() {
            Ok(source) => source,
            Err(error) => return Ok(Err(error)),
        };
        let read = if source.chunks().is_some() { self.cut(&mut *source)? } else { self.read(&mut *source)? };
        // What was left out before the damage was left out all the same.
        self.batch.counters.extend(source.counters());
        self.bytes_now = source.progress().bytes_read;
        Ok(read)
    }

    /// Goes over what is done and reads the rest.
    fn read(&mut self, source: &mut dyn EventSource) -> Result<Result<(), SourceError>, Halt> {
        if !self.batch.chunk.is_empty() {
            // Lines of a batch come after its events.
            self.send(self.bytes_before)?;
        }
        if let Err(error) = self.skip(source)? {
            return Ok(Err(error));
        }
        loop {
            match source.read(self.batch.next_memory()) {
                Ok(Item::Event) => self.batch.keep(),
                Ok(Item::Rejected(rejection)) => {
                    self.rejected_bytes += rejection.bytes.len();
                    self.batch.rejections.push(*rejection);
                }
                Ok(Item::End) => break,
                Err(error) => return Ok(Err(error)),
            }
            self.reader.position.items += 1;
            self.look(self.reader.position.items)?;
            if self.is_full() {
                self.send(self.bytes_before + source.progress().bytes_read)?;
            }
        }
        Ok(Ok(()))
    }

    /// As [`Run::read`], of a source whose lines are decoded by the workers.
    fn cut(&mut self, source: &mut dyn EventSource) -> Result<Result<(), SourceError>, Halt> {
        if let Err(error) = self.skip_lines(source)? {
            return Ok(Err(error));
        }
        loop {
            let before = self.batch.chunk.len();
            let room = self.reader.batch_events.saturating_sub(self.batch.events().len() + before);
            let records_max = before + room.min(ITEMS_PER_LOOK as usize);
            let filled = fill(source, &mut self.batch.chunk, records_max);
            self.reader.position.items += (self.batch.chunk.len() - before) as u64;
            let more = match filled {
                Ok(more) => more,
                Err(error) => return Ok(Err(error)),
            };
            self.look(0)?;
            if self.is_full() {
                self.send(self.bytes_before + source.progress().bytes_read)?;
            }
            if !more {
                return Ok(Ok(()));
            }
        }
    }

    /// Reads again, and drops, what a run before has committed.
    fn skip(&mut self, source: &mut dyn EventSource) -> Result<Result<(), SourceError>, Halt> {
        let mut dropped = Event::default();
        for item in 0..self.reader.position.items {
            self.look(item)?;
            match source.read(&mut dropped) {
                Ok(Item::End) => return Err(self.too_short(item)),
                Ok(_) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    /// As [`Run::skip`], without decoding.
    fn skip_lines(&mut self, source: &mut dyn EventSource) -> Result<Result<(), SourceError>, Halt> {
        let (mut dropped, mut left) = (Chunk::default(), self.reader.position.items);
        while left > 0 {
            self.look(0)?;
            dropped.clear();
            let filled = fill(source, &mut dropped, left.min(ITEMS_PER_LOOK) as usize);
            left -= dropped.len() as u64;
            match filled {
                Ok(false) if left > 0 => return Err(self.too_short(self.reader.position.items - left)),
                Ok(_) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    fn too_short(&self, items: u64) -> Halt {
        let before = self.reader.position.items;
        let reason = format!("the input ended after {items} items, but {before} were read before");
        Halt::Failed(BatchError::Inputs(reason))
    }

    fn look(&self, item: u64) -> Result<(), Halt> {
        if item.is_multiple_of(ITEMS_PER_LOOK) && self.stop.load(Ordering::Relaxed) {
            return Err(Halt::Stopped);
        }
        Ok(())
    }

    fn give_up(&mut self, input: &Input, error: SourceError) -> Result<(), Halt> {
        // An input that waits for more may end with an error because it was told to stop.
        self.look(0)?;
        let damaged = matches!(error, SourceError::Damaged { .. } | SourceError::Unrecognised { .. });
        if !(damaged && self.reader.keep_going) {
            return Err(Halt::Failed(error.into()));
        }
        tracing::warn!(input = input.name(), "given up: {error}");
        let text = error.to_string();
        // The message names the input first, and so does whoever shows the pair.
        let reason = text.strip_prefix(&format!("{}: ", input.name())).unwrap_or(&text).to_owned();
        self.batch.damaged.push((input.name().to_owned(), reason));
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.batch.events().len() + self.batch.chunk.len() >= self.reader.batch_events
            || self.batch.chunk.bytes() >= BATCH_LINE_BYTES_MAX
            || self.batch.rejections.len() >= BATCH_REJECTED_MAX
            || self.rejected_bytes >= BATCH_REJECTED_BYTES_MAX
    }

    fn send(&mut self, bytes_read: u64) -> Result<(), Halt> {
        self.look(0)?;
        let began = Instant::now();
        self.batch.number = self.number;
        self.batch.position = self.reader.position;
        self.batch.bytes_read = bytes_read;
        self.number += 1;
        self.rejected_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        // Whoever dropped the other end has failed and says why.
        self.full.send(batch).map_err(|_| Halt::Stopped)?;
        if self.reader.position.input < self.reader.inputs.len() {
            self.batch = self.free.recv().map_err(|_| Halt::Stopped)?;
        }
        self.waited += began.elapsed();
        Ok(())
    }
}

/// Fills `chunk`; nothing comes of a source that cannot be cut.
fn fill(source: &mut dyn EventSource, chunk: &mut Chunk, records_max: usize) -> Result<bool, SourceError> {
    source.chunks().map_or(Ok(false), |lines| lines.fill(chunk, records_max, BATCH_LINE_BYTES_MAX))
}
