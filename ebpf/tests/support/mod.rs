//! What the tests share: frames built from scratch, captures written around them, and the slow meter.
#![allow(dead_code, unreachable_pub)] // every test binary uses a part of it

pub mod frame;
pub mod run;
pub mod slow;
