//! How far the batch job has come: a bar with rate and time left on a terminal, a log line now and then elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use forebay_embedder::batch::{Observer, Snapshot};
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Shows a job.
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    logged: Duration,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style)
        });
        Self { bar, logged: Duration::ZERO }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Bar {
    fn written(&mut self, snapshot: &Snapshot) {
        let rate = HumanCount(rate(snapshot) as u64);
        let left = time_left(snapshot).map_or_else(|| "unknown".to_owned(), |left| HumanDuration(left).to_string());
        if let Some(bar) = &self.bar {
            bar.set_length(snapshot.bytes_total.unwrap_or(snapshot.bytes_read));
            bar.set_position(snapshot.bytes_read);
            bar.set_message(format!("{} events, {rate}/s, {left} left", HumanCount(snapshot.events)));
        } else if snapshot.elapsed.saturating_sub(self.logged) >= LOG_EVERY {
            self.logged = snapshot.elapsed;
            let Snapshot { events, rejected, parts, .. } = *snapshot;
            tracing::info!(events, rejected, parts, per_second = %rate, left, "embedding");
        }
    }

    fn resumed(&mut self, events: u64) {
        tracing::info!(events, "going on where an earlier run stopped; reading over what is done");
    }
}

/// Events of this run in a second.
fn rate(snapshot: &Snapshot) -> f64 {
    snapshot.events_now as f64 / snapshot.elapsed.as_secs_f64().max(1e-9)
}

/// Time left if the rest goes as the part before did.
fn time_left(snapshot: &Snapshot) -> Option<Duration> {
    let total = snapshot.bytes_total.filter(|_| snapshot.bytes_read > 0)?;
    let share = total.saturating_sub(snapshot.bytes_read) as f64 / snapshot.bytes_read as f64;
    Duration::try_from_secs_f64(snapshot.elapsed.as_secs_f64() * share).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_in_proportion() {
        let at = |bytes_read, bytes_total| {
            time_left(&Snapshot { bytes_read, bytes_total, elapsed: Duration::from_secs(10), ..Snapshot::default() })
        };
        assert_eq!(at(25, Some(100)), Some(Duration::from_secs(30)));
        assert_eq!(at(100, Some(100)), Some(Duration::ZERO));
        assert_eq!(at(0, Some(100)), None);
        assert_eq!(at(25, None), None);
    }
}
