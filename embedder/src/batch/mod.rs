//! The offline job: events from any inputs, embedded and written as Parquet, with `.npy` and an index on request.
//!
//! **Promise.** The output folder appears whole or not at all. Rows stand in the order of the inputs, whatever the
//! number of workers. A job that was stopped, or died at any moment, goes on after its last finished part and ends with
//! the rows and vectors of an undisturbed run. Nothing is lost silently: a rejected line is in the dead letters and counted by
//! reason, a damaged input ends the job unless the caller said to go on, and then it is named.
//!
//! **Layout.** While it runs, everything lies in `OUT.incomplete`; one rename makes it `OUT`:
//!
//! ```text
//! manifest.json         what the job is, the finished parts (rows, bytes, SHA-256), how far each input is read
//! part-00000.parquet    event columns and `vector`, a fixed-size list of f32; one row for each event
//! vectors.npy           on request: all vectors, float32, shape (rows, dimension), in the order of the parts
//! dead-letters.jsonl    one object for each rejected line: source, line, reason, bytes (base64), text (if UTF-8)
//! index/                on request: whatever the sink keeps there
//! lock                  held while a job writes here
//! ```
//!
//! **Commit.** A part is written under another name, synced and renamed; the growing files are synced; the sink commits; only
//! then the manifest takes it in (written aside, synced, renamed). What a crash left beyond the manifest is removed or
//! truncated when the job goes on; a sink must take the same events twice without keeping them twice.
//!
//! **Limits.** In [`limits`]. A fixed number of batches goes round between reader, workers and writer, so memory does not
//! depend on the inputs.

mod commits;
mod dead_letters;
mod direct;
mod error;
mod files;
mod folder;
mod input;
mod job;
pub mod limits;
mod manifest;
mod npy;
mod output;
mod part;
mod pipeline;
mod progress;
mod properties;
mod reader;
mod row_group;
mod rows;
mod sink;
mod summary;
mod worker;

pub use error::BatchError;
pub use folder::incomplete_path;
pub use input::Input;
pub use job::{Job, OpenSink, Options, run};
pub use manifest::{Identity, Manifest, ModelIdentity, Part, Position, Totals};
pub use progress::{NoObserver, Observer, Snapshot};
pub use sink::{Sink, SinkError};
pub use summary::{Summary, Times};
