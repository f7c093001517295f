//! What came, and what it was before: arrivals and drops over the last answers.

use std::collections::{HashMap, VecDeque};

use super::source::Shown;

/// Answers remembered: as many as a wide terminal has columns to draw them in.
const HISTORY: usize = 240;

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) report: Shown,
    /// Why the last answer did not come.
    pub(super) trouble: Option<String>,
    /// Row that is looked at closely.
    pub(super) chosen: usize,
    series: HashMap<u64, Series>,
}

/// One buffer over time.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Bytes that arrived a second, an entry an answer, the newest last.
    pub(super) arrivals: VecDeque<u64>,
    arrived_bytes: u64,
}

impl Model {
    pub(super) fn take(&mut self, report: Shown) {
        let seconds = (report.time_us - self.report.time_us) as f64 / 1e6;
        self.series.retain(|id, _| report.buffers.iter().any(|buffer| buffer.id == *id));
        for buffer in &report.buffers {
            let is_new = !self.series.contains_key(&buffer.id);
            let series = self.series.entry(buffer.id).or_default();
            let arrived = buffer.arrived_bytes.saturating_sub(series.arrived_bytes) as f64;
            series.arrived_bytes = buffer.arrived_bytes;
            // The first answer is a sum since long ago; a second one of the same report says nothing.
            if !is_new && seconds > 0.0 {
                series.arrivals.push_back((arrived / seconds) as u64);
            }
            if series.arrivals.len() > HISTORY {
                series.arrivals.pop_front();
            }
        }
        self.chosen = self.chosen.min(report.buffers.len().saturating_sub(1));
        self.report = report;
        self.trouble = None;
    }

    pub(super) fn lost(&mut self, why: String) {
        self.trouble = Some(why);
    }

    pub(super) fn choose(&mut self, step: isize) {
        let last = self.report.buffers.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(step).min(last);
    }

    /// Arrivals of a buffer, the newest last, at most `count`.
    pub(super) fn arrivals(&self, id: u64, count: usize) -> Vec<u64> {
        let arrivals = self.series.get(&id).map(|series| &series.arrivals);
        arrivals.map_or_else(Vec::new, |all| all.iter().skip(all.len().saturating_sub(count)).copied().collect())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use forebay_predictor::sidecar::BufferReport;
    use forebay_predictor::target::Kind;

    use super::*;

    pub(in crate::top) fn buffer(id: u64) -> BufferReport {
        BufferReport {
            id,
            target: "port:514".to_owned(),
            program: "rsyslogd".to_owned(),
            pid: 42,
            kind: Kind::Udp,
            port: 514,
            queued_bytes: 1 << 20,
            ceiling_bytes: 4 << 20,
            recommended_bytes: 4 << 20,
            original_bytes: 212_992,
            dropped_packets: 17,
            arrived_bytes: 0,
            arrived_packets: 0,
            is_counted: false,
            is_applied: true,
            forecast_bytes: None,
        }
    }

    pub(in crate::top) fn report(time_us: i64, buffers: Vec<BufferReport>) -> Shown {
        Shown { time_us, policy: "max_of_window".to_owned(), budget_bytes: 64 << 20, buffers, ..Shown::default() }
    }

    #[test]
    fn arrivals_are_by_the_second_and_a_sum_from_before_is_none() {
        let mut model = Model::default();
        model.take(report(1_000_000, vec![BufferReport { arrived_bytes: 5_000, ..buffer(1) }]));
        model.take(report(1_500_000, vec![BufferReport { arrived_bytes: 6_000, ..buffer(1) }]));
        model.take(report(1_500_000, vec![BufferReport { arrived_bytes: 6_000, ..buffer(1) }]));
        model.take(report(2_500_000, vec![BufferReport { arrived_bytes: 6_500, ..buffer(1) }, buffer(2)]));
        assert_eq!(model.arrivals(1, 10), [2_000, 500]);
        assert_eq!(model.arrivals(1, 1), [500]);
        assert!(model.arrivals(2, 10).is_empty());
    }

    #[test]
    fn the_choice_stays_on_the_list() {
        let mut model = Model::default();
        model.choose(-1);
        model.take(report(1, vec![buffer(1), buffer(2)]));
        model.choose(5);
        assert_eq!(model.chosen, 1);
        model.take(report(2, vec![buffer(1)]));
        assert_eq!(model.chosen, 0);
    }
}
