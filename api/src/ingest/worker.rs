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

/// Works through the batches of one stream.
pub(crate) struct Worker {
    pub(crate) service: Service,
    pub(crate) backend: Arc<Backend>,
    /// Whether only rejected lines get a result.
    pub(crate) terse: bool,
    pub(crate) summary: Summary,
    parser: Parser,
}

/// What is known of a line before it is stored.
enum Read {
    /// An event, at this place of the list.
    Event(usize),
    /// No event: the class of the reason, and the reason.
    Rejected(&'static str, String),
}

impl Worker {
    pub(crate) fn new(service: Service, backend: Arc<Backend>, terse: bool) -> Self {
        Self { service, backend, terse, summary: Summary::default(), parser: Parser::default() }
    }

    /// Stores what is an event in `batch`. Gives the results as lines of JSON, and whether the index still takes events.
    pub(crate) fn work(&mut self, batch: &Batch) -> (Vec<u8>, bool) {
        let start = Instant::now();
        let (events, lines) = self.read(batch);
        let (fates, sound) = match self.backend.store(&events) {
            Ok(fates) => (Some(fates), true),
            Err(error) => {
                tracing::error!(%error, events = events.len(), "a batch was not stored");
                (None, false)
            }
        };
        let mut out = Vec::new();
        for (number, read) in lines {
            let result = match read {
                Read::Event(place) => self.judge(number, events[place].event_id, fates.as_ref().map(|f| &f[place])),
                Read::Rejected(class, reason) => self.reject(number, None, class, reason),
            };
            self.tell(&result, &mut out);
        }
        let metrics = &self.service.metrics;
        metrics.counter(&INGEST_BATCHES, &[]).increment(1);
        let unknown = self.parser.unknown_members();
        metrics.counter(&INGEST_UNKNOWN_MEMBERS, &[]).increment(unknown - self.summary.unknown_members);
        self.summary.unknown_members = unknown;
        metrics.histogram(&INGEST_BATCH_SECONDS, &[]).record(start.elapsed().as_secs_f64());
        (out, sound)
    }

    fn read(&mut self, batch: &Batch) -> (Vec<Event>, Vec<(u64, Read)>) {
        let mut events: Vec<Event> = Vec::new();
        let mut lines = Vec::new();
        let mut event = Event::default();
        for line in batch.lines() {
            let parsed = line.bytes.map_or(Err(ParseError::TooLong), |bytes| self.parser.parse(bytes, &mut event));
            let read = match parsed {
                Ok(()) => {
                    events.push(event.clone());
                    Read::Event(events.len() - 1)
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
    fn judge(&mut self, line: u64, id: EventId, fate: Option<&Stored>) -> LineResult {
        let (status, label) = match fate {
            Some(Stored::New) => (Status::Stored, "stored"),
            Some(Stored::Duplicate) => (Status::Duplicate, "duplicate"),
            Some(Stored::Refused(reason)) => return self.reject(line, Some(id), "not_an_event", reason.clone()),
            None => {
                let reason = "it could not be stored; send it again later".to_owned();
                return self.reject(line, Some(id), "storage", reason);
            }
        };
        self.service.metrics.counter(&INGEST_EVENTS, &[("status", label)]).increment(1);
        LineResult { line, status, event_id: Some(id.to_string()), reason: None }
    }

    fn reject(&mut self, line: u64, id: Option<EventId>, class: &'static str, reason: String) -> LineResult {
        self.service.metrics.counter(&INGEST_REJECTED, &[("reason", class)]).increment(1);
        LineResult { line, status: Status::Rejected, event_id: id.map(|id| id.to_string()), reason: Some(reason) }
    }

    fn tell(&mut self, result: &LineResult, out: &mut Vec<u8>) {
        self.summary.count(result.status);
        if !self.terse || result.status == Status::Rejected {
            serde_json::to_writer(&mut *out, result).expect("numbers and strings become JSON, in memory");
            out.push(b'\n');
        }
    }
}
