//! Segments: immutable folders of events with their vectors, text and fields.
//!
//! **Promise.** Row `i` of the columns, events, vectors, identifiers, words and graph is the same event. A segment never
//! changes: on the disk after its folder has been renamed to its place, in memory after it was made; it is only read, joined
//! with others, or set aside.
//!
//! **Layout and recovery** are specified in `docs/segment-format.md`. Start reading at [`build`].

mod build;
mod bytes;
mod columns;
mod events;
mod folder;
mod hot;
mod ids;
mod manifest;
mod merge;
mod open;
mod profile;
mod rendered;
mod schema;
mod stored;
mod text_index;
mod vectors;

pub(crate) use build::Building;
pub(crate) use bytes::Bytes;
pub(crate) use columns::{Addresses, Columns, Numbers, Words};
pub(crate) use manifest::{Fault, SegmentManifest};
pub(crate) use merge::merge;
pub(crate) use open::{Segment, verify, verify_mapped};
pub(crate) use schema::{ip_number, number_place, verdict_number, verdict_of};
pub(crate) use stored::{canonical, decode, encode};
pub(crate) use text_index::{TextIndex, WordPostings};
pub(crate) use vectors::VectorFile;

use crate::engine::{CELLS_FILE, LINKS_FILE};

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
/// Identifiers by row, and rows by identifier.
const IDS_FILE: &str = "ids";
/// The fields, column by column.
const COLUMNS_FILE: &str = "columns";
/// The events, without their features.
const EVENTS_FILE: &str = "events";
/// Quantiles of every feature.
const PROFILE_FILE: &str = "profile.json";
/// Files that are arrays of our own: see [`FileEntry::is_mapped`](manifest::FileEntry::is_mapped).
const MAPPED_FILES: [&str; 6] = [VECTORS_FILE, CELLS_FILE, LINKS_FILE, COLUMNS_FILE, EVENTS_FILE, IDS_FILE];
/// Folder of the tantivy index of words.
const TEXT_DIR: &str = "text";
