//! `reactive_doubling`: twice the limit when a packet was dropped or the buffer is half full, half of it after a quiet time.
//!
//! What a careful administrator would script. It always comes after the first loss of a burst that fills the buffer within a
//! tick; how late depends on how soon the machine lets it run.

use super::{Policy, Slots, Tick};
use crate::demand::Demand;
use crate::observation::Observation;

/// Fill from which it grows: half. TCP's own auto-tuning doubles at the same point (Fisk and Feng, *Dynamic Right-Sizing
/// in TCP*, 2001: room for twice what was read in the last round trip).
const GROW_FILL: (u64, u64) = (1, 2);

/// Fill under which a tick counts as quiet: an eighth, a quarter of the growing point after halving, so that it does not swing.
const QUIET_FILL: (u64, u64) = (1, 8);

/// Quiet ticks before it halves: 10 s at 10 ms. Bursts of collectors come every 1 to 15 s; halving sooner loses the next.
const QUIET_TICKS: u32 = 1_000;

/// The rule.
#[derive(Debug)]
pub struct ReactiveDoubling {
    slots: Slots<State>,
}

#[derive(Debug, Default)]
struct State {
    ceiling_bytes: u64,
    floor_bytes: u64,
    quiet_ticks: u32,
}

impl ReactiveDoubling {
    /// The rule, with no buffers yet.
    pub const fn new() -> Self {
        Self { slots: Slots::new() }
    }
}

impl Default for ReactiveDoubling {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for ReactiveDoubling {
    fn name(&self) -> &'static str {
        "reactive_doubling"
    }

    fn begin(&mut self, slot: usize, original_bytes: u64) {
        let floor_bytes = original_bytes.max(1);
        self.slots.begin(slot, State { ceiling_bytes: floor_bytes, floor_bytes, quiet_ticks: 0 });
    }

    fn decide(&mut self, tick: Tick, seen: &[Observation], wanted: &mut [Demand]) {
        for (state, seen, wanted) in self.slots.live(seen, wanted) {
            state.see(seen, tick.budget_bytes);
            *wanted = Demand::ceiling(state.ceiling_bytes);
        }
    }
}

impl State {
    fn see(&mut self, seen: &Observation, most_bytes: u64) {
        // The limit in force may be another than the one asked for; a full buffer is full by the former.
        let limit = seen.ceiling_bytes.max(1);
        if seen.drops > 0 || reaches(seen.queued_bytes, limit, GROW_FILL) {
            let base = self.ceiling_bytes.min(limit.saturating_mul(2)).max(self.floor_bytes);
            self.ceiling_bytes = base.max(limit).saturating_mul(2).min(most_bytes.max(self.floor_bytes));
            self.quiet_ticks = 0;
        } else if reaches(seen.queued_bytes, limit, QUIET_FILL) {
            self.quiet_ticks = 0;
        } else {
            self.quiet_ticks += 1;
            if self.quiet_ticks >= QUIET_TICKS {
                self.ceiling_bytes = (self.ceiling_bytes / 2).max(self.floor_bytes);
                self.quiet_ticks = 0;
            }
        }
    }
}

fn reaches(queued: u64, limit: u64, (over, under): (u64, u64)) -> bool {
    queued.saturating_mul(under) >= limit.saturating_mul(over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::drive::One;

    #[test]
    fn doubles_at_half_full_and_on_a_drop() {
        let mut one = One::new(ReactiveDoubling::new(), 1_000);
        assert_eq!(one.see(499, 0, 1_000), 1_000);
        assert_eq!(one.see(500, 0, 1_000), 2_000);
        assert_eq!(one.see(0, 832, 2_000), 4_000, "a drop is enough, even if the queue is empty again");
    }

    #[test]
    fn halves_after_a_quiet_time_and_not_under_the_original() {
        let mut one = One::new(ReactiveDoubling::new(), 1_000);
        one.see(1_000, 832, 1_000);
        for _ in 1..QUIET_TICKS {
            assert_eq!(one.see(0, 0, 2_000), 2_000);
        }
        assert_eq!(one.see(0, 0, 2_000), 1_000);
        for _ in 0..3 * QUIET_TICKS {
            assert_eq!(one.see(0, 0, 1_000), 1_000);
        }
    }

    #[test]
    fn stays_within_the_budget() {
        let mut one = One::new(ReactiveDoubling::new(), 1_000);
        let mut ceiling = 1_000;
        for _ in 0..100 {
            ceiling = one.see(ceiling, 832, ceiling);
        }
        assert_eq!(ceiling, 1 << 30);
    }
}
