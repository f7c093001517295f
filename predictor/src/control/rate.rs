//! How often one buffer may change: a token bucket.

/// Changes that may come at once after a quiet time: a burst that outgrows its first answer is answered again and again.
const BURST: u64 = 8;

const MS_A_SECOND: u64 = 1_000;

/// The changes one buffer has left, in thousandths of a change.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    thousandths: u64,
    filled_ms: u64,
}

impl Bucket {
    /// A full bucket.
    pub const fn new(now_ms: u64) -> Self {
        Self { thousandths: BURST * MS_A_SECOND, filled_ms: now_ms }
    }

    /// Takes one change, if there is one.
    pub fn take(&mut self, now_ms: u64, changes_per_s: u32) -> bool {
        let gained = now_ms.saturating_sub(self.filled_ms).saturating_mul(u64::from(changes_per_s));
        self.thousandths = self.thousandths.saturating_add(gained).min(BURST * MS_A_SECOND);
        self.filled_ms = now_ms;
        let has_one = self.thousandths >= MS_A_SECOND;
        if has_one {
            self.thousandths -= MS_A_SECOND;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut bucket = Bucket::new(0);
        let taken = (0..10_000).step_by(10).filter(|&now| bucket.take(now, 20)).count() as u64;
        assert_eq!(taken, BURST + 20 * 10 - 1, "the last tick is at 9.99 s");
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::new(5_000);
        assert_eq!((0..100).filter(|_| bucket.take(0, 1_000)).count() as u64, BURST);
    }
}
