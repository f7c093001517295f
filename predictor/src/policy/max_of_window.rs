//! `max_of_window`: the largest backlog of the last seconds, and a little more. The strongest of the simple rules on real
//! traces, so also the floor that a learned policy must not fall under.
//!
//! The largest of a sliding window in constant time a tick on average: a queue of candidates, each smaller and later than
//! the one before (the monotonic wedge of Lemire, *Streaming maximum-minimum filter*, 2006). Fixed memory a slot.

use super::{Policy, Slots, Tick};
use crate::demand::Demand;
use crate::observation::Observation;

/// Length of the window: 10 s at 10 ms, longer than the pause between the bursts of pollers and exporters that send every few
/// seconds. Chosen, not fitted to any trace; [`MaxOfWindow::new`] takes another.
pub const WINDOW_TICKS: u32 = 1_000;

/// What is added to the largest backlog seen, as a fraction: a quarter. The next burst may be a little larger than the last;
/// with nothing added, every new record is lost in part.
pub const MARGIN: (u64, u64) = (1, 4);

/// Candidates kept for a slot. A wedge longer than this (a backlog that falls for 512 ticks in small steps) is thinned: the youngest
/// candidate then takes the value of the one it replaces, so the answer errs to the large side.
const CANDIDATES_MAX: usize = 512;

/// The rule.
#[derive(Debug)]
pub struct MaxOfWindow {
    window_ticks: u32,
    slots: Slots<Wedge>,
}

impl MaxOfWindow {
    /// The rule with a window of `window_ticks`, at least 1.
    pub fn new(window_ticks: u32) -> Self {
        Self { window_ticks: window_ticks.max(1), slots: Slots::new() }
    }
}

impl Default for MaxOfWindow {
    fn default() -> Self {
        Self::new(WINDOW_TICKS)
    }
}

impl Policy for MaxOfWindow {
    fn name(&self) -> &'static str {
        "max_of_window"
    }

    fn begin(&mut self, slot: usize, _original_bytes: u64) {
        self.slots.begin(slot, Wedge::new());
    }

    fn decide(&mut self, tick: Tick, seen: &[Observation], wanted: &mut [Demand]) {
        let oldest = tick.number.saturating_sub(u64::from(self.window_ticks - 1));
        for (wedge, seen, wanted) in self.slots.live(seen, wanted) {
            let largest = wedge.push(tick.number, seen.backlog_bytes(), oldest);
            *wanted = Demand::ceiling(largest.saturating_add(largest.div_ceil(MARGIN.1) * MARGIN.0));
        }
    }
}

/// Candidates for the largest value, oldest and largest first: the youngest by itself, those before it in a ring, and the first of
/// these once more. A buffer whose backlog does not fall touches no ring, which is far from the processor after 10 ms.
#[derive(Debug, Default)]
struct Wedge {
    ring: Box<[(u64, u64)]>,
    first: usize,
    count: usize,
    /// What the ring begins with; meaningless while it is empty.
    oldest: (u64, u64),
    youngest: Option<(u64, u64)>,
}

impl Wedge {
    fn new() -> Self {
        Self { ring: vec![(0, 0); CANDIDATES_MAX].into_boxed_slice(), ..Self::default() }
    }

    /// Takes in the value of tick `number`; the largest of all values from tick `oldest` on.
    fn push(&mut self, number: u64, value: u64, oldest: u64) -> u64 {
        while self.count > 0 && self.oldest.0 < oldest {
            self.first = (self.first + 1) % CANDIDATES_MAX;
            self.count -= 1;
            self.oldest = self.at(0);
        }
        match self.youngest.filter(|youngest| youngest.0 >= oldest) {
            Some(before) if before.1 > value => self.keep(before),
            _ => {
                while self.count > 0 && self.at(self.count - 1).1 <= value {
                    self.count -= 1;
                }
            }
        }
        self.youngest = Some((number, value));
        if self.count > 0 { self.oldest.1 } else { value }
    }

    /// Puts what was the youngest into the ring.
    fn keep(&mut self, candidate: (u64, u64)) {
        if self.count == CANDIDATES_MAX {
            let last = self.place(self.count - 1);
            self.ring[last].0 = candidate.0;
        } else {
            let place = self.place(self.count);
            self.ring[place] = candidate;
            self.count += 1;
        }
        self.oldest = self.at(0);
    }

    fn place(&self, offset: usize) -> usize {
        (self.first + offset) % CANDIDATES_MAX
    }

    fn at(&self, offset: usize) -> (u64, u64) {
        self.ring[self.place(offset)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::drive::One;

    #[test]
    fn keeps_the_largest_for_the_window_and_then_lets_go() {
        let mut one = One::new(MaxOfWindow::new(3), 1_000);
        assert_eq!(one.see(800, 0, 1_000), 1_000);
        assert_eq!(one.see(400, 0, 1_000), 1_000);
        assert_eq!(one.see(0, 0, 1_000), 1_000);
        assert_eq!(one.see(0, 0, 1_000), 500, "the tick of 800 has left the window");
        assert_eq!(one.see(100, 500, 1_000), 750, "what was dropped would have been queued");
    }

    proptest! {
        #[test]
        fn the_wedge_is_the_largest_of_the_window(values in prop::collection::vec(0u64..50, 1..400), window in 1u64..80) {
            let mut wedge = Wedge::new();
            for (number, &value) in values.iter().enumerate() {
                let oldest = (number as u64).saturating_sub(window - 1);
                let largest = values[oldest as usize..=number].iter().copied().max().unwrap_or(0);
                prop_assert_eq!(wedge.push(number as u64, value, oldest), largest);
            }
        }
    }

    #[test]
    fn a_wedge_that_overflows_errs_to_the_large_side() {
        let mut wedge = Wedge::new();
        let window = 900;
        let value = |number: u64| 5_000_u64.saturating_sub(number);
        for number in 0..3_000_u64 {
            let oldest = number.saturating_sub(window - 1);
            assert!(wedge.push(number, value(number), oldest) >= value(oldest));
        }
    }
}
