//! The network flow event: an envelope and 83 features, and every way in and out of it.
//!
//! **Promise.** One versioned schema ([`SCHEMA_VERSION`]), the same in memory, in JSON, in Parquet and in front of
//! a model. What a source cannot know is absent (`null`, NaN), never made up. A line that is not an event is
//! rejected with its source, place and reason, and the rest of the file goes on.
//!
//! **Limits.** All in [`limits`]: length of a line, of strings, depth of JSON.
//!
//! **Layout.** [`Event`] and [`Features`] are the type; [`source`] is the face every reader of events shows, [`chunk`] the one
//! for decoding on many threads. This crate depends on no other crate of the workspace.

mod check;
pub mod chunk;
pub mod community;
pub mod dead_letter;
mod error;
mod event;
pub mod export;
pub mod feature;
mod id;
pub mod import;
mod json;
pub mod jsonl;
pub mod limits;
pub mod service;
pub mod source;

pub use error::ParseError;
pub use event::{App, Class, Event, Flow, Integrity, Label, MALICIOUS_FROM, Scores, Verdict};
pub use feature::{FEATURE_COUNT, FEATURE_NAMES, Features};
pub use id::EventId;

/// The version of the schema that this crate reads and writes.
pub const SCHEMA_VERSION: &str = "1";
