//! Segments of events and their vectors, exact filters, hybrid search, and the question parser.

mod cpu;
mod error;
pub mod filter;
mod found;
mod index;
pub mod limits;
mod options;
pub mod question;
mod search;
mod stats;

pub use cpu::cpu_check;
pub use error::IndexError;
pub use filter::Filter;
pub use found::{Engine, FacetValue, Facets, Found, Hit, Plan, Reason, SegmentPlan, TimelineBin};
pub use index::Index;
pub use options::Options;
pub use search::{Cursor, Search};
pub use stats::{Appended, Compacted, DamagedSegment, SegmentStats, Stats};
