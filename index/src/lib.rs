//! Segments of events and their vectors, exact filters, hybrid search, and the question parser.
//!
//! **Promise.** What [`Index::append`] acknowledged is on the disk and is found by every later search, also after a
//! crash or a power cut. A [`Filter`] is exact, whatever ranks what passes it, and a search gives exactly `k` hits
//! whenever `k` events match. Damage is noticed before any reader parses it; a damaged segment is set aside and named.
//!
//! **Limits.** All in [`limits`]. An index is opened once at a time. Vectors are of unit length and of one space.
//!
//! **Layout.** [`Index`] is the door; `docs/segment-format.md` specifies the files. A search goes through `query`:
//! `select` evaluates the filter to bitmaps, `rank` orders what passes (`engine` for vectors, `bm25` for words),
//! `reasons` and `summary` explain. `hot` tells the path of an append through the `log` into memory; `writer` says who may
//! change what, with `sealing`, `merging`, `retention`, `verifying`, which the
//! `worker` runs, and `backup`; `store` opens and repairs.
//!
//! **Failure.** [`IndexError`] says whose fault it is. After a failed sync the writer takes no more.

mod append;
mod backup;
mod bitmap;
mod bm25;
mod check;
mod cpu;
mod cursor;
mod durable;
pub mod engine;
mod error;
pub mod filter;
mod found;
mod hot;
mod index;
mod known;
pub mod limits;
mod log;
mod manifest;
mod merging;
mod options;
mod priority;
mod query;
pub mod question;
mod rank;
mod reasons;
mod recovery;
mod resident;
mod retention;
mod sealed;
mod sealing;
mod search;
mod segment;
mod select;
mod shared;
mod snapshot;
mod stats;
mod store;
mod summary;
pub mod text;
mod verifying;
mod worker;
mod writer;

pub use backup::Copied;
pub use bitmap::Bitmap;
pub use cpu::cpu_check;
pub use error::IndexError;
pub use filter::Filter;
pub use found::{Engine, FacetValue, Facets, Found, Hit, Order, Place, Plan, Reason, SegmentPlan, TimelineBin};
pub use index::Index;
pub use options::Options;
pub use retention::{Dropped, Retention};
pub use search::{Cursor, Search};
pub use stats::{Appended, Compacted, DamagedSegment, SegmentStats, Stats};
