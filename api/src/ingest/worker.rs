//! Stores a batch of lines and says what became of each. Blocks.

use std::sync::Arc;
use std::time::Instant;

use forebay_event::jsonl::Parser;
use forebay_event::limits::LINE_BYTES_MAX;
use forebay_event::{Event, EventId, ParseError};

use crate::backend::{Backend, Stored};
use crate::ingest::lines::Batch;
use crate::ingest::result::{LineResult, Status, Summary};
use crate::metrics::{INGEST_BATCH_SECONDS, INGEST_BATCHES, INGEST_EVENTS, INGEST_REJECTED, INGEST_UNKNOWN_MEMBERS};
use crate::state::Service;

/// Works through batches of one stream; several do so side by side.
pub(crate) struct Worker {
    service: Service,
    backend: Arc<Backend>,
    /// Whether only rejected lines get a result.
    terse: bool,
    parser: Parser,
}

/// What became of a batch.
pub(crate) struct Outcome {
    /// Lines of JSON for the client.
    pub(crate) results: Vec<u8>,
    /// Its lines, counted.
    pub(crate) counts: Summary,
    /// Whether the index still takes events.
    pub(crate) sound: bool,
}

/// What is known of a line before it is stored.
enum Read {
    /// An event, at this place of the list, and its identifier.
    Event(usize, EventId),
    /// No event: the class of the reason, and the reason.
    Rejected(&'static str, String),
}

impl Worker {
    pub(crate) fn new(service: Service, backend: Arc<Backend>, terse: bool) -> Self {
        Self { service, backend, terse, parser: Parser::default() }
    }

    /// Stores what is an event in `batch`.
    pub(crate) fn work(&mut self, batch: &Batch) -> Outcome {
        let start = Instant::now();
        let unknown_before = self.parser.unknown_members();
        let (events, lines) = self.read(batch);
        let count = events.len();
        let (fates, sound) = match self.backend.store(events) {
            Ok(fates) => (Some(fates), true),
            Err(error) => {
                tracing::error!(%error, events = count, "a batch was not stored");
                (None, false)
            }
        };
        let mut results = Vec::with_capacity(if self.terse { 0 } else { lines.len() * RESULT_BYTES_USUAL });
        let mut counts = Summary::default();
        for (number, read) in lines {
            let result = match read {
                Read::Event(place, id) => self.judge(number, id, fates.as_ref().map(|fates| &fates[place])),
                Read::Rejected(class, reason) => self.reject(number, None, class, reason),
            };
            counts.count(result.status);
            if !self.terse || result.status == Status::Rejected {
                serde_json::to_writer(&mut results, &result).expect("numbers and strings become JSON, in memory");
                results.push(b'\n');
            }
        }
        counts.unknown_members = self.parser.unknown_members() - unknown_before;
        self.measure(&counts, start);
        Outcome { results, counts, sound }
    }

    fn measure(&self, counts: &Summary, start: Instant) {
        let metrics = &self.service.metrics;
        metrics.counter(&INGEST_BATCHES, &[]).increment(1);
        metrics.counter(&INGEST_EVENTS, &[("status", "stored")]).increment(counts.stored);
        metrics.counter(&INGEST_EVENTS, &[("status", "duplicate")]).increment(counts.duplicate);
        metrics.counter(&INGEST_UNKNOWN_MEMBERS, &[]).increment(counts.unknown_members);
        metrics.histogram(&INGEST_BATCH_SECONDS, &[]).record(start.elapsed().as_secs_f64());
    }

    fn read(&mut self, batch: &Batch) -> (Vec<Event>, Vec<(u64, Read)>) {
        let mut events: Vec<Event> = Vec::new();
        let mut lines = Vec::new();
        let mut event = Event::default();
        for line in batch.lines() {
            let parsed = line.bytes.map_or(Err(ParseError::TooLong), |bytes| self.parser.parse(bytes, &mut event));
            let read = match parsed {
                Ok(()) => {
                    let id = event.event_id;
                    events.push(std::mem::take(&mut event));
                    Read::Event(events.len() - 1, id)
                }
                Err(ParseError::TooLong) => {
                    Read::Rejected("too_long", format!("the line is longer than {LINE_BYTES_MAX} bytes"))
                }
                Err(error) => Read::Rejected("not_an_event", error.to_string()),
            };
            lines.push((line.number, read));
        }
        (events, lines)
    }

    /// The result for an event; without a fate, nothing of its batch was stored.
    fn judge(&self, line: u64, id: EventId, fate: Option<&Stored>) -> LineResult {
        let status = match fate {
            Some(Stored::New) => Status::Stored,
            Some(Stored::Duplicate) => Status::Duplicate,
            Some(Stored::Refused(reason)) => return self.reject(line, Some(id), "not_an_event", reason.clone()),
            None => {
                let reason = "it could not be stored; send it again later".to_owned();
                return self.reject(line, Some(id), "storage", reason);
            }
        };
        LineResult { line, status, event_id: Some(id.to_string()), reason: None }
    }

    fn reject(&self, line: u64, id: Option<EventId>, class: &'static str, reason: String) -> LineResult {
        self.service.metrics.counter(&INGEST_REJECTED, &[("reason", class)]).increment(1);
        LineResult { line, status: Status::Rejected, event_id: id.map(|id| id.to_string()), reason: Some(reason) }
    }
}

/// Bytes of a result line of an event that was stored.
const RESULT_BYTES_USUAL: usize = 96;
