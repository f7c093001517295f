//! Where live events go: lines of JSON, or a server.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use forebay_event::{Event, jsonl};

use crate::config::Config;
use crate::target::Server;

/// Events sent in one request at most; the server stores them together.
const BATCH_EVENTS: usize = 2048;
/// An event waits at most this long for others to be sent with it.
const BATCH_AGE: Duration = Duration::from_millis(500);
/// Batches kept while the server is away; then the oldest goes, counted.
const BATCHES_MAX: usize = 64;
/// Between two attempts at a server that is away.
const RETRY: Duration = Duration::from_secs(1);

/// Events by what became of them after the meter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    written: u64,
    stored: u64,
    duplicate: u64,
    rejected: u64,
    undelivered: u64,
}

impl Counts {
    pub(super) fn named(self) -> [(&'static str, u64); 5] {
        [
            ("events_written", self.written),
            ("events_stored", self.stored),
            ("events_duplicate", self.duplicate),
            ("events_rejected_by_server", self.rejected),
            ("events_undelivered", self.undelivered),
        ]
    }
}

/// How it went.
pub(super) struct Delivered {
    pub(super) counts: Counts,
    pub(super) error: Option<anyhow::Error>,
}

/// See the module.
pub(super) struct Sink {
    way: Way,
    counts: Counts,
    line: Vec<u8>,
}

enum Way {
    Lines(Box<dyn Write>),
    Server(Box<Sender>),
}

struct Sender {
    server: Server,
    open: Batch,
    began: Instant,
    waiting: VecDeque<Batch>,
    next_attempt: Instant,
    is_away: bool,
}

#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    events: u64,
}

impl Sink {
    /// A server where one is named, which must answer now; else the file, or standard output for `-`.
    pub(super) fn open(to: Option<&str>, path: &Path, config: &Config) -> anyhow::Result<Self> {
        let way = match to {
            Some(url) => {
                let server = Server::new(config, url)?;
                server.ready().context("--to")?;
                let now = Instant::now();
                let (open, waiting) = (Batch::default(), VecDeque::new());
                Way::Server(Box::new(Sender { server, open, began: now, waiting, next_attempt: now, is_away: false }))
            }
            None if path == Path::new("-") => Way::Lines(Box::new(io::BufWriter::new(io::stdout()))),
            None => Way::Lines(Box::new(io::BufWriter::new(fs_err::File::create(path)?))),
        };
        Ok(Self { way, counts: Counts::default(), line: Vec::new() })
    }

    /// One event more.
    pub(super) fn write(&mut self, event: &Event) -> anyhow::Result<()> {
        self.line.clear();
        jsonl::write(event, &mut self.line);
        self.line.push(b'\n');
        match &mut self.way {
            Way::Lines(out) => {
                out.write_all(&self.line)?;
                self.counts.written += 1;
            }
            Way::Server(sender) => {
                sender.add(&self.line);
                if sender.open.events as usize >= BATCH_EVENTS {
                    sender.close(&mut self.counts);
                    sender.attempt(&mut self.counts);
                }
            }
        }
        Ok(())
    }

    /// Nothing more will come for a moment.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        match &mut self.way {
            Way::Lines(out) => out.flush()?,
            Way::Server(sender) => {
                if sender.open.events > 0 && sender.began.elapsed() >= BATCH_AGE {
                    sender.close(&mut self.counts);
                }
                sender.attempt(&mut self.counts);
            }
        }
        Ok(())
    }

    /// The last of it.
    pub(super) fn finish(mut self) -> Delivered {
        let error = match &mut self.way {
            Way::Lines(out) => out.flush().err().map(anyhow::Error::from),
            Way::Server(sender) => sender.finish(&mut self.counts),
        };
        Delivered { counts: self.counts, error }
    }
}

impl Sender {
    fn add(&mut self, line: &[u8]) {
        if self.open.events == 0 {
            self.began = Instant::now();
        }
        self.open.lines.extend_from_slice(line);
        self.open.events += 1;
    }

    /// The open batch waits to be sent; the oldest that waits makes room.
    fn close(&mut self, counts: &mut Counts) {
        if self.waiting.len() == BATCHES_MAX
            && let Some(lost) = self.waiting.pop_front()
        {
            counts.undelivered += lost.events;
        }
        self.waiting.push_back(std::mem::take(&mut self.open));
    }

    /// Sends what waits, if it is time to try.
    fn attempt(&mut self, counts: &mut Counts) {
        if Instant::now() < self.next_attempt {
            return;
        }
        if let Err(error) = self.send(counts) {
            if !self.is_away {
                tracing::warn!("{error:#}; trying again every second, with {BATCHES_MAX} batches kept");
            }
            self.is_away = true;
            self.next_attempt = Instant::now() + RETRY;
        } else if std::mem::take(&mut self.is_away) {
            tracing::info!("the server answers again");
        }
    }

    fn send(&mut self, counts: &mut Counts) -> anyhow::Result<()> {
        while let Some(batch) = self.waiting.front() {
            // Sent again after a failure, what was stored already counts as duplicate.
            let summary = self.server.store(batch.lines.clone())?;
            if !summary.complete {
                return Err(anyhow!("the server took a part: {}", summary.reason.unwrap_or_default()));
            }
            counts.stored += summary.stored;
            counts.duplicate += summary.duplicate;
            counts.rejected += summary.rejected;
            self.waiting.pop_front();
        }
        Ok(())
    }

    fn finish(&mut self, counts: &mut Counts) -> Option<anyhow::Error> {
        if self.open.events > 0 {
            self.close(counts);
        }
        let error = self.send(counts).err()?;
        let lost: u64 = self.waiting.iter().map(|batch| batch.events).sum();
        counts.undelivered += lost;
        Some(error.context(format!("{lost} events were not delivered")))
    }
}
