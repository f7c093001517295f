//! Goal: whatever shares and queues come, the ceilings in force never add up to more than the budget, never shrink under what is
//! queued, and never move more often than the rate allows.
//!
//! Method: generated ticks over a table of buffers that starts within its budget; some shrinks fail, as they do on sockets.

use forebay_predictor::control::{Rules, Seat, Verdict, grows, shrinks};
use proptest::prelude::*;

const BUFFERS: usize = 6;
const BUDGET: u64 = 6 << 20;
const RULES: Rules = Rules { hold_ms: 100, changes_per_s: 20 };
const TICK_MS: u64 = 10;

#[derive(Clone, Debug)]
struct Step {
    shares: [u64; BUFFERS],
    queues: [u64; BUFFERS],
    failing: usize,
}

fn step() -> impl Strategy<Value = Step> {
    (prop::array::uniform6(0_u64..4 << 20), prop::array::uniform6(0_u64..1 << 20), 0..BUFFERS * 2)
        .prop_map(|(shares, queues, failing)| Step { shares, queues, failing })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn ceilings_stay_within_the_budget(steps in prop::collection::vec(step(), 1..200)) {
        let mut seats = [Seat::new(0, BUDGET / BUFFERS as u64); BUFFERS];
        let mut verdicts = [Verdict::Keep; BUFFERS];
        let mut changes = [0_u64; BUFFERS];
        for (number, step) in steps.iter().enumerate() {
            let now_ms = number as u64 * TICK_MS;
            for (place, seat) in seats.iter_mut().enumerate() {
                seat.share_bytes = step.shares[place];
                seat.queued_bytes = step.queues[place].min(seat.ceiling_bytes);
            }
            shrinks(RULES, now_ms, BUDGET, &mut seats, &mut verdicts);
            for (place, seat) in seats.iter_mut().enumerate() {
                if let Verdict::Set(bytes) = verdicts[place] {
                    prop_assert!(bytes < seat.ceiling_bytes && bytes >= seat.queued_bytes && bytes >= seat.share_bytes);
                    changes[place] += 1;
                    if place != step.failing {
                        seat.ceiling_bytes = bytes;
                    }
                }
            }
            grows(RULES, now_ms, BUDGET, &mut seats, &mut verdicts);
            for (place, seat) in seats.iter_mut().enumerate() {
                if let Verdict::Set(bytes) = verdicts[place] {
                    prop_assert!(bytes > seat.ceiling_bytes && bytes <= seat.share_bytes);
                    changes[place] += 1;
                    seat.ceiling_bytes = bytes;
                }
            }
            prop_assert!(seats.iter().map(|seat| seat.ceiling_bytes).sum::<u64>() <= BUDGET);
        }
        let allowed = 8 + (steps.len() as u64 * TICK_MS * u64::from(RULES.changes_per_s)).div_ceil(1_000);
        prop_assert!(changes.iter().all(|count| *count <= allowed), "{changes:?} of {allowed}");
    }
}
