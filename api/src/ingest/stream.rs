//! One ingest request, from its first byte to its last line.
//!
//! Lines are gathered until a batch is full, its first line has waited [`BATCH_WAIT`], or the body ends; the batch is stored;
//! its results are written; only then is more of the body read. So a client that sends faster than we store, or does not
//! read its results, is slowed down and nothing piles up.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody as _};
use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, timeout_at};

use crate::body::{Broken, next, refuse};
use crate::error::ApiError;
use crate::ingest::decode::Decoder;
use crate::ingest::lines::{Batch, Cutter};
use crate::ingest::result::LastLine;
use crate::ingest::worker::Worker;
use crate::limits::{BATCH_WAIT, BODY_WAIT};
use crate::metrics::{INGEST_BYTES, INGEST_STREAMS};
use crate::state::blocking;

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
        Ok(Self { body, decoder, raw, text: Vec::new(), cutter: Cutter::default(), room: bytes_max })
    }

    /// Stores everything that comes and writes the results to `out`.
    pub(crate) async fn run(mut self, mut worker: Worker, mut out: DuplexStream) {
        let service = Arc::clone(&worker.service);
        let end = loop {
            let mut batch = Batch::default();
            let ended = self.gather(&mut batch, &worker).await;
            let stored = store(worker, batch).await;
            let Ok((back, results, sound)) = stored else {
                // The worker is lost and with it what it counted; the answer ends without its last line.
                service.metrics.counter(&INGEST_STREAMS, &[("reason", End::Storage.slug())]).increment(1);
                return;
            };
            worker = back;
            let unread = out.write_all(&results).await.is_err();
            match ended {
                _ if !sound => break End::Storage,
                _ if unread => break End::Interrupted,
                Some(end) => break end,
                None => {}
            }
        };
        service.metrics.counter(&INGEST_STREAMS, &[("reason", end.slug())]).increment(1);
        worker.summary.complete = end == End::Complete;
        worker.summary.reason = end.reason();
        tracing::info!(reason = end.slug(), summary = ?worker.summary, "an ingest stream ended");
        let last = LastLine { summary: worker.summary };
        let mut last = serde_json::to_vec(&last).expect("numbers and strings become JSON, in memory");
        last.push(b'\n');
        // The client may be gone; what it was owed is stored all the same.
        let _ = out.write_all(&last).await;
        let _ = out.shutdown().await;
    }

    /// Fills `batch`; says why the stream ended, if it did.
    async fn gather(&mut self, batch: &mut Batch, worker: &Worker) -> Option<End> {
        let mut deadline = None;
        loop {
            self.cut(batch);
            if batch.is_full() {
                return None;
            }
            if self.decoder.can_step(&self.raw) {
                if let Err(end) = self.decode(worker) {
                    return Some(end);
                }
                continue;
            }
            if deadline.is_none() && !batch.is_empty() {
                deadline = Some(Instant::now() + BATCH_WAIT);
            }
            match self.receive(deadline, worker).await {
                Received::Bytes(raw) => self.raw = raw,
                Received::NothingYet => return None,
                Received::End(End::Complete) => return Some(self.finish(batch)),
                Received::End(end) => return Some(end),
            }
        }
    }

    async fn receive(&mut self, deadline: Option<Instant>, worker: &Worker) -> Received {
        let idle = Instant::now() + BODY_WAIT;
        let received = tokio::select! {
            () = worker.service.stopping.cancelled() => return Received::End(End::Stopping),
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
    fn decode(&mut self, worker: &Worker) -> Result<(), End> {
        let before = self.text.len();
        self.decoder.step(&mut self.raw, &mut self.text).map_err(|_| End::Interrupted)?;
        let decoded = (self.text.len() - before) as u64;
        worker.service.metrics.counter(&INGEST_BYTES, &[]).increment(decoded);
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

async fn store(mut worker: Worker, batch: Batch) -> Result<(Worker, Vec<u8>, bool), ApiError> {
    if batch.is_empty() {
        return Ok((worker, Vec::new(), true));
    }
    blocking(move || {
        let (results, sound) = worker.work(&batch);
        Ok((worker, results, sound))
    })
    .await
    .inspect_err(|error| tracing::error!(%error, "an ingest stream ended"))
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
