//! The changes of one tick, in two steps: first what is given up, then what is given out.
//!
//! The caller carries the first out and writes the ceilings that came of it into the seats before it asks for the second, so that
//! a shrink that failed frees nothing.

use super::{Bucket, GRAIN_BYTES, Hold, Rules};

/// Part of a ceiling that a wish must go beyond before it counts as more: a sixteenth. A share that trembles makes no changes.
const GROW_BAND: u64 = 16;

/// One buffer at the table.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// Whether a buffer sits here.
    pub live: bool,
    /// The limit in force, in bytes.
    pub ceiling_bytes: u64,
    /// What is queued, in bytes.
    pub queued_bytes: u64,
    /// The share it was given, in bytes.
    pub share_bytes: u64,
    /// When the ceiling was last needed.
    pub hold: Hold,
    /// How many changes it has left.
    pub bucket: Bucket,
}

impl Seat {
    /// The seat of a buffer met at `now_ms`.
    pub const fn new(now_ms: u64, ceiling_bytes: u64) -> Self {
        Self {
            live: true,
            ceiling_bytes,
            queued_bytes: 0,
            share_bytes: ceiling_bytes,
            hold: Hold::new(now_ms),
            bucket: Bucket::new(now_ms),
        }
    }

    /// A seat with nobody on it.
    pub const fn empty() -> Self {
        Self { live: false, ..Self::new(0, 0) }
    }
}

/// What happens to one buffer in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was due.
    Keep,
    /// The ceiling is to be this, in bytes.
    Set(u64),
    /// A change was due and waits.
    Wait(Deferred),
}

/// Why a change that was due did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deferred {
    /// The ceiling was needed within the hold time.
    Hold,
    /// More is queued than the new ceiling: whatever came next would be lost.
    Queue,
    /// Too many changes of this buffer lately.
    Rate,
    /// Others hold the room.
    Budget,
}

impl Deferred {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Queue, Self::Rate, Self::Budget];

    /// The name in counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Queue => "queue",
            Self::Rate => "rate",
            Self::Budget => "budget",
        }
    }
}

/// What is given up. Where someone lacks room that the ceilings in force do not leave free, or they are over a budget that was lowered,
/// nobody's hold counts.
pub fn shrinks(rules: Rules, now_ms: u64, budget_bytes: u64, seats: &mut [Seat], verdicts: &mut [Verdict]) {
    let (free, lacking) = room(budget_bytes, seats);
    let used = seats.iter().filter(|seat| seat.live).map(|seat| seat.ceiling_bytes).fold(0, u64::saturating_add);
    let is_short = lacking > free || used > budget_bytes;
    for (seat, verdict) in seats.iter_mut().zip(verdicts) {
        *verdict = if seat.live { seat.shrink(rules, now_ms, is_short) } else { Verdict::Keep };
    }
}

/// What is given out, from what the ceilings in force leave of the budget. Where that is not enough for all, each gets the
/// same part of what it lacks.
pub fn grows(rules: Rules, now_ms: u64, budget_bytes: u64, seats: &mut [Seat], verdicts: &mut [Verdict]) {
    let (free, lacking) = room(budget_bytes, seats);
    for (seat, verdict) in seats.iter_mut().zip(verdicts) {
        *verdict = if seat.live { seat.grow(rules, now_ms, free, lacking) } else { Verdict::Keep };
    }
}

/// What the ceilings in force leave of the budget, and what is lacking, in bytes.
fn room(budget_bytes: u64, seats: &[Seat]) -> (u64, u64) {
    let live = || seats.iter().filter(|seat| seat.live);
    let used = live().map(|seat| seat.ceiling_bytes).fold(0, u64::saturating_add);
    (budget_bytes.saturating_sub(used), live().map(Seat::lack).fold(0, u64::saturating_add))
}

impl Seat {
    fn shrink(&mut self, rules: Rules, now_ms: u64, is_short: bool) -> Verdict {
        let is_less = self.hold.see(now_ms, self.share_bytes, self.ceiling_bytes);
        // Rounded up: a buffer keeps at least its share. The sum still falls, since this is a shrink.
        let target = self.share_bytes.div_ceil(GRAIN_BYTES).saturating_mul(GRAIN_BYTES);
        let is_due = is_less || (is_short && self.share_bytes < self.ceiling_bytes);
        if !is_due || target >= self.ceiling_bytes {
            return Verdict::Keep;
        }
        if self.queued_bytes > target {
            return Verdict::Wait(Deferred::Queue);
        }
        if !is_short && !self.hold.is_over(now_ms, rules.hold_ms) {
            return Verdict::Wait(Deferred::Hold);
        }
        self.change(rules, now_ms, target)
    }

    fn grow(&mut self, rules: Rules, now_ms: u64, free: u64, lacking: u64) -> Verdict {
        let lack = self.lack();
        if lack == 0 {
            return Verdict::Keep;
        }
        let part =
            if lacking <= free { lack } else { (u128::from(lack) * u128::from(free) / u128::from(lacking)) as u64 };
        let target = (self.ceiling_bytes + part) / GRAIN_BYTES * GRAIN_BYTES;
        if target <= self.ceiling_bytes {
            return if lacking > free { Verdict::Wait(Deferred::Budget) } else { Verdict::Keep };
        }
        self.change(rules, now_ms, target)
    }

    /// How far the ceiling is under the share, where it is worth a change.
    fn lack(&self) -> u64 {
        let lack = self.share_bytes.saturating_sub(self.ceiling_bytes);
        if lack > self.ceiling_bytes / GROW_BAND { lack } else { 0 }
    }

    fn change(&mut self, rules: Rules, now_ms: u64, target: u64) -> Verdict {
        if self.bucket.take(now_ms, rules.changes_per_s) { Verdict::Set(target) } else { Verdict::Wait(Deferred::Rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { hold_ms: 1_000, changes_per_s: 20 };
    const K: u64 = GRAIN_BYTES;

    fn seat(ceiling: u64, share: u64, queued: u64) -> Seat {
        Seat { share_bytes: share * K, queued_bytes: queued * K, ..Seat::new(0, ceiling * K) }
    }

    /// What becomes of the first seat.
    fn shrink(now_ms: u64, budget: u64, seats: &mut [Seat]) -> Verdict {
        let mut verdicts = [Verdict::Keep; 4];
        shrinks(RULES, now_ms, budget * K, seats, &mut verdicts);
        verdicts[0]
    }

    #[test]
    fn down_only_after_the_hold_and_under_the_new_ceiling() {
        let mut quiet = [seat(100, 10, 0)];
        assert_eq!(shrink(999, 100, &mut quiet), Verdict::Wait(Deferred::Hold));
        assert_eq!(shrink(1_000, 100, &mut quiet), Verdict::Set(10 * K));
        let mut full = [seat(100, 10, 11), seat(10, 90, 0)];
        assert_eq!(shrink(5_000, 110, &mut full), Verdict::Wait(Deferred::Queue), "not even when room is short");
    }

    #[test]
    fn whoever_lacks_room_ends_the_hold_of_others() {
        assert_eq!(shrink(0, 110, &mut [seat(100, 10, 0), seat(10, 90, 0)]), Verdict::Set(10 * K));
        assert_eq!(
            shrink(0, 110, &mut [seat(100, 99, 0), seat(10, 11, 0)]),
            Verdict::Set(99 * K),
            "and the band as well"
        );
        let enough = &mut [seat(100, 10, 0), seat(10, 90, 0)];
        assert_eq!(shrink(0, 190, enough), Verdict::Wait(Deferred::Hold), "unless there is enough for both");
    }

    #[test]
    fn a_budget_that_was_lowered_ends_holds() {
        assert_eq!(shrink(0, 100, &mut [seat(100, 10, 0)]), Verdict::Wait(Deferred::Hold));
        assert_eq!(shrink(0, 99, &mut [seat(100, 10, 0)]), Verdict::Set(10 * K));
    }

    #[test]
    fn up_at_once_into_what_is_free() {
        let mut seats = [seat(10, 50, 0), seat(40, 40, 0), Seat::empty()];
        let mut verdicts = [Verdict::Keep; 3];
        grows(RULES, 0, 100 * K, &mut seats, &mut verdicts);
        assert_eq!(verdicts, [Verdict::Set(50 * K), Verdict::Keep, Verdict::Keep]);
        grows(RULES, 0, 60 * K, &mut seats, &mut verdicts);
        assert_eq!(verdicts[0], Verdict::Set(20 * K), "10 of the 60 pages are free");
        grows(RULES, 0, 50 * K, &mut seats, &mut verdicts);
        assert_eq!(verdicts[0], Verdict::Wait(Deferred::Budget));
    }

    #[test]
    fn too_many_changes_wait() {
        let mut seat = seat(10, 50, 0);
        let mut verdict = [Verdict::Keep];
        let waits = (0..20).filter(|_| {
            grows(RULES, 0, 100 * K, std::slice::from_mut(&mut seat), &mut verdict);
            verdict[0] == Verdict::Wait(Deferred::Rate)
        });
        assert_eq!(waits.count(), 12, "8 at once");
    }
}
