//! What the tests share: frames built from scratch, captures written around them, and the slow meter.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // every test binary uses a part of it, and none is shipped

pub mod frame;
pub mod kernel;
pub mod network;
pub mod run;
pub mod same;
pub mod slow;
