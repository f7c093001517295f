//! A metered interface as a source of events, until it is told to stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use forebay_event::Event;
use forebay_event::source::{EventSource, Item, Progress, SourceError};

use crate::live::books::Books;
use crate::live::error::LiveError;
use crate::live::meter::LiveMeter;

/// Between two looks at the kernel's tables where there is nothing to do at once.
const POLL: Duration = Duration::from_millis(50);
/// Between two looks at whether the interface is still there.
const LOOK: Duration = Duration::from_secs(1);

/// Gives events as flows end; [`EventSource::read`] waits for the next one. It ends, after the events of all open flows, when
/// `stop` is set, when its time is over, or with an error when the interface vanishes.
pub struct LiveSource {
    meter: LiveMeter,
    name: String,
    stop: Arc<AtomicBool>,
    until: Option<Instant>,
    looked: Instant,
    failure: Option<SourceError>,
    is_ending: bool,
}

impl LiveSource {
    /// Reads `meter` until `stop` is set or `time` has passed.
    pub fn new(meter: LiveMeter, name: impl Into<String>, stop: Arc<AtomicBool>, time: Option<Duration>) -> Self {
        let now = Instant::now();
        let until = time.and_then(|time| now.checked_add(time));
        Self { meter, name: name.into(), stop, until, looked: now, failure: None, is_ending: false }
    }

    /// Whether [`EventSource::read`] has an answer without waiting: an event, or the end.
    pub fn is_ready(&self) -> bool {
        self.meter.has_event() || self.is_ending
    }

    /// Looks for ended flows once and, where there are none, waits a moment: for whoever has something else to do meanwhile.
    pub fn step(&mut self) -> Result<(), SourceError> {
        let done = self.advance();
        done.map_err(|error| SourceError::Io { name: self.name.clone(), error: io::Error::other(error) })
    }

    /// What became of every packet so far.
    pub fn books(&mut self) -> Result<Books, LiveError> {
        self.meter.books()
    }

    /// Looks for ended flows once; ends everything when it is time.
    fn advance(&mut self) -> Result<(), LiveError> {
        let now = Instant::now();
        let is_told = self.stop.load(Ordering::Relaxed) || self.until.is_some_and(|until| now >= until);
        if now.duration_since(self.looked) >= LOOK {
            self.looked = now;
            if !self.meter.interface_is_there() {
                let text = "the interface has gone; every flow that was open has been given";
                let error = io::Error::new(io::ErrorKind::NotFound, text);
                self.failure = Some(SourceError::Io { name: self.name.clone(), error });
            }
        }
        if is_told || self.failure.is_some() {
            self.is_ending = true;
            return self.meter.end();
        }
        if !self.meter.poll()? && !self.meter.has_event() {
            std::thread::sleep(POLL.min(self.until.map_or(POLL, |until| until.saturating_duration_since(now))));
        }
        Ok(())
    }
}

impl EventSource for LiveSource {
    fn read(&mut self, event: &mut Event) -> Result<Item, SourceError> {
        loop {
            if self.meter.next_event(event) {
                return Ok(Item::Event);
            }
            if self.is_ending {
                return self.failure.take().map_or(Ok(Item::End), Err);
            }
            self.step()?;
        }
    }

    /// An interface has no length.
    fn progress(&self) -> Progress {
        Progress::default()
    }
}
