//! The sidecar: it watches receive buffers of running programs and shares one memory budget among them.
//!
//! **Promise.** What it changes it puts back, also after a crash; what it cannot do is told once, counted, and stops nothing else;
//! the limits it sets never add up to more than the budget. `docs/sidecar.md` says what this means for whoever runs it.
//!
//! **Layout.** Pure, in virtual time, shared by the sidecar and by simulators: [`policy`] (what a buffer needs, as a
//! [`demand`] from an [`observation`]), [`budget`] (who gets how much), [`control`] (when a limit may move). On the machine:
//! [`target`] (which buffers are meant), [`actuate`] (looking, setting, putting back), [`sys`] (the few system calls no
//! library wraps; the only `unsafe`), [`eyes`] (the place of whatever counts arrivals). Together: [`sidecar`] (the loop and its
//! report), [`advice`] (clients), [`metrics`]. Beside it: [`levitation`] (a scenario in virtual time).
//!
//! **Limits.** [`limits`], and what a deployment decides in [`sidecar::Settings`].
//!
//! **Failure.** [`sidecar::SidecarError`] and [`advice::AdviceError`] keep it from starting; all else is counted as a
//! [`sidecar::Event`].

pub mod actuate;
pub mod advice;
pub mod budget;
pub mod control;
pub mod demand;
pub mod eyes;
pub mod levitation;
pub mod limits;
pub mod metrics;
pub mod observation;
pub mod plot;
pub mod policy;
pub mod sidecar;
pub mod sys;
pub mod target;
