//! How far a long job has come: a bar with rate and time left on a terminal, a log line now and then elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use forebay_event::source::Progress;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Items between two looks at the clock; a look costs more than an item.
const ITEMS_PER_LOOK: u64 = 1024;

/// Shows the progress of one input.
pub(crate) struct Meter {
    name: String,
    bar: Option<ProgressBar>,
    began: Instant,
    logged: Instant,
    items: u64,
}

impl Meter {
    /// Begins to show the input called `name`.
    pub(crate) fn new(name: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{prefix} {wide_bar} {bytes}/{total_bytes} {msg} {eta} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style).with_prefix(name.to_owned())
        });
        Self { name: name.to_owned(), bar, began: Instant::now(), logged: Instant::now(), items: 0 }
    }

    /// One item more; `progress` is asked only when it is time to show something.
    pub(crate) fn item(&mut self, progress: impl FnOnce() -> Progress) {
        self.items += 1;
        if self.items.is_multiple_of(ITEMS_PER_LOOK) {
            self.show(progress());
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self, progress: Progress) {
        let seconds = self.began.elapsed().as_secs_f64().max(1e-9);
        let rate = self.items as f64 / seconds;
        if let Some(bar) = &self.bar {
            bar.set_length(progress.bytes_total.unwrap_or(progress.bytes_read));
            bar.set_position(progress.bytes_read);
            bar.set_message(format!("{}/s", HumanCount(rate as u64)));
        } else if self.logged.elapsed() >= LOG_EVERY {
            self.logged = Instant::now();
            let left = time_left(progress, seconds)
                .map_or_else(|| "unknown".to_owned(), |left| HumanDuration(left).to_string());
            tracing::info!(input = self.name, items = self.items, per_second = rate as u64, left, "reading");
        }
    }
}

/// Time left if the rest goes as the part before did.
fn time_left(progress: Progress, seconds: f64) -> Option<Duration> {
    let total = progress.bytes_total?;
    if progress.bytes_read == 0 {
        return None;
    }
    let left = total.saturating_sub(progress.bytes_read) as f64 / progress.bytes_read as f64 * seconds;
    Duration::try_from_secs_f64(left).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_in_proportion() {
        let at = |bytes_read, bytes_total| time_left(Progress { bytes_read, bytes_total }, 10.0);
        assert_eq!(at(25, Some(100)), Some(Duration::from_secs(30)));
        assert_eq!(at(100, Some(100)), Some(Duration::ZERO));
        assert_eq!(at(0, Some(100)), None);
        assert_eq!(at(25, None), None);
    }
}
