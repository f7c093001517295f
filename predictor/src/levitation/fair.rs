//! The scenario with a queue, and rules that see only what has been.
//!
//! A program takes packets out at a constant rate; what is queued and what is lost follows from that alone. Policies decide every 10 ms, with
//! the sidecar's own control (up at once, down after the hold); the published rules every 0.5 s, as published. The cost beside the drops is the mean of the
//! limit over time, which is what a shared budget has to set aside, and of what was queued, which is what memory was charged.

use super::fifo::Fifo;
use super::published::{Rule, Sizer};
use super::traffic::{STEP_MS, Traffic};
use crate::budget::{Claim, Curve, fill};
use crate::control::{Rules, Seat, Verdict, grows, shrinks};
use crate::demand::Demand;
use crate::observation::{Observation, Traffic as Arrived};
use crate::policy::{Kind, Policy, TICK_MS, Tick};

/// How long a run lasts: twenty bursts.
pub const RUN_MS: u64 = 340_000;
/// The smallest and the largest buffer.
pub const LIMITS_BYTES: (u64, u64) = (500_000, 10_000_000);
const SAMPLE_MS: u64 = 500;

/// Who sizes the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizing {
    /// A policy of the sidecar.
    Policy(Kind),
    /// A published rule.
    Published(Rule),
    /// As large as will be needed and never larger: what no rule can beat that loses nothing. Knows the future.
    Oracle,
}

impl Sizing {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let policies = Kind::ALL.into_iter().map(Self::Policy);
        let others = [Self::Published(Rule::Reactive), Self::Published(Rule::Predictive), Self::Oracle];
        policies.chain(others).collect()
    }

    /// The name in tables and plots.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Policy(kind) => kind.name(),
            Self::Published(Rule::Reactive) => "published reactive",
            Self::Published(Rule::Predictive) => "published predictive",
            Self::Oracle => "oracle",
        }
    }
}

/// What came of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Packets that arrived.
    pub sent: u64,
    /// Packets lost.
    pub dropped: u64,
    /// Packets that the program took.
    pub served: u64,
    /// Packets left in the queue at the end.
    pub left: u64,
    /// The mean of the limit, in bytes.
    pub mean_limit_bytes: f64,
    /// The mean of what was queued, in bytes.
    pub mean_queued_bytes: f64,
}

impl Outcome {
    /// Packets lost, in percent of those that arrived.
    pub fn lost_percent(&self) -> f64 {
        self.dropped as f64 / self.sent.max(1) as f64 * 100.0
    }
}

/// One run of `sizing` over the traffic of `seed`, before a program that takes `drain_pps` packets a second.
pub fn run(sizing: Sizing, seed: u64, has_ramp: bool, drain_pps: f64) -> Outcome {
    let mut traffic = Traffic::new(seed, has_ramp);
    let (least, most) = LIMITS_BYTES;
    let mut fifo = Fifo::new(if sizing == Sizing::Oracle { most } else { least });
    let mut hand = Hand::new(sizing);
    let mut outcome = Outcome::default();
    let (mut limits, mut queued) = (0_u128, 0_u128);
    for now_ms in 0..RUN_MS {
        let mut arrived = Arrived::default();
        traffic.step(now_ms, |bytes| {
            fifo.push(bytes);
            (arrived.packets, arrived.bytes) = (arrived.packets + 1, arrived.bytes + bytes);
        });
        fifo.serve(drain_pps * STEP_MS as f64 / 1_000.0);
        outcome.sent += arrived.packets;
        // The oracle sets aside what is there, no more.
        limits +=
            u128::from(if sizing == Sizing::Oracle { fifo.queued_bytes().max(least) } else { fifo.limit_bytes() });
        queued += u128::from(fifo.queued_bytes());
        hand.step(now_ms + STEP_MS, arrived, traffic.rate_pps(now_ms) > 1_000.0, &mut fifo);
    }
    (outcome.dropped, outcome.served, outcome.left) = (fifo.dropped().0, fifo.served(), fifo.len());
    outcome.mean_limit_bytes = limits as f64 / RUN_MS as f64;
    outcome.mean_queued_bytes = queued as f64 / RUN_MS as f64;
    outcome
}

/// Sizes the buffer from what it has seen.
enum Hand {
    Policy(Box<Policied>),
    Published { sizer: Sizer, bytes: u64 },
    Nobody,
}

struct Policied {
    policy: Box<dyn Policy>,
    seat: Seat,
    seen: Arrived,
    dropped_before: (u64, u64),
    number: u64,
}

impl Hand {
    fn new(sizing: Sizing) -> Self {
        match sizing {
            Sizing::Oracle => Self::Nobody,
            Sizing::Published(rule) => Self::Published { sizer: Sizer::new(rule), bytes: 0 },
            Sizing::Policy(kind) => {
                let mut policy = kind.build();
                policy.begin(0, LIMITS_BYTES.0);
                let seat = Seat::new(0, LIMITS_BYTES.0);
                Self::Policy(Box::new(Policied {
                    policy,
                    seat,
                    seen: Arrived::default(),
                    dropped_before: (0, 0),
                    number: 0,
                }))
            }
        }
    }

    /// One step has passed, and it is `now_ms`.
    fn step(&mut self, now_ms: u64, arrived: Arrived, is_busy: bool, fifo: &mut Fifo) {
        match self {
            Self::Nobody => {}
            Self::Published { sizer, bytes } => {
                *bytes += arrived.bytes;
                if now_ms.is_multiple_of(SAMPLE_MS) {
                    sizer.sample(*bytes as f64 / (SAMPLE_MS as f64 / 1_000.0) / 1e6, is_busy);
                    *bytes = 0;
                    fifo.set_limit(sizer.size_bytes());
                }
            }
            Self::Policy(policied) => {
                policied.seen.packets += arrived.packets;
                policied.seen.bytes += arrived.bytes;
                if now_ms.is_multiple_of(TICK_MS) {
                    policied.tick(now_ms, fifo);
                }
            }
        }
    }
}

impl Policied {
    /// What the sidecar does in a tick, for one buffer.
    fn tick(&mut self, now_ms: u64, fifo: &mut Fifo) {
        let (dropped, dropped_bytes) = fifo.dropped();
        let seen = Observation {
            live: true,
            queued_bytes: fifo.queued_bytes(),
            ceiling_bytes: fifo.limit_bytes(),
            drops: dropped - self.dropped_before.0,
            dropped_bytes: dropped_bytes - self.dropped_before.1,
            arrivals: Some(std::mem::take(&mut self.seen)),
        };
        self.dropped_before = (dropped, dropped_bytes);
        let (least, budget_bytes) = LIMITS_BYTES;
        let mut wanted = [Demand::ceiling(least)];
        self.policy.decide(Tick { number: self.number, budget_bytes, live: 1 }, &[seen], &mut wanted);
        self.number += 1;
        let claim = Claim { min_bytes: least, max_bytes: budget_bytes, curve: Curve::new(wanted[0], 1.0) };
        let mut shares = [0];
        if fill(&[claim], budget_bytes, &mut shares).is_err() {
            return;
        }
        self.seat.share_bytes = shares[0];
        self.seat.queued_bytes = fifo.queued_bytes();
        let mut verdict = [Verdict::Keep];
        for step in [shrinks, grows] {
            step(Rules::default(), now_ms, budget_bytes, std::slice::from_mut(&mut self.seat), &mut verdict);
            if let Verdict::Set(bytes) = verdict[0] {
                self.seat.ceiling_bytes = bytes;
                fifo.set_limit(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_is_accounted_for_under_every_sizing() {
        for sizing in Sizing::all() {
            let outcome = run(sizing, 5, true, 48_000.0);
            assert_eq!(outcome.sent, outcome.served + outcome.dropped + outcome.left, "{sizing:?}");
            assert!(outcome.sent > 4_000_000, "twenty bursts with their ramps: {outcome:?}");
            let (least, most) = LIMITS_BYTES;
            // Limits of policies are whole pages.
            let range = least as f64 - 4_096.0..=most as f64;
            assert!(range.contains(&outcome.mean_limit_bytes), "{sizing:?} {outcome:?}");
        }
    }

    #[test]
    fn the_largest_buffer_loses_the_least_and_the_oracle_loses_as_little_for_less() {
        let drain_pps = 48_000.0;
        let largest = run(Sizing::Policy(Kind::AlwaysBig), 2, true, drain_pps);
        let oracle = run(Sizing::Oracle, 2, true, drain_pps);
        for sizing in Sizing::all() {
            assert!(run(sizing, 2, true, drain_pps).dropped >= oracle.dropped, "{sizing:?}");
        }
        assert!(oracle.mean_limit_bytes < largest.mean_limit_bytes / 2.0, "{oracle:?} {largest:?}");
    }

    #[test]
    fn a_program_that_is_fast_enough_loses_nothing_with_any_of_them() {
        for sizing in Sizing::all() {
            assert_eq!(run(sizing, 1, true, 60_000.0).dropped, 0, "{sizing:?}");
        }
    }
}
