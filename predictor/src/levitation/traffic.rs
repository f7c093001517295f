//! What arrives.

/// Milliseconds of a step.
pub const STEP_MS: u64 = 1;

const BASE_PPS: f64 = 1_000.0;
const BURST_PPS: f64 = 50_000.0;
const BURST_MS: u64 = 2_000;
/// From the end of a burst to the next one.
const BETWEEN_MS: u64 = 15_000;
const RAMP_MS: u64 = 5_000;

/// Packets are of every size from the one to the other, in bytes.
pub const PACKET_BYTES: (u64, u64) = (1_000, 1_500);

/// The traffic of one seed.
#[derive(Clone, Debug)]
pub struct Traffic {
    has_ramp: bool,
    random: Random,
}

impl Traffic {
    /// With the ramp before each burst, as published, or without any sign of it.
    pub const fn new(seed: u64, has_ramp: bool) -> Self {
        Self { has_ramp, random: Random::new(seed) }
    }

    /// Packets a second at `now_ms`.
    pub fn rate_pps(&self, now_ms: u64) -> f64 {
        let place = now_ms % (BETWEEN_MS + BURST_MS);
        let ramp = place.saturating_sub(BETWEEN_MS - RAMP_MS);
        if place >= BETWEEN_MS {
            BURST_PPS
        } else if self.has_ramp && ramp > 0 {
            BASE_PPS + (BURST_PPS - BASE_PPS) * ramp as f64 / RAMP_MS as f64
        } else {
            BASE_PPS
        }
    }

    /// Gives the size of each packet of the step at `now_ms` to `each`.
    pub fn step(&mut self, now_ms: u64, mut each: impl FnMut(u64)) {
        let mean = self.rate_pps(now_ms) * STEP_MS as f64 / 1_000.0;
        let (least, most) = PACKET_BYTES;
        for _ in 0..self.random.poisson(mean) {
            each(least + self.random.below(most - least + 1));
        }
    }
}

/// A small generator (xorshift64*; Vigna, *An experimental exploration of Marsaglia's xorshift generators, scrambled*, 2016).
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Counts of a Poisson process by its gaps; means here are at most 50.
    fn poisson(&mut self, mean: f64) -> u64 {
        let mut passed = -(1.0 - self.unit()).ln();
        let mut count = 0;
        while passed < mean {
            passed -= (1.0 - self.unit()).ln();
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(has_ramp: bool, from_ms: u64, to_ms: u64) -> u64 {
        let mut traffic = Traffic::new(7, has_ramp);
        let mut count = 0;
        (from_ms..to_ms).for_each(|now| traffic.step(now, |_| count += 1));
        count
    }

    #[test]
    fn it_is_what_was_published() {
        assert!((9_500..10_500).contains(&packets(true, 0, 10_000)), "1,000 a second");
        assert!((126_000..129_000).contains(&packets(true, 10_000, 15_000)), "the ramp");
        assert!((99_000..101_000).contains(&packets(true, 15_000, 17_000)), "the burst");
        assert!((4_700..5_300).contains(&packets(false, 10_000, 15_000)), "no ramp");
        assert_eq!(packets(true, 0, 17_000), packets(true, 0, 17_000), "the same seed is the same traffic");
    }

    #[test]
    fn sizes_are_spread_evenly() {
        let mut traffic = Traffic::new(1, true);
        let (mut sum, mut count) = (0, 0);
        for now in 15_000..17_000 {
            traffic.step(now, |bytes| {
                assert!((PACKET_BYTES.0..=PACKET_BYTES.1).contains(&bytes));
                (sum, count) = (sum + bytes, count + 1);
            });
        }
        assert!((1_245..1_255).contains(&(sum / count)));
    }
}
