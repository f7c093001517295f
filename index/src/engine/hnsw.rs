//! A graph of links (HNSW) built by the crate `hnsw_rs`: an engine of a library without C++.
//!
//! **Promise.** Rows come with their exact scores, allowed ones only; a walk that would cost more than a scan is given up, so
//! an answer never costs much more than twice a scan. Opening maps a file and parses nothing. A graph has proved itself
//! before it is asked: when it is built, rows taken evenly look for themselves, and unless nearly all are found
//! ([`FOUND_MIN`]) every answer is a scan's. Many near-duplicates of few vectors tear a graph apart, and network events have
//! them; the engine `cells` minds neither.
//!
//! **What is the library's and what is ours.** The library builds the graph. What it would do afterwards is not used, for
//! what version 0.3.5 did with 40,000 x 256 clustered vectors, `m` 16, `efc` 200, `ef` 128:
//!
//! - *Its dump.* It holds the vectors a second time, its links take 675 bytes a vector, and it is loaded link by link into
//!   small allocations: 4.7 kB of resident memory for each vector, though the vectors were mapped, in 0.25 s; at that rate 6 s for a
//!   million. What it reads it unwraps, it asks for as much memory as the file says, and it makes a slice of one length that the file gives
//!   over a buffer of another: damaged files are read past their end. So the links go into a file of our own
//!   (`layout`; some 100 bytes a vector), which is mapped and can hold any bytes without harm.
//! - *Its search under a filter* (`search_filter`). A walk ends early only where there is no filter: 1.3 ms a question without
//!   one, 5.5 ms where half pass, 19 ms at a tenth, 66 ms at a hundredth, many times a scan of those rows. So the walk is ours
//!   (`walk`): it goes through rows that the filter leaves out, keeps those it lets in, and ends when no candidate is as
//!   near as the last of `ef` kept, or when a scan would be cheaper.
//! - *Its points.* It would copy every vector. Its points are row numbers here, and its distance looks at the mapped
//!   vectors (`build`).
//! - *Its parallel insertion.* As its code reads, a thread holds the lock of one point while it waits for that of another, in no common order, so
//!   two may wait for one another for ever. Rows are inserted by one thread, which also makes the graph the same every time.
//!
//! **Limits.** [`HnswSettings`] names them. Building takes one core and 2 to 3 kB of memory for each vector until the file is
//! written: 35 s for those 40,000 with two threads of the library itself.
//!
//! **Failure.** The library panics at distances that are no numbers; ours are, and a panic while building is caught and is
//! an error. Wrong bytes in the file give wrong rows or too few at worst.

mod build;
mod layout;
mod walk;

use std::path::Path;
use std::sync::Arc;

use self::layout::LinkFile;
use super::cost::MEASURED_DIMENSION;
use super::{Ask, Cost, Costs, HnswSettings, Nearest, VectorEngine, flat};
use crate::IndexError;
use crate::segment::VectorFile;

pub(super) use self::build::build;

/// Rows compared for each one that a walk keeps, where all are allowed.
const ROWS_PER_KEPT: f32 = 16.0;

/// Rows a walk keeps at least, for each hit.
const KEPT_PER_HIT: usize = 2;

/// Share of the rows that looked for themselves which must have been found. Clustered vectors: all; thousands of
/// near-duplicates of five vectors: half.
const FOUND_MIN: f32 = 0.97;

/// Comparing a vector that lies anywhere, nanoseconds at 256 numbers.
const FAR_ROW_NS: f32 = 100.0;

/// A graph over the vectors.
pub(super) struct Hnsw {
    links: LinkFile,
    vectors: Arc<VectorFile>,
    settings: HnswSettings,
    name: String,
}

impl Hnsw {
    /// Opens the graph at `path`, which must be one over `vectors`.
    pub(super) fn open(settings: HnswSettings, vectors: Arc<VectorFile>, path: &Path) -> Result<Self, IndexError> {
        let links = LinkFile::open(path)?;
        if links.rows() != vectors.rows() {
            return Err(IndexError::Damaged {
                place: path.display().to_string(),
                reason: format!("links between {} rows, but there are {} vectors", links.rows(), vectors.rows()),
            });
        }
        Ok(Self { links, vectors, settings, name: format!("hnsw@{settings}") })
    }

    /// Whether nearly all rows that looked for themselves were found.
    fn is_whole(&self) -> bool {
        let (found, probes) = self.links.found();
        found as f32 >= FOUND_MIN * probes as f32
    }
}

/// Rows that a walk for `k` keeps.
fn kept(settings: HnswSettings, k: usize) -> usize {
    settings.ef().max(k.saturating_mul(KEPT_PER_HIT))
}

impl VectorEngine for Hnsw {
    fn name(&self) -> &str {
        &self.name
    }

    fn vectors(&self) -> &VectorFile {
        &self.vectors
    }

    fn page_out(&self) {
        self.links.page_out();
    }

    fn describe(&self) -> String {
        let links = self.links.links_below() as f32 / self.links.rows().max(1) as f32;
        let (found, probes) = self.links.found();
        let verdict = if self.is_whole() { "walked" } else { "too few: not walked, every answer is a scan's" };
        format!(
            "{} layers, {links:.1} links a row in the lowest; {found} of {probes} rows found themselves ({verdict})",
            self.links.layers()
        )
    }

    fn costs(&self, matching: u64, k: usize) -> Costs {
        let rows = self.vectors.rows() as f32;
        let share = matching as f32 / rows.max(1.0);
        let compared = kept(self.settings, k) as f32 * ROWS_PER_KEPT / share.max(f32::MIN_POSITIVE);
        let wide = self.vectors.dimension() as f32 / MEASURED_DIMENSION;
        // Beyond that a walk is given up.
        let index = (self.is_whole() && compared < walk::compared_max(matching) as f32)
            .then_some(Cost { rows: compared as u64, ns: compared * FAR_ROW_NS * wide });
        Costs { scan: flat::cost(&self.vectors, matching), index }
    }

    fn nearest(&self, ask: &Ask) -> Result<Nearest, IndexError> {
        if !self.is_whole() {
            return Ok(self.scan(ask));
        }
        Ok(walk::nearest(&self.links, &self.vectors, ask, kept(self.settings, ask.k)))
    }
}
