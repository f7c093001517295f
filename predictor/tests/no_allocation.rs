//! Goal: after its buffers are known, a tick of policy, allocator and plan allocates nothing, so that it takes the same time always.
//!
//! Method: an allocator that counts, around a thousand ticks of every policy over a hundred buffers.
#![allow(unsafe_code, reason = "an allocator can only be written with unsafe; this one passes everything on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use forebay_predictor::budget::{Claim, Curve, fill};
use forebay_predictor::control::{Rules, Seat, Verdict, grows, shrinks};
use forebay_predictor::demand::Demand;
use forebay_predictor::observation::Observation;
use forebay_predictor::policy::{Kind, Tick};

struct Counting;

thread_local! {
    /// Of this thread alone: the one that waits for the test allocates as well, whenever the machine lets it.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const BUFFERS: usize = 100;
const BUDGET: u64 = 64 << 20;

#[test]
fn a_tick_allocates_nothing() {
    for kind in Kind::ALL {
        let mut policy = kind.build();
        (0..BUFFERS).for_each(|slot| policy.begin(slot, 212_992));
        let mut seen = [Observation { live: true, ceiling_bytes: 212_992, ..Observation::default() }; BUFFERS];
        let mut wanted = [Demand::default(); BUFFERS];
        let mut claims =
            [Claim { min_bytes: 65_536, max_bytes: 16 << 20, curve: Curve::new(Demand::default(), 1.0) }; BUFFERS];
        let mut shares = [0; BUFFERS];
        let mut seats = [Seat::new(0, 212_992); BUFFERS];
        let mut verdicts = [Verdict::Keep; BUFFERS];
        let before = ALLOCATIONS.get();
        assert!(before > 0, "the allocator counts");
        let mut changes = 0;
        for number in 0..1_000_u64 {
            for (slot, seen) in seen.iter_mut().enumerate() {
                seen.queued_bytes = (number * 7_919 + slot as u64 * 104_729) % 4_000_000;
            }
            policy.decide(Tick { number, budget_bytes: BUDGET, live: BUFFERS }, &seen, &mut wanted);
            for (claim, wanted) in claims.iter_mut().zip(&wanted) {
                claim.curve = Curve::new(*wanted, 1.0);
            }
            fill(&claims, BUDGET, &mut shares).expect("the minima fit");
            for (seat, share) in seats.iter_mut().zip(&shares) {
                seat.share_bytes = *share;
            }
            for step in [shrinks, grows] {
                step(Rules::default(), number * 10, BUDGET, &mut seats, &mut verdicts);
                for (seat, verdict) in seats.iter_mut().zip(&verdicts) {
                    if let Verdict::Set(bytes) = verdict {
                        seat.ceiling_bytes = *bytes;
                        changes += 1;
                    }
                }
            }
        }
        assert_eq!(ALLOCATIONS.get(), before, "{}", kind.name());
        assert!(changes > 0 || kind == Kind::Static, "{} did something worth measuring", kind.name());
    }
}
