//! How far a job has come, for whoever shows it.

use std::time::Duration;

use super::output::Output;

/// A moment of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Events written since the job began, runs before included.
    pub events: u64,
    /// Events written by this run.
    pub events_now: u64,
    /// Items rejected since the job began.
    pub rejected: u64,
    /// Bytes of the inputs read, as they lie on disk.
    pub bytes_read: u64,
    /// Bytes of all inputs, where that is known of each.
    pub bytes_total: Option<u64>,
    /// Parts finished.
    pub parts: usize,
    /// Time since this run began.
    pub elapsed: Duration,
}

impl Snapshot {
    /// Takes in a batch that has been written.
    pub(super) fn note(&mut self, output: &Output, events: u64, bytes_read: u64, elapsed: Duration) {
        self.events = output.totals().events;
        self.events_now += events;
        self.rejected = output.totals().rejected_sum();
        self.bytes_read = bytes_read;
        self.parts = output.parts();
        self.elapsed = elapsed;
    }
}

/// Is told of every batch that has been written.
pub trait Observer {
    /// Called on the thread that runs the job; quick, please.
    fn written(&mut self, snapshot: &Snapshot);

    /// Called once before the first batch when a job goes on: how many events were there already.
    fn resumed(&mut self, events: u64) {
        let _ = events;
    }
}

/// Shows nothing.
pub struct NoObserver;

impl Observer for NoObserver {
    fn written(&mut self, _: &Snapshot) {}
}
