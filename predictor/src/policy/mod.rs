//! Rules that say how much room a buffer needs, all behind one trait.
//!
//! **Promise.** A policy is pure: virtual time in ticks, no clock, no system call, no randomness, no allocation in
//! [`Policy::decide`]. The same code therefore runs on live sockets and in a simulator, and gives the same answers.
//!
//! **Layout.** One rule a file, each with its constants and where they come from: [`fixed`], [`always_big`],
//! [`reactive_doubling`], [`max_of_window`], [`ewma`], [`pd`]. [`Kind`] names them for the configuration. A learned
//! forecaster is another implementation: it sees all buffers of a tick at once, so that it can run them as one batch, and
//! answers with quantiles.

pub mod always_big;
pub mod ewma;
pub mod fixed;
mod kind;
pub mod max_of_window;
pub mod pd;
pub mod reactive_doubling;

pub use kind::{Kind, UnknownPolicy};

use crate::demand::Demand;
use crate::observation::Observation;

/// How long a tick is where nothing else is said, in milliseconds. Constants of the rules in ticks are meant at this length.
pub const TICK_MS: u64 = 10;

/// What all buffers of one tick have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Number of the tick, from 0, without gaps.
    pub number: u64,
    /// The memory that all buffers share, in bytes.
    pub budget_bytes: u64,
    /// Slots that hold a buffer.
    pub live: usize,
}

/// A rule that turns what was seen of buffers into what they need.
///
/// Buffers are told apart by their *slot*, a small number that is given again after its buffer is gone: the caller says so
/// with [`Policy::begin`], and the policy forgets what it knew.
pub trait Policy: Send {
    /// The name in the configuration and in reports.
    fn name(&self) -> &'static str;

    /// Slot `slot` holds a new buffer, whose own limit is `original_bytes`. May allocate.
    fn begin(&mut self, slot: usize, original_bytes: u64);

    /// One tick of all buffers. `seen` and `wanted` are as long as the highest slot; slots that are not live keep what `wanted` holds.
    fn decide(&mut self, tick: Tick, seen: &[Observation], wanted: &mut [Demand]);

    /// The forecast for a slot, for people to look at. Rules that forecast nothing have none.
    fn band(&self, _slot: usize) -> Option<Demand> {
        None
    }
}

/// The state of every slot, for a policy to keep.
#[derive(Debug)]
struct Slots<T> {
    states: Vec<T>,
}

impl<T: Default> Slots<T> {
    const fn new() -> Self {
        Self { states: Vec::new() }
    }

    fn begin(&mut self, slot: usize, state: T) {
        if slot >= self.states.len() {
            self.states.resize_with(slot + 1, T::default);
        }
        self.states[slot] = state;
    }

    /// Live slots with what was seen of them and where their demand goes.
    fn live<'a>(
        &'a mut self,
        seen: &'a [Observation],
        wanted: &'a mut [Demand],
    ) -> impl Iterator<Item = (&'a mut T, &'a Observation, &'a mut Demand)> {
        self.states
            .iter_mut()
            .zip(seen)
            .zip(wanted)
            .filter(|((_, seen), _)| seen.live)
            .map(|((state, seen), wanted)| (state, seen, wanted))
    }
}

#[cfg(test)]
pub(crate) mod drive {
    //! One buffer under a policy, for the tests of the policies.

    use super::{Policy, Tick};
    use crate::demand::Demand;
    use crate::observation::Observation;

    pub(crate) struct One<P> {
        pub(crate) policy: P,
        number: u64,
    }

    impl<P: Policy> One<P> {
        pub(crate) fn new(mut policy: P, original_bytes: u64) -> Self {
            policy.begin(0, original_bytes);
            Self { policy, number: 0 }
        }

        /// One tick; the ceiling that comes out.
        pub(crate) fn see(&mut self, queued_bytes: u64, dropped_bytes: u64, ceiling_bytes: u64) -> u64 {
            let seen = Observation {
                live: true,
                queued_bytes,
                ceiling_bytes,
                drops: dropped_bytes.div_ceil(832),
                dropped_bytes,
                arrivals: None,
            };
            let mut wanted = [Demand::default()];
            let tick = Tick { number: self.number, budget_bytes: 1 << 30, live: 1 };
            self.number += 1;
            self.policy.decide(tick, &[seen], &mut wanted);
            wanted[0].bytes()[3]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_follows_a_lasting_load_and_takes_no_part_in_empty_slots() {
        for kind in Kind::ALL {
            let mut policy = kind.build();
            assert_eq!(policy.name(), kind.name());
            policy.begin(2, 212_992);
            let busy = Observation {
                live: true,
                queued_bytes: 4_000_000,
                ceiling_bytes: 4_000_000,
                drops: 10,
                dropped_bytes: 8_320,
                ..Observation::default()
            };
            let seen = [Observation::default(), Observation::default(), busy];
            let untouched = Demand::ceiling(77);
            let mut wanted = [untouched; 3];
            for number in 0..2_000 {
                policy.decide(Tick { number, budget_bytes: 64 << 20, live: 1 }, &seen, &mut wanted);
            }
            assert_eq!(wanted[..2], [untouched; 2], "{}", kind.name());
            let most = wanted[2].bytes()[3];
            match kind {
                Kind::Static => assert_eq!(most, 212_992),
                _ => assert!(most >= 4_000_000, "{} wants {most}", kind.name()),
            }
        }
    }
}
