//! `always_big`: the budget in equal parts, always. It loses nothing as long as no single buffer needs more than its part, and
//! it is the rule to beat where buffers are few: memory is charged only when it is filled.

use super::{Policy, Tick};
use crate::demand::Demand;
use crate::observation::Observation;

/// The rule.
#[derive(Debug)]
pub struct AlwaysBig;

impl Policy for AlwaysBig {
    fn name(&self) -> &'static str {
        "always_big"
    }

    fn begin(&mut self, _slot: usize, _original_bytes: u64) {}

    fn decide(&mut self, tick: Tick, seen: &[Observation], wanted: &mut [Demand]) {
        let part = tick.budget_bytes / (tick.live.max(1) as u64);
        for (wanted, _) in wanted.iter_mut().zip(seen).filter(|(_, seen)| seen.live) {
            *wanted = Demand::ceiling(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parts_of_the_budget() {
        let live = Observation { live: true, ..Observation::default() };
        let mut wanted = [Demand::default(); 3];
        let tick = Tick { number: 0, budget_bytes: 1_001, live: 2 };
        AlwaysBig.decide(tick, &[live, Observation::default(), live], &mut wanted);
        assert_eq!(wanted.map(|demand| demand.bytes()[0]), [500, 0, 500]);
    }
}
