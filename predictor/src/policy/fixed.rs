//! `static`: every buffer keeps the limit that its program gave it. What everyone has today, so the first baseline.

use super::{Policy, Slots, Tick};
use crate::demand::Demand;
use crate::observation::Observation;

/// The rule.
#[derive(Debug)]
pub struct Fixed {
    original_bytes: Slots<u64>,
}

impl Fixed {
    /// The rule, with no buffers yet.
    pub const fn new() -> Self {
        Self { original_bytes: Slots::new() }
    }
}

impl Default for Fixed {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for Fixed {
    fn name(&self) -> &'static str {
        "static"
    }

    fn begin(&mut self, slot: usize, original_bytes: u64) {
        self.original_bytes.begin(slot, original_bytes);
    }

    fn decide(&mut self, _tick: Tick, seen: &[Observation], wanted: &mut [Demand]) {
        for (original, _, wanted) in self.original_bytes.live(seen, wanted) {
            *wanted = Demand::ceiling(*original);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::drive::One;

    #[test]
    fn nothing_moves_it() {
        let mut one = One::new(Fixed::new(), 212_992);
        assert_eq!([one.see(0, 0, 212_992), one.see(212_992, 1 << 20, 212_992)], [212_992; 2]);
    }
}
