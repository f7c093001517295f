//! Targets: what the configuration names, and the buffers that this means at the moment.
//!
//! [`Spec`] is one target as written, [`Finder`] looks for what it means. A target may mean nothing (its program does not run),
//! one buffer or thousands, and its programs come and go; the [`Finder`] is asked again and again and tells what there is.
//!
//! **Cost.** A pass reads `/proc` for the names of processes and the open files of those that match; `docs/sidecar.md` has
//! figures. [`crate::limits::PASS_SHARE`] bounds it.

mod files;
mod finder;
mod handle;
mod netns;
mod owners;
mod process;
mod processes;
mod size;
mod spec;

pub use finder::{Finder, Found, Missing, Pass};
pub use handle::{Handle, HandleError, Identity, Kind};
pub use netns::NetNs;
pub use process::{OpenFile, Owner, Process, all as all_processes, open_files, start_time};
pub use size::{parse_size, show_size};
pub use spec::{Kinds, Locked, Mode, Selector, Spec, SpecError, parse_targets};
