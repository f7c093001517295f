//! Reader, workers and writer, with a fixed number of batches going round between them.
//!
//! ```text
//! free -> reader -> full -> workers -> done -> writer (puts them in order) -> free
//! ```
//!
//! The reader only cuts lines where the format allows it; decoding is the workers' part. Whoever fails ends the others by
//! dropping its ends of the channels. The batch the writer waits for was taken from the free ones before every later one, so it
//! is always on its way: the round cannot come to a stand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use forebay_event::Event;
use forebay_event::chunk::{Chunk, Decoder};
use forebay_event::source::{Item, Rejection};

use super::BatchError;
use super::limits::SPARE_BATCHES;
use super::manifest::Position;
use super::reader::{End, Reader};
use super::row_group::RowGroup;
use super::summary::Times;
use super::worker::Worker;

/// What goes round.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) number: u64,
    /// Memory for events, reused; only the first `len` count.
    memory: Vec<Event>,
    len: usize,
    /// Lines to be decoded, which come after the events.
    pub(super) chunk: Chunk,
    /// Events embedded, kept or not.
    pub(super) embedded: u64,
    pub(super) vectors: Vec<f32>,
    pub(super) group: Option<RowGroup>,
    pub(super) rejections: Vec<Rejection>,
    /// Counters of inputs that ended in this batch, and of the decoder.
    pub(super) counters: Vec<(&'static str, u64)>,
    /// Inputs given up in this batch, and why.
    pub(super) damaged: Vec<(String, String)>,
    /// How far the inputs are read with this batch.
    pub(super) position: Position,
    pub(super) bytes_read: u64,
    pub(super) infinite_features: u64,
    /// What the worker spent.
    pub(super) times: Times,
}

impl Batch {
    /// The events in it.
    pub(super) fn events(&self) -> &[Event] {
        &self.memory[..self.len]
    }

    /// Memory for one more event, and then [`Batch::keep`] if it was filled.
    pub(super) fn next_memory(&mut self) -> &mut Event {
        if self.len == self.memory.len() {
            self.memory.push(Event::default());
        }
        &mut self.memory[self.len]
    }

    pub(super) fn keep(&mut self) {
        debug_assert!(self.len < self.memory.len());
        self.len += 1;
    }

    /// Decodes the record at `place` of the chunk; an event is appended to the events.
    pub(super) fn decode_next(&mut self, decoder: &mut Decoder, place: usize) -> Item {
        self.next_memory();
        let item = decoder.read(&self.chunk, place, &mut self.memory[self.len]);
        self.len += usize::from(item == Item::Event);
        item
    }

    /// Drops the events after the first `len`; their memory is used again.
    pub(super) fn forget_after(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    fn clear(&mut self) {
        self.len = 0;
        self.chunk.clear();
        self.vectors.clear();
        self.group = None;
        self.rejections.clear();
        self.counters.clear();
        self.damaged.clear();
    }
}

/// Time spent by the reader, and how it ended.
pub(super) struct Ran {
    pub(super) end: End,
    pub(super) reading: Duration,
    pub(super) waiting: Duration,
}

/// Runs until the inputs end, `stop` is set, or something fails; `accept` gets every batch in order.
pub(super) fn run(
    reader: Reader<'_>,
    workers: Vec<Worker>,
    stop: &AtomicBool,
    mut accept: impl FnMut(&mut Batch) -> Result<(), BatchError>,
) -> Result<Ran, BatchError> {
    let (free_in, free_out) = channel();
    let (full_in, full_out) = channel();
    let (done_in, done_out) = channel();
    for _ in 0..workers.len() + SPARE_BATCHES {
        // Both ends are here, so this cannot fail.
        let _ = free_in.send(Batch::default());
    }
    let full_out = Arc::new(Mutex::new(full_out));
    thread::scope(|scope| {
        let reading = scope.spawn(move || reader.run(&free_out, &full_in, stop));
        for mut worker in workers {
            let (full_out, done_in) = (full_out.clone(), done_in.clone());
            scope.spawn(move || work(&mut worker, &full_out, &done_in));
        }
        drop((done_in, full_out));
        let written = write_in_order(&done_out, &free_in, &mut accept);
        if written.is_err() {
            // The reader may be in the middle of a long input.
            stop.store(true, Ordering::Relaxed);
        }
        drop((done_out, free_in));
        let (end, reading) = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(Ran { end, reading, waiting: written? })
    })
}

type Done = Result<Batch, BatchError>;

fn work(worker: &mut Worker, full: &Mutex<Receiver<Batch>>, done: &Sender<Done>) {
    loop {
        // The lock is held while waiting: one worker waits for a batch, the others for the lock.
        let next = full.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut batch) = next else { return };
        let result = worker.fill(&mut batch).map(|()| batch);
        if done.send(result).is_err() {
            return;
        }
    }
}

/// Hands batches on in the order of their numbers; gives the time spent waiting.
fn write_in_order(
    done: &Receiver<Done>,
    free: &Sender<Batch>,
    accept: &mut impl FnMut(&mut Batch) -> Result<(), BatchError>,
) -> Result<Duration, BatchError> {
    let mut waiting = Duration::ZERO;
    let mut early: BTreeMap<u64, Batch> = BTreeMap::new();
    let mut next = 0;
    loop {
        let began = Instant::now();
        let Ok(result) = done.recv() else { break };
        waiting += began.elapsed();
        let batch = result?;
        early.insert(batch.number, batch);
        while let Some(mut batch) = early.remove(&next) {
            accept(&mut batch)?;
            next += 1;
            batch.clear();
            // The reader is gone when the inputs have ended; then nobody needs the batch.
            let _ = free.send(batch);
        }
    }
    debug_assert!(early.is_empty(), "every batch before has come");
    Ok(waiting)
}
