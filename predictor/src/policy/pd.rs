//! `pd`: a proportional-derivative controller that holds the backlog at half of the ceiling.
//!
//! `ceiling += KP * (2 * backlog - ceiling) + KD * 2 * (backlog - backlog before)`: the first part closes the distance to a
//! ceiling of twice the backlog, the second acts on how fast the backlog moves, before the distance is there. The form is that
//! of controllers for active queue management (Hollot, Misra, Towsley and Gong, *On designing improved controllers for AQM
//! routers supporting TCP flows*, 2001), turned around: they hold a queue by dropping, this holds the room by growing.

use super::{Policy, Slots, Tick};
use crate::demand::Demand;
use crate::observation::Observation;

/// Part of the distance that is closed in a tick: 1/8, so 87 % in 16 ticks. Above 1/4 it follows every swing.
const KP: f64 = 0.125;

/// Part of the move of the backlog that is answered in the same tick: all of it. It acts upwards only; a falling backlog is left
/// to the proportional part, since a burst that drains is no reason to hurry.
const KD: f64 = 1.0;

/// Ceiling over backlog that it aims at: half full (the growing point of `reactive_doubling`, so that the two compare).
const HEADROOM: f64 = 2.0;

/// The rule.
#[derive(Debug)]
pub struct Pd {
    slots: Slots<State>,
}

#[derive(Debug, Default)]
struct State {
    ceiling: f64,
    before: f64,
}

impl Pd {
    /// The rule, with no buffers yet.
    pub const fn new() -> Self {
        Self { slots: Slots::new() }
    }
}

impl Default for Pd {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for Pd {
    fn name(&self) -> &'static str {
        "pd"
    }

    fn begin(&mut self, slot: usize, original_bytes: u64) {
        self.slots.begin(slot, State { ceiling: original_bytes as f64, before: 0.0 });
    }

    fn decide(&mut self, tick: Tick, seen: &[Observation], wanted: &mut [Demand]) {
        let most = tick.budget_bytes as f64;
        for (state, seen, wanted) in self.slots.live(seen, wanted) {
            let backlog = seen.backlog_bytes() as f64;
            let rise = (backlog - state.before).max(0.0);
            let step = KP * (HEADROOM * backlog - state.ceiling) + KD * HEADROOM * rise;
            // Held between nothing and the budget, so that the sum cannot wind up (anti-windup).
            state.ceiling = (state.ceiling + step).clamp(0.0, most);
            state.before = backlog;
            *wanted = Demand::ceiling(state.ceiling.ceil() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::drive::One;

    #[test]
    fn a_rise_is_answered_in_its_tick() {
        let mut one = One::new(Pd::new(), 0);
        assert!(one.see(100_000, 0, 212_992) >= 200_000);
    }

    #[test]
    fn a_lasting_load_settles_at_half_full() {
        let mut one = One::new(Pd::new(), 0);
        let last = (0..500).map(|_| one.see(100_000, 0, 212_992)).last().unwrap();
        assert!((199_990..=200_010).contains(&last), "{last}");
    }

    #[test]
    fn it_does_not_wind_up_beyond_the_budget() {
        let mut one = One::new(Pd::new(), 0);
        assert_eq!((0..100).map(|_| one.see(u64::MAX / 4, 0, 1)).last().unwrap(), 1 << 30);
    }
}
