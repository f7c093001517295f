//! The levitation scenario: a demonstration that circulates as "67 % fewer drops", run as it was published and run fairly.
//!
//! It is `tests/benchmark_levitation.py` of `jenovoas/sentinel`: traffic of 1,000 packets a second that ramps up over 5 s to a burst of 50,000 for 2 s,
//! 15 s apart; a buffer of 0.5 to 10 MB that a reactive or a predictive rule sizes every 0.5 s.
//!
//! **Layout.** [`traffic`] what arrives, in virtual time; [`published`] the published accounting, which has no queue: drops are what goes beyond
//! "10 Mbps per MB of buffer"; [`fifo`] a queue; [`fair`] the same traffic through that queue under every policy of
//! [`crate::policy`] and under the published rules, each seeing only what has been.
//!
//! **Promise.** Pure and in virtual time: the same seed gives the same figures everywhere.

pub mod fair;
pub mod fifo;
pub mod published;
pub mod traffic;
