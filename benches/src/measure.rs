//! Times and memory, as the kernel tells them.

use serde::{Deserialize, Serialize};

/// How long things took that were done one after the other.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// How many.
    pub count: usize,
    /// The median, milliseconds.
    pub p50_ms: f64,
    /// What 99 of 100 stay below, milliseconds.
    pub p99_ms: f64,
    /// The slowest, milliseconds.
    pub max_ms: f64,
    /// How many a second at the mean.
    pub per_second: f64,
}

impl Latency {
    /// The summary of `seconds`, which must not be empty.
    pub fn of(seconds: &[f64]) -> Self {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize] * 1e3;
        let sum: f64 = sorted.iter().sum();
        Self {
            count: sorted.len(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
            per_second: sorted.len() as f64 / sum,
        }
    }
}

/// Resident memory of this process in bytes, from `/proc/self/smaps_rollup` (proc(5)), which walks the page tables: the
/// counts in `status` are kept by each processor and may lag behind by megabytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Resident {
    /// All of it, with the pages of mapped files that happen to be in memory.
    pub all: u64,
    /// Memory of its own, which the system cannot take back.
    pub anonymous: u64,
    /// Pages of mapped files.
    pub mapped: u64,
    /// The most that `all` has been.
    pub peak: u64,
}

impl Resident {
    /// As of now; zeros where the kernel does not say.
    pub fn now() -> Self {
        let bytes = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        let rollup = fs_err::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
        let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
        let (all, anonymous) = (bytes(&rollup, "Rss:"), bytes(&rollup, "Anonymous:"));
        Self { all, anonymous, mapped: all.saturating_sub(anonymous), peak: bytes(&status, "VmHWM:").max(all) }
    }
}

/// A straight line through points, by least squares.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Slope {
    /// Rise for each step of x.
    pub value: f64,
    /// Its standard error, of independent residuals.
    pub standard_error: f64,
}

impl Slope {
    /// The line through `points`; none of fewer than three, or where x does not vary.
    pub fn of(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len() as f64;
        let mean_x = points.iter().map(|p| p.0).sum::<f64>() / count;
        let mean_y = points.iter().map(|p| p.1).sum::<f64>() / count;
        let spread: f64 = points.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
        if points.len() < 3 || spread == 0.0 {
            return None;
        }
        let value = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum::<f64>() / spread;
        let left: f64 = points.iter().map(|p| (p.1 - mean_y - value * (p.0 - mean_x)).powi(2)).sum();
        Some(Self { value, standard_error: (left / (count - 2.0) / spread).sqrt() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_of_the_sorted_times() {
        let latency = Latency::of(&[0.003, 0.001, 0.002]);
        assert_eq!((latency.p50_ms, latency.max_ms, latency.count), (2.0, 3.0, 3));
        assert!((latency.per_second - 500.0).abs() < 1e-9);
    }

    #[test]
    fn a_line_is_found_again() {
        let slope = Slope::of(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)]).unwrap();
        assert!((slope.value - 2.0).abs() < 1e-12 && slope.standard_error < 1e-9, "{slope:?}");
        assert!(Slope::of(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]).is_none());
    }

    #[test]
    fn the_kernel_says_how_much_is_resident() {
        let resident = Resident::now();
        assert!(resident.all > 0 && resident.peak >= resident.all);
    }
}
