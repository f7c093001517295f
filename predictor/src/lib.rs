//! The sidecar: it watches receive buffers of running programs and shares one memory budget among them.

pub mod budget;
pub mod control;
pub mod demand;
pub mod observation;
pub mod policy;
