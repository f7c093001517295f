//! The log: events that are acknowledged and not yet in a segment.
//!
//! **Promise.** What [`LogFile::append`] returned for is on the disk. A batch is one frame: it is read back whole or not at
//! all. What a crash left half-written at the end is cut and counted; what was synced once and is damaged now is told apart
//! from that, named and counted.
//!
//! **Limits.** A frame holds at most [`crate::limits::FRAME_BYTES_MAX`] bytes; a file at most one segment's worth of
//! events, and then the next file begins. Numbers are little-endian.
//!
//! ```text
//! INDEX/log/0000000007.log
//!   header        8 bytes `FBLOG001`; dimension u32; bytes of the space's name u32; CRC-32 of the name u32;
//!                 CRC-32 of the 20 bytes before u32; the name; zeros up to a multiple of 8
//!   frame ...     each begins at a multiple of 8
//!
//! frame
//!    0  8 bytes `FBFRAME1`
//!    8  u64  bytes of the payload
//!   16  u64  number of the first event
//!   24  u64  bytes of the file that were known to be synced when this frame was written
//!   32  u32  events
//!   36  u32  dimension
//!   40  u32  CRC-32 of the payload
//!   44  u32  CRC-32 of the 44 bytes before
//!   48  the payload: events x dimension f32; for each event the bytes of its stored form u32 and that form
//!       zeros up to a multiple of 8
//! ```
//!
//! **Recovery.** [`scan`] reads frames one after the other and, behind damage, looks for the next header at a multiple
//! of 8. Because a frame says how much was synced before it, damage below the greatest such number is damage to what was
//! acknowledged; anything else that cannot be read was never acknowledged.

mod file;
mod frame;
mod replay;
mod scan;

pub(crate) use file::{LOG_DIR, LogFile, file_name, numbers, remove};
pub(crate) use frame::Frame;
pub(crate) use replay::replay;
