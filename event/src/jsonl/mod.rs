//! Our own text format: one event per line, JSON (RFC 8259), UTF-8, `\n` between lines.
//!
//! **Promise.** `parse(write(event)) == event` for every valid event, floats bit for bit. Writing allocates nothing but
//! room in the caller's buffer; reading reuses its own.
//!
//! **Reading** accepts members in any order and passes over names it does not know, so that a later version of the schema
//! that only adds still reads here; [`Parser::unknown_members`] counts them. Of a name that stands twice the last one counts. `null` means "not known".
//! Needed: `schema_version`, `start_us`, `end_us`, `flow.src_ip`, `flow.dst_ip`, `flow.protocol`. An absent `event_id` is
//! derived from the bytes of the line, an absent `flow.community_id` is computed. `scores.final`, `scores.divergence` and
//! `class.verdict` follow from the other scores where their names are absent; an explicit `null` stays unknown.
//!
//! **Limits.** A line of at most [`crate::limits::LINE_BYTES_MAX`], [`crate::limits::JSON_DEPTH_MAX`] levels, strings as
//! in [`crate::limits`]. A line that breaks one is refused, never cut.

mod own;
pub(crate) mod parse;
pub(crate) mod write;

pub use parse::Parser;
pub(crate) use parse::clear;
pub use write::write;
pub(crate) use write::{number, text};
