//! One ingest request, from its first byte to its last line.
//!
//! Lines are gathered until a batch is full, its first line has waited [`BATCH_WAIT`], or the body ends; then a worker stores
//! the batch while the next one is gathered. Results are written in the order of the lines. With
//! [`crate::limits::BATCHES_AT_ONCE`] under way, or results that the client does not read, no more of the body is read:
//! whoever sends faster than we store is slowed down and nothing piles up.

use std::collections::VecDeque;

use axum::body::{Body, Bytes, HttpBody as _};
use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::body::{Broken, next, refuse};
use crate::error::ApiError;
use crate::ingest::decode::Decoder;
use crate::ingest::lines::{Batch, Cutter};
use crate::ingest::result::{LastLine, Summary};
use crate::ingest::worker::{Outcome, Worker};
use crate::limits::{BATCH_WAIT, BODY_WAIT};
use crate::metrics::{INGEST_BYTES, INGEST_STREAMS};
use crate::state::{Service, blocking};

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    Interrupted,
    Idle,
    TooLarge,
    Stopping,
    Storage,
}

/// One ingest request.
pub(crate) struct Stream {
    body: Body,
    decoder: Decoder,
    /// What of the body has come and is not decoded.
    raw: Bytes,
    /// What is decoded and not cut into lines.
    text: Vec<u8>,
    cutter: Cutter,
    /// Decoded bytes that may still come.
    room: u64,
    /// When the lines that are gathered have waited long enough.
    deadline: Option<Instant>,
}

impl Stream {
    /// Waits for the first bytes of `body`: a client that asked whether to send gets its answer, and one that sends
    /// nothing gets an error rather than an empty success.
    pub(crate) async fn begin(mut body: Body, decoder: Decoder, bytes_max: u64) -> Result<Self, ApiError> {
        if body.size_hint().lower() > bytes_max {
            return Err(refuse(body, ApiError::TooLarge(bytes_max)).await);
        }
        let first = timeout_at(Instant::now() + BODY_WAIT, next(&mut body)).await.map_err(|_| ApiError::Slow)?;
        let raw = first.transpose().map_err(|Broken| ApiError::Invalid("the body broke off.".to_owned()))?;
        let raw = raw.unwrap_or_default();
        Ok(Self { body, decoder, raw, text: Vec::new(), cutter: Cutter::default(), room: bytes_max, deadline: None })
    }

    /// Stores everything that comes and writes the results to `out`.
    pub(crate) async fn run(mut self, service: &Service, workers: Vec<Worker>, mut out: DuplexStream) {
        let mut storing = Storing { idle: workers, running: VecDeque::new() };
        let (mut batch, mut summary) = (Batch::default(), Summary::default());
        let mut end = None;
        loop {
            let may_gather = end.is_none() && !storing.idle.is_empty();
            tokio::select! {
                biased;
                outcome = storing.next(), if !storing.running.is_empty() => {
                    let Ok(outcome) = outcome else {
                        // A worker is lost and with it what it counted; the answer ends without its last line.
                        service.metrics.counter(&INGEST_STREAMS, &[("reason", End::Storage.slug())]).increment(1);
                        return;
                    };
                    summary.add(&outcome.counts);
                    let unread = out.write_all(&outcome.results).await.is_err();
                    if !outcome.sound {
                        end = Some(End::Storage);
                    } else if unread && end != Some(End::Storage) {
                        end = Some(End::Interrupted);
                    }
                }
                ended = self.gather(&mut batch, service), if may_gather => {
                    end = ended;
                    storing.start(std::mem::take(&mut batch));
                    self.deadline = None;
                }
                else => break,
            }
        }
        finish(service, end.unwrap_or(End::Complete), summary, out).await;
    }

    /// Fills `batch`; says why the stream ended, if it did. May be dropped at any await and called again.
    async fn gather(&mut self, batch: &mut Batch, service: &Service) -> Option<End> {
        loop {
            self.cut(batch);
            if batch.is_full() {
                return None;
            }
            if self.decoder.can_step(&self.raw) {
                if let Err(end) = self.decode(service) {
                    return Some(end);
                }
                continue;
            }
            if self.deadline.is_none() && !batch.is_empty() {
                self.deadline = Some(Instant::now() + BATCH_WAIT);
            }
            match self.receive(self.deadline, service).await {
                Received::Bytes(raw) => self.raw = raw,
                Received::NothingYet => return None,
                Received::End(End::Complete) => return Some(self.finish(batch)),
                Received::End(end) => return Some(end),
            }
        }
    }

    async fn receive(&mut self, deadline: Option<Instant>, service: &Service) -> Received {
        let idle = Instant::now() + BODY_WAIT;
        let received = tokio::select! {
            () = service.stopping.cancelled() => return Received::End(End::Stopping),
            received = timeout_at(deadline.unwrap_or(idle), next(&mut self.body)) => received,
        };
        match received {
            Ok(Some(Ok(raw))) => Received::Bytes(raw),
            Ok(Some(Err(Broken))) => Received::End(End::Interrupted),
            Ok(None) => Received::End(End::Complete),
            Err(_) if deadline.is_some() => Received::NothingYet,
            Err(_) => Received::End(End::Idle),
        }
    }

    /// Decodes a step, within the room that is left.
    fn decode(&mut self, service: &Service) -> Result<(), End> {
        let before = self.text.len();
        self.decoder.step(&mut self.raw, &mut self.text).map_err(|_| End::Interrupted)?;
        let decoded = (self.text.len() - before) as u64;
        service.metrics.counter(&INGEST_BYTES, &[]).increment(decoded);
        self.room = self.room.checked_sub(decoded).ok_or(End::TooLarge)?;
        Ok(())
    }

    /// The body is at its end: so must the encoding be. A last line needs no line end.
    fn finish(&mut self, batch: &mut Batch) -> End {
        if self.decoder.finish(&mut self.text).is_err() {
            return End::Interrupted;
        }
        self.cut(batch);
        self.cutter.end(batch);
        End::Complete
    }

    fn cut(&mut self, batch: &mut Batch) {
        let left = self.cutter.cut(&self.text, batch).len();
        self.text.drain(..self.text.len() - left);
    }
}

/// What came next.
enum Received {
    Bytes(Bytes),
    NothingYet,
    End(End),
}

/// The batches that are being stored.
struct Storing {
    idle: Vec<Worker>,
    /// In the order of their lines.
    running: VecDeque<JoinHandle<Result<(Worker, Outcome), ApiError>>>,
}

impl Storing {
    /// Lets an idle worker store `batch`; the caller has seen that there is one.
    fn start(&mut self, batch: Batch) {
        if batch.is_empty() {
            return;
        }
        if let Some(mut worker) = self.idle.pop() {
            self.running.push_back(tokio::spawn(blocking(move || {
                let outcome = worker.work(&batch);
                Ok((worker, outcome))
            })));
        }
    }

    /// Waits for the oldest batch. May be dropped and called again.
    async fn next(&mut self) -> Result<Outcome, ApiError> {
        let Some(oldest) = self.running.front_mut() else { return std::future::pending().await };
        let done = oldest.await.unwrap_or_else(|error| Err(ApiError::Internal(format!("a worker ended: {error}"))));
        self.running.pop_front();
        let (worker, outcome) = done.inspect_err(|error| tracing::error!(%error, "an ingest stream ended"))?;
        self.idle.push(worker);
        Ok(outcome)
    }
}

/// Writes the last line.
async fn finish(service: &Service, end: End, mut summary: Summary, mut out: DuplexStream) {
    service.metrics.counter(&INGEST_STREAMS, &[("reason", end.slug())]).increment(1);
    summary.complete = end == End::Complete;
    summary.reason = end.reason();
    tracing::info!(reason = end.slug(), ?summary, "an ingest stream ended");
    let mut last = serde_json::to_vec(&LastLine { summary }).expect("numbers and strings become JSON, in memory");
    last.push(b'\n');
    // The client may be gone; what it was owed is stored all the same.
    let _ = out.write_all(&last).await;
    let _ = out.shutdown().await;
}

impl End {
    /// The label in the metrics.
    fn slug(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Interrupted => "interrupted",
            Self::Idle => "idle",
            Self::TooLarge => "too_large",
            Self::Stopping => "stopping",
            Self::Storage => "storage",
        }
    }

    /// For the client.
    fn reason(self) -> Option<String> {
        let reason = match self {
            Self::Complete => return None,
            Self::Interrupted => {
                "the body broke off, or is not what its encoding says; a line that was not whole was left out"
            }
            Self::Idle => "nothing came for too long",
            Self::TooLarge => "the body is longer than this server takes at once; send the rest in another request",
            Self::Stopping => "the server is stopping; send the rest again later",
            Self::Storage => "the server cannot store events at present; send the rejected and the rest again later",
        };
        Some(reason.to_owned())
    }
}
