//! The flow meter: packets in, 83 features out.
//!
//! **Promise.** Every packet of a capture is either in exactly one event or counted under the reason why not. Packets and
//! bytes of the events add up to what was accepted. The same capture gives the same events, identifiers included,
//! wherever it lies.
//!
//! **Layout.** The core is C (`c/`), shared with kernel programs: frames are parsed and flows updated there, in fixed memory
//! and integers only. Here are its safe face (`core`), the bounded flow table (`table`), the rules by which flows begin and
//! end (`meter`), the features computed at the end (`features`), names of applications and hosts (`app`), capture files
//! ([`capture`]) and the source of events over all of it ([`CaptureSource`]). Live traffic goes through the same core in the
//! kernel ([`live`]).
//!
//! **Limits.** [`FLOW_BYTES`] bytes per flow, `flows_max` flows (a million unless told otherwise); for one more, the one idle
//! for longest is ended early and counted. Fragments are not reassembled, tunnels not opened.
//!
//! **Failure.** No input makes it panic or read out of bounds; a damaged capture gives what stands before the damage.

mod app;
pub mod capture;
mod core;
mod counters;
mod emit;
mod features;
mod fragment;
pub mod live;
mod meter;
mod packet;
mod source;
mod table;

pub use crate::core::{ACTIVE_TIMEOUT_MAX_US, FLOW_STATE_BYTES};
pub use crate::counters::Counters;
pub use crate::meter::MeterConfig;
pub use crate::packet::{Packet, Reject};
pub use crate::source::CaptureSource;
pub use crate::table::FLOW_BYTES;
