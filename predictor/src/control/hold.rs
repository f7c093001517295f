//! How long a ceiling is kept.

/// Part of a ceiling that a wish must fall short by before it counts as less: an eighth. Smaller moves are not worth a change.
const SHRINK_BAND: u64 = 8;

/// When the ceiling of one buffer was last needed.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    needed_ms: u64,
}

impl Hold {
    /// A buffer met at `now_ms`.
    pub const fn new(now_ms: u64) -> Self {
        Self { needed_ms: now_ms }
    }

    /// Takes in that the buffer should have `wanted_bytes` where it has `ceiling_bytes`; whether that is a wish for less.
    pub fn see(&mut self, now_ms: u64, wanted_bytes: u64, ceiling_bytes: u64) -> bool {
        let is_less = wanted_bytes < ceiling_bytes - ceiling_bytes / SHRINK_BAND;
        if !is_less {
            self.needed_ms = now_ms;
        }
        is_less
    }

    /// Whether the ceiling was not needed for `hold_ms`. A clock that stepped back only makes the wait longer.
    pub const fn is_over(&self, now_ms: u64, hold_ms: u64) -> bool {
        now_ms.saturating_sub(self.needed_ms) >= hold_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_only_after_a_whole_quiet_time() {
        let mut hold = Hold::new(0);
        assert!(hold.see(100, 10, 1_000));
        assert!(!hold.is_over(499, 500) && hold.is_over(500, 500));
        assert!(!hold.see(400, 900, 1_000), "nearly the whole ceiling is wanted: it counts as needed");
        assert!(!hold.is_over(899, 500) && hold.is_over(900, 500));
        assert!(!hold.is_over(0, 500), "a clock that went back");
    }
}
