//! Segments: immutable folders of events with their vectors, text and fields.
//!
//! **Promise.** Row `i` of the vectors, of the identifiers and of the graph is tantivy's document `i`. A segment never
//! changes after its folder has been renamed to its place; it is only read, merged into another, or set aside.
//!
//! **Layout and recovery** are specified in `docs/segment-format.md`. Start reading at [`build`].

mod build;
mod columns;
mod folder;
mod ids;
mod manifest;
mod merge;
mod open;
mod profile;
mod schema;
mod stored;
mod text_index;
mod vectors;

pub(crate) use build::Building;
pub(crate) use columns::{Columns, for_values};
pub(crate) use manifest::{Fault, SegmentManifest};
pub(crate) use merge::merge;
pub(crate) use open::{Segment, verify};
pub(crate) use schema::{ip_number, verdict_number, verdict_of};
pub(crate) use stored::canonical;
pub(crate) use text_index::TextIndex;
pub(crate) use vectors::VectorFile;

/// Folder of live segments inside an index.
pub(crate) const SEGMENTS_DIR: &str = "segments";
/// Folder where segments are written before they are renamed.
pub(crate) const BUILDING_DIR: &str = "building";
/// Folder of segments that were found damaged.
pub(crate) const ASIDE_DIR: &str = "aside";

/// Manifest of a segment: a sealed file.
const MANIFEST_FILE: &str = "segment.json";
/// The vectors.
const VECTORS_FILE: &str = "vectors.f32";
/// The graph over the vectors, where there is one.
const GRAPH_FILE: &str = "graph.faiss";
/// Identifiers by row, and rows by identifier.
const IDS_FILE: &str = "ids";
/// Quantiles of every feature.
const PROFILE_FILE: &str = "profile.json";
/// Folder of the tantivy index.
const TEXT_DIR: &str = "text";
