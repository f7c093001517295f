//! Recommendations and reports for whoever asks: programs that size themselves, `forebay top`, Prometheus.
//!
//! **Unix socket** (`sidecar.socket`): one JSON object a line, a [`Recommendation`]: all that
//! there are when a client comes, then each that changes. Nothing is read from clients.
//!
//! **HTTP** (`sidecar.listen`): `GET /v1/recommendations` (an array; `?port=`, `?pid=`, `?target=` narrow it),
//! `GET /v1/recommendations/stream` (the same as server-sent events, as they change), `GET /v1/buffers` (the whole
//! [`Report`]), `GET /metrics`, `GET /healthz`. Loopback only, or with a token ([`Token`]).
//!
//! **Limits.** [`crate::limits::CLIENTS_MAX`] clients each way, [`crate::limits::CLIENT_WAIT`] to take what is sent. Clients never hold up the loop:
//! it leaves the newest report and goes on.

mod guard;
mod http;
mod serve;
mod unix;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::watch;

pub use guard::Token;
pub use serve::{AdviceError, Advisor, Listen};

use crate::limits::{INTEREST, REPORT_EVERY, REPORT_IDLE};
use crate::sidecar::{Event, Recommendation, Report, Sidecar};

/// Where the loop leaves reports. Dropping it ends every stream.
pub struct Publisher {
    reports: watch::Sender<Option<Arc<Report>>>,
    interest: Arc<Interest>,
    made_ms: Option<u64>,
    changes: u64,
}

/// Where clients take them.
#[derive(Clone)]
struct Board {
    reports: watch::Receiver<Option<Arc<Report>>>,
    interest: Arc<Interest>,
}

/// Whether anybody looks.
struct Interest {
    start: Instant,
    streams: AtomicUsize,
    asked_ms: AtomicU64,
}

impl Publisher {
    fn new() -> (Self, Board) {
        let (reports, receiver) = watch::channel(None);
        let interest =
            Arc::new(Interest { start: Instant::now(), streams: AtomicUsize::new(0), asked_ms: AtomicU64::new(0) });
        let board = Board { reports: receiver, interest: Arc::clone(&interest) };
        (Self { reports, interest, made_ms: None, changes: 0 }, board)
    }

    /// Makes a report if one is due: every so often, more often if somebody looks, and at once if a stream waits for a change.
    /// Gives it, for the metrics.
    pub fn offer(&mut self, sidecar: &Sidecar) -> Option<Arc<Report>> {
        let now_ms = self.interest.now_ms();
        let streams = self.interest.streams.load(Ordering::Relaxed);
        let asked_ms = self.interest.asked_ms.load(Ordering::Relaxed);
        let is_looked_at =
            streams > 0 || (asked_ms > 0 && now_ms.saturating_sub(asked_ms) < INTEREST.as_millis() as u64);
        let every = if is_looked_at { REPORT_EVERY } else { REPORT_IDLE };
        let counts = sidecar.counts();
        let changes = counts.get(Event::Grow) + counts.get(Event::Shrink);
        let is_due = self.made_ms.is_none_or(|made_ms| now_ms.saturating_sub(made_ms) >= every.as_millis() as u64);
        let has_news = streams > 0 && changes != self.changes;
        if !is_due && !has_news {
            return None;
        }
        (self.made_ms, self.changes) = (Some(now_ms), changes);
        let report = Arc::new(sidecar.report());
        self.reports.send_replace(Some(Arc::clone(&report)));
        Some(report)
    }
}

impl Interest {
    fn now_ms(&self) -> u64 {
        // From 1, so that 0 is never.
        self.start.elapsed().as_millis() as u64 + 1
    }
}

impl Board {
    /// The newest report, if there is one yet.
    fn newest(&self) -> Option<Arc<Report>> {
        self.interest.asked_ms.store(self.interest.now_ms(), Ordering::Relaxed);
        self.reports.borrow().clone()
    }

    /// A client that wants every change.
    fn follow(&self) -> Follower {
        self.interest.streams.fetch_add(1, Ordering::Relaxed);
        Follower { board: self.clone(), told: HashMap::new(), is_first: true }
    }
}

/// One client of a stream, and what it has been told.
struct Follower {
    board: Board,
    told: HashMap<u64, u64>,
    is_first: bool,
}

impl Follower {
    /// What is new, as soon as anything is; none when the sidecar ends.
    async fn next(&mut self) -> Option<Vec<Recommendation>> {
        loop {
            if !std::mem::take(&mut self.is_first) {
                self.board.reports.changed().await.ok()?;
            }
            let report = self.board.reports.borrow_and_update().clone();
            let news = report.map(|report| self.news(&report)).unwrap_or_default();
            if !news.is_empty() {
                return Some(news);
            }
        }
    }

    fn news(&mut self, report: &Report) -> Vec<Recommendation> {
        self.told.retain(|id, _| report.buffers.iter().any(|buffer| buffer.id == *id));
        let told = &mut self.told;
        let changed =
            report.buffers.iter().filter(|b| told.insert(b.id, b.recommended_bytes) != Some(b.recommended_bytes));
        changed.map(Recommendation::from).collect()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.board.interest.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
