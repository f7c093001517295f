//! The scenario with its published accounting.
//!
//! There is no queue. Every 0.5 s a sample is taken: packets and bytes since the last one, by the time since the last one. A buffer of `m` MB
//! is said to carry `10 m` MB/s (called Mbps there), and what goes beyond is dropped: of `packets a second x 0.5`. The reactive rule makes
//! the buffer half as large again over 80 %; the predictive one sets it to a fifth of ten times the present MB/s where traffic and latency
//! have been rising for ten samples.
//!
//! The first sample is taken right after the start, when the first ten packets have been sent, and divides them by the fraction of a
//! millisecond that has passed. The drops counted for it are `5 / e - 2,000` for `e` seconds: 29,250 for 160 us, 9,364 for 440 us. No rule
//! has done anything by then. The published totals are 30,465 and 9,771. With the reactive rule alone, 160 us give 30,100 (97 % of them in the
//! first sample) and 440 us give 10,200: "two thirds fewer" is how long each of the two runs took to print its heading.

use super::traffic::{STEP_MS, Traffic};

const SAMPLE_MS: u64 = 500;
const SAMPLE_S: f64 = 0.5;
/// What the published run lasted.
const RUN_MS: u64 = 30_000;
const SIZE_MB: (f64, f64) = (0.5, 10.0);
/// "10 Mbps per MB": megabytes a second, in fact.
const MBPS_PER_MB: f64 = 10.0;
/// Packets sent before the first sample: those of the first 10 ms, at once.
const FIRST_PACKETS: f64 = 10.0;
const FIRST_BYTES: f64 = 12_500.0;
/// Samples that a trend is taken over, and its relative slope from which it counts as rising.
const TREND: (usize, f64) = (10, 0.1);

/// One run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// All drops as they were counted.
    pub drops: u64,
    /// Those of the first sample.
    pub first_sample: u64,
}

impl Outcome {
    /// The share of the first sample, in percent.
    pub fn first_percent(&self) -> f64 {
        self.first_sample as f64 / self.drops.max(1) as f64 * 100.0
    }
}

/// Which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Grows after the fact.
    Reactive,
    /// Grows where it sees a rise.
    Predictive,
}

/// The state of a published rule: the buffer in MB, sized once a sample. [`super::fair`] runs it on a queue.
#[derive(Clone, Debug)]
pub struct Sizer {
    rule: Rule,
    size_mb: f64,
    is_active: bool,
    rates: Vec<f64>,
    is_busy: Vec<bool>,
}

impl Sizer {
    /// With the smallest buffer.
    pub const fn new(rule: Rule) -> Self {
        Self { rule, size_mb: SIZE_MB.0, is_active: false, rates: Vec::new(), is_busy: Vec::new() }
    }

    /// Takes in a sample and sizes the buffer; gives the utilization that drops were counted by. `is_busy`: a ramp or burst, by which
    /// the published traffic raises the latency that it reports.
    pub fn sample(&mut self, mbps: f64, is_busy: bool) -> f64 {
        self.rates.push(mbps);
        self.is_busy.push(is_busy);
        if self.rule == Rule::Predictive && !self.is_active && self.is_rising() {
            self.size_mb = (mbps * 10.0 / 5.0).min(SIZE_MB.1);
            self.is_active = true;
        }
        let utilization = mbps / (self.size_mb * MBPS_PER_MB);
        match self.rule {
            Rule::Reactive if utilization > 0.8 => self.size_mb = (self.size_mb * 1.5).min(SIZE_MB.1),
            Rule::Reactive if utilization < 0.3 => self.size_mb = (self.size_mb * 0.9).max(1.0),
            Rule::Predictive if self.is_active && utilization < 0.3 => {
                self.size_mb = (self.size_mb * 0.95).max(1.0);
                self.is_active = self.size_mb > 1.1;
            }
            _ => {}
        }
        utilization
    }

    /// The buffer, in bytes.
    pub fn size_bytes(&self) -> u64 {
        (self.size_mb * 1e6) as u64
    }

    /// Both the throughput and the reported latency rise over the last samples.
    fn is_rising(&self) -> bool {
        let Some(from) = self.rates.len().checked_sub(TREND.0) else { return false };
        let latencies: Vec<f64> = self.is_busy[from..].iter().map(|busy| if *busy { 7.0 } else { 5.0 }).collect();
        slope(&self.rates[from..]) > TREND.1 && slope(&latencies) > LATENCY_SLOPE
    }
}

/// The published detector wants the latency to rise by a tenth of its mean in each of ten samples, which the ramp's 5 to 7 ms do not
/// reach. A rise of any size counts here, in its favour.
const LATENCY_SLOPE: f64 = 0.0;

/// The slope of a line through `values`, as a part of their mean.
fn slope(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let (x_mean, y_mean) = ((count - 1.0) / 2.0, values.iter().sum::<f64>() / count);
    let above: f64 = values.iter().enumerate().map(|(x, y)| (x as f64 - x_mean) * (y - y_mean)).sum();
    let below: f64 = (0..values.len()).map(|x| (x as f64 - x_mean).powi(2)).sum();
    above / below / y_mean
}

/// One run, whose first sample was taken `first_us` after the start.
pub fn run(rule: Rule, seed: u64, first_us: f64) -> Outcome {
    let mut traffic = Traffic::new(seed, true);
    let mut sizer = Sizer::new(rule);
    let elapsed_s = first_us / 1e6;
    let first = dropped(FIRST_PACKETS / elapsed_s, sizer.sample(FIRST_BYTES / elapsed_s / 1e6, false));
    let mut outcome = Outcome { drops: first, first_sample: first };
    let (mut packets, mut bytes) = (0_u64, 0_u64);
    for now_ms in 0..RUN_MS {
        traffic.step(now_ms, |size| (packets, bytes) = (packets + 1, bytes + size));
        if (now_ms + STEP_MS).is_multiple_of(SAMPLE_MS) {
            let is_busy = traffic.rate_pps(now_ms) > 1_000.0;
            let utilization = sizer.sample(bytes as f64 / SAMPLE_S / 1e6, is_busy);
            outcome.drops += dropped(packets as f64 / SAMPLE_S, utilization);
            (packets, bytes) = (0, 0);
        }
    }
    outcome
}

/// What the published accounting drops in one sample.
fn dropped(pps: f64, utilization: f64) -> u64 {
    if utilization <= 1.0 {
        return 0;
    }
    let packets = (pps * SAMPLE_S).floor();
    (packets * (utilization - 1.0) / utilization) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_packets_make_thousands_of_drops() {
        // 5 / e - 2,000, but for whole packets.
        assert!(run(Rule::Reactive, 1, 160.0).first_sample.abs_diff(29_250) <= 2);
        assert!(run(Rule::Predictive, 1, 440.0).first_sample.abs_diff(9_364) <= 2);
        assert_eq!(
            run(Rule::Reactive, 1, 500_000.0).first_sample,
            0,
            "a first sample as long as the others drops nothing"
        );
    }

    #[test]
    fn nearly_all_published_drops_are_of_the_first_sample() {
        let (cold, warm) = (run(Rule::Reactive, 1, 160.0), run(Rule::Reactive, 1, 440.0));
        assert!(cold.first_percent() > 96.0, "{cold:?}");
        assert!(
            warm.drops * 3 < cold.drops + 1_000,
            "the same rule, started later, \"loses\" two thirds less: {cold:?} {warm:?}"
        );
    }

    #[test]
    fn the_first_sample_is_the_same_for_both_rules() {
        for first_us in [100.0, 160.0, 440.0] {
            let of = |rule| run(rule, 3, first_us).first_sample;
            assert_eq!(of(Rule::Reactive), of(Rule::Predictive));
        }
    }
}
