//! The sidecar: it watches receive buffers of running programs and shares one memory budget among them.

pub mod actuate;
pub mod advice;
pub mod budget;
pub mod control;
pub mod demand;
pub mod eyes;
pub mod limits;
pub mod metrics;
pub mod observation;
pub mod policy;
pub mod sidecar;
pub mod sys;
pub mod target;
