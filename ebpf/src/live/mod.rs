//! Live traffic: flows, arrivals and drops of an interface, seen by programs in the kernel.
//!
//! **Promise.** Every packet that passes the interface is in exactly one event, or counted under the reason why not
//! ([`Books`]). The features of an event are those that the same packets give from a capture file: both are computed by the same
//! C core. Nothing is left behind when the process ends, however it ends (with tcx; see [`Hook`]).
//!
//! **Layout.** `c/live.bpf.c` and its headers are the kernel's side; here [`program`] loads and attaches, [`table`] takes ended
//! flows out, [`bins`] reads arrivals by the millisecond, [`drops`] drop events, [`lookout`] counts on all interfaces of a namespace
//! without following flows, [`gauge`] reads what sockets hold, [`source`] is all of it as an `EventSource`,
//! [`replay`] runs packets of a file through the same programs. [`capabilities`] and [`netns`] say what may be missing.
//!
//! **Limits.** `flows_max` flows in a table of fixed size (a packet that would begin one more is counted as lost; the ones idle
//! for longest are ended before it comes to that); 1,024 ms of bins; names of applications and hosts are not found, because
//! payloads stay where they are.
//!
//! **Failure.** What is missing is named with what works without it ([`LiveError`], [`LiveMeter::notes`]). An interface that
//! vanishes ends the source with an error after every flow has been given.

mod batch;
mod bins;
mod books;
pub mod capabilities;
mod clock;
mod config;
mod drops;
mod error;
mod gauge;
mod interface;
mod layout;
mod limits;
mod links;
mod lookout;
mod mapped;
mod meter;
mod netns;
mod ports;
mod program;
mod replay;
mod source;
mod table;

pub use crate::live::bins::{Bin, Bins, Progress, Row, RowTotals};
pub use crate::live::books::Books;
pub use crate::live::config::{Direction, HookChoice, LiveConfig};
pub use crate::live::drops::{DropEvent, DropReason, PortTotals};
pub use crate::live::error::LiveError;
pub use crate::live::gauge::{Gauge, Held};
pub use crate::live::lookout::{Arrived, Change, Lookout, LookoutConfig};
pub use crate::live::meter::LiveMeter;
pub use crate::live::netns::Netns;
pub use crate::live::ports::Watched;
pub use crate::live::program::Hook;
pub use crate::live::replay::{Offload, Replay};
pub use crate::live::source::LiveSource;
