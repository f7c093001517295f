//! `ewma`: the moving average of the backlog and k of its mean deviations.
//!
//! Jacobson's estimator (*Congestion Avoidance and Control*, 1988; RFC 6298, section 2) put to a buffer instead of a round
//! trip: `deviation += (|x - mean| - deviation) / 4`, `mean += (x - mean) / 8`, ceiling `mean + k * deviation`.

use super::{Policy, Slots, Tick};
use crate::demand::Demand;
use crate::observation::Observation;

/// Weight of a new value in the mean (RFC 6298: alpha).
const ALPHA: f64 = 1.0 / 8.0;

/// Weight of a new deviation (RFC 6298: beta).
const BETA: f64 = 1.0 / 4.0;

/// Deviations above the mean (RFC 6298: K is 4).
pub const SIGMAS: f64 = 4.0;

/// The rule.
#[derive(Debug)]
pub struct Ewma {
    sigmas: f64,
    slots: Slots<State>,
}

#[derive(Debug, Default)]
struct State {
    mean: f64,
    deviation: f64,
}

impl Ewma {
    /// The rule with `sigmas` deviations; what is no number above 0 counts as 0.
    pub fn new(sigmas: f64) -> Self {
        Self { sigmas: if sigmas > 0.0 && sigmas.is_finite() { sigmas } else { 0.0 }, slots: Slots::new() }
    }
}

impl Default for Ewma {
    fn default() -> Self {
        Self::new(SIGMAS)
    }
}

impl Policy for Ewma {
    fn name(&self) -> &'static str {
        "ewma"
    }

    fn begin(&mut self, slot: usize, _original_bytes: u64) {
        self.slots.begin(slot, State::default());
    }

    fn decide(&mut self, _tick: Tick, seen: &[Observation], wanted: &mut [Demand]) {
        let sigmas = self.sigmas;
        for (state, seen, wanted) in self.slots.live(seen, wanted) {
            let value = seen.backlog_bytes() as f64;
            state.deviation += BETA * ((value - state.mean).abs() - state.deviation);
            state.mean += ALPHA * (value - state.mean);
            // Up, so that a load that never changes ends at or above itself.
            *wanted = Demand::ceiling((state.mean + sigmas * state.deviation).ceil() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::drive::One;

    #[test]
    fn the_first_values_are_those_of_the_formula() {
        let mut one = One::new(Ewma::default(), 0);
        // deviation 200, mean 100: 100 + 4 * 200.
        assert_eq!(one.see(800, 0, 10_000), 900);
        // deviation 200 + (700 - 200) / 4 = 325, mean 100 + 700 / 8 = 187.5: 187.5 + 1300, rounded up.
        assert_eq!(one.see(800, 0, 10_000), 1_488);
    }

    #[test]
    fn a_quiet_buffer_is_let_down_to_nothing() {
        let mut one = One::new(Ewma::default(), 0);
        one.see(1_000_000, 0, 1 << 20);
        let last = (0..500).map(|_| one.see(0, 0, 1 << 20)).last().unwrap();
        assert!(last <= 1, "{last}");
    }
}
