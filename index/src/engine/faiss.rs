//! FAISS by the names of its `index_factory`, through the shim in `shim/faiss_shim.cpp`.
//!
//! **Promise.** What FAISS finds under a filter is scored again by our own kernel, which is also the refinement behind
//! `RFlat`: it needs no second copy of the vectors. **Limits.** Kinds whose filtered search is wrong in FAISS 1.12 are
//! refused (LSH, NSG, fast-scan without lists, `RaBitQ`). How much is visited is fixed: recall falls under a filter, so a
//! graph is not asked where few rows pass. **Failure.** The shim turns every C++ exception into a text, so nothing unwinds
//! across the border. FAISS trusts the files it reads: a path comes here only after its checksum was verified.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

// The static library is linked through this crate.
use faiss_sys as _;

use super::cost::MEASURED_DIMENSION;
use super::factory::Factory;
use super::{Ask, Cost, Costs, Nearest, VectorEngine, flat};
use crate::IndexError;
use crate::segment::VectorFile;

/// Room for what FAISS says went wrong.
const MESSAGE_BYTES: usize = 512;

/// Candidates asked for, for each hit.
const CANDIDATES_PER_HIT: usize = 4;

/// Fewest candidates.
const CANDIDATES_MIN: usize = 40;

/// Least share of the rows that must pass for a graph to be walked: below it a graph loses hits.
const GRAPH_SHARE_MIN: f32 = 0.3;

/// Vectors compared for each candidate a walk through a graph keeps.
const GRAPH_ROWS_PER_CANDIDATE: f32 = 16.0;

/// Comparing a vector that lies anywhere, nanoseconds at 256 numbers.
const FAR_ROW_NS: f32 = 100.0;

/// Comparing a code in an inverted list, nanoseconds at 256 numbers.
const CODE_NS: f32 = 15.0;

/// A `faiss::Index`, opaque.
#[repr(C)]
struct RawIndex {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn forebay_faiss_build(
        factory: *const c_char,
        dimension: c_int,
        rows: usize,
        vectors: *const f32,
        threads: c_int,
        path: *const c_char,
        message: *mut c_char,
        message_size: usize,
    ) -> c_int;
    fn forebay_faiss_open(
        path: *const c_char,
        dimension: c_int,
        rows: usize,
        vectors: *const f32,
        out: *mut *mut RawIndex,
        message: *mut c_char,
        message_size: usize,
    ) -> c_int;
    fn forebay_faiss_close(index: *mut RawIndex);
    fn forebay_faiss_lists(index: *const RawIndex) -> i64;
    fn forebay_faiss_nearest(
        index: *const RawIndex,
        query: *const f32,
        k: usize,
        ef: c_int,
        nprobe: usize,
        factor: f32,
        bitmap: *const u8,
        bitmap_bytes: usize,
        scores: *mut f32,
        rows: *mut i64,
        message: *mut c_char,
        message_size: usize,
    ) -> c_int;
}

/// How an index is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Flat,
    Graph,
    Lists(u64),
}

/// An index of FAISS over the vectors.
pub(super) struct Faiss {
    // Closed in `drop`, before `vectors`, which it may look at.
    index: NonNull<RawIndex>,
    vectors: Arc<VectorFile>,
    name: String,
    factory: Factory,
    shape: Shape,
}

// SAFETY: the index is never changed after `open`; FAISS's `search` is const and documents concurrent searches as safe.
unsafe impl Send for Faiss {}
// SAFETY: as above.
unsafe impl Sync for Faiss {}

/// Builds the index `factory` names over `vectors` and writes it to `path`.
pub(super) fn build(factory: &str, vectors: &VectorFile, threads: usize, path: &Path) -> Result<(), IndexError> {
    let factory: Factory = factory.parse()?;
    let name = CString::new(factory.index).map_err(|_| IndexError::Options("a name with a zero byte".to_owned()))?;
    let path = c_path(path)?;
    let mut message = [0 as c_char; MESSAGE_BYTES];
    // SAFETY: the vectors have `rows` times `dimension` numbers, both texts end in a zero, `message` has the size said.
    let rc = unsafe {
        forebay_faiss_build(
            name.as_ptr(),
            vectors.dimension() as c_int,
            vectors.rows(),
            vectors.numbers().as_ptr(),
            threads as c_int,
            path.as_ptr(),
            message.as_mut_ptr(),
            MESSAGE_BYTES,
        )
    };
    check(rc, &message)
}

impl Faiss {
    /// Opens the index at `path`, which `build` made over `vectors`.
    pub(super) fn open(factory: &str, vectors: Arc<VectorFile>, path: &Path) -> Result<Self, IndexError> {
        let path = c_path(path)?;
        let mut index: *mut RawIndex = std::ptr::null_mut();
        let mut message = [0 as c_char; MESSAGE_BYTES];
        // SAFETY: `path` ends in a zero, the vectors outlive the index (this struct holds both and closes it first), and
        // `message` has the size said.
        let rc = unsafe {
            forebay_faiss_open(
                path.as_ptr(),
                vectors.dimension() as c_int,
                vectors.rows(),
                vectors.numbers().as_ptr(),
                &raw mut index,
                message.as_mut_ptr(),
                MESSAGE_BYTES,
            )
        };
        check(rc, &message)?;
        let index = NonNull::new(index).ok_or_else(|| IndexError::Engine("FAISS gave no index".to_owned()))?;
        // SAFETY: the index is open.
        let shape = match unsafe { forebay_faiss_lists(index.as_ptr()) } {
            0 => Shape::Graph,
            lists @ 1.. => Shape::Lists(lists as u64),
            _ => Shape::Flat,
        };
        let name = format!("faiss:{factory}");
        Ok(Self { index, vectors, name, factory: factory.parse()?, shape })
    }

    /// Rows FAISS names, and whether it named as many as it was asked for.
    fn rows(&self, ask: &Ask, wanted: usize, ef: usize) -> Result<Vec<u32>, IndexError> {
        let length = self.vectors.rows();
        assert_eq!(ask.query.len(), self.vectors.dimension(), "the search was checked against the dimension");
        let (mut scores, mut rows) = (vec![0.0f32; wanted], vec![-1i64; wanted]);
        let bits = ask.allowed.bytes();
        let mut message = [0 as c_char; MESSAGE_BYTES];
        // SAFETY: the index is open; `query` has `dimension` numbers (asserted), `scores` and `rows` have room for
        // `wanted`, and the selector reads no further than the bytes said.
        let rc = unsafe {
            forebay_faiss_nearest(
                self.index.as_ptr(),
                ask.query.as_ptr(),
                wanted,
                ef as c_int,
                self.factory.nprobe,
                self.factory.factor,
                bits.as_ptr(),
                bits.len(),
                scores.as_mut_ptr(),
                rows.as_mut_ptr(),
                message.as_mut_ptr(),
                MESSAGE_BYTES,
            )
        };
        check(rc, &message)?;
        let inside =
            |row: i64| u32::try_from(row).ok().filter(|row| (*row as usize) < length && ask.allowed.contains(*row));
        Ok(rows.into_iter().filter_map(inside).collect())
    }

    fn wide(&self) -> f32 {
        self.vectors.dimension() as f32 / MEASURED_DIMENSION
    }
}

impl VectorEngine for Faiss {
    fn name(&self) -> &str {
        &self.name
    }

    fn vectors(&self) -> &VectorFile {
        &self.vectors
    }

    fn costs(&self, matching: u64, k: usize) -> Costs {
        let scan = flat::cost(&self.vectors, matching);
        let rows = self.vectors.rows() as f32;
        let share = matching as f32 / rows.max(1.0);
        let wanted = (CANDIDATES_PER_HIT * k).max(CANDIDATES_MIN) as f32;
        let index = match self.shape {
            Shape::Flat => Some(Cost { rows: matching, ns: scan.ns }),
            Shape::Graph if share < GRAPH_SHARE_MIN => None,
            Shape::Graph => {
                let compared = (self.factory.ef as f32).max(wanted) * GRAPH_ROWS_PER_CANDIDATE / share;
                Some(Cost { rows: compared as u64, ns: compared * FAR_ROW_NS * self.wide() })
            }
            Shape::Lists(lists) => {
                let compared = self.factory.nprobe as f32 / lists as f32 * matching as f32;
                let centres = lists as f32 * CODE_NS;
                (compared >= wanted)
                    .then(|| Cost { rows: compared as u64, ns: (compared * CODE_NS + centres) * self.wide() })
            }
        };
        Costs { scan, index }
    }

    fn nearest(&self, ask: &Ask) -> Result<Nearest, IndexError> {
        let wanted = (CANDIDATES_PER_HIT * ask.k).max(CANDIDATES_MIN).min(self.vectors.rows());
        if wanted == 0 || ask.matching == 0 {
            return Ok(Nearest::default());
        }
        // A walk passes rows the filter leaves out, so it has to look that much wider.
        let share = ask.matching as f32 / self.vectors.rows() as f32;
        let ef = ((self.factory.ef as f32 / share.max(GRAPH_SHARE_MIN)) as usize).max(wanted);
        let rows = self.rows(ask, wanted, ef)?;
        let mut scores = Vec::with_capacity(rows.len());
        self.scores(ask.query, &rows, &mut scores);
        let exact = rows.len() as u64;
        Ok(Nearest { rows: rows.into_iter().zip(scores).collect(), scored: exact, ..Nearest::default() })
    }
}

impl Drop for Faiss {
    fn drop(&mut self) {
        // SAFETY: it was opened by `forebay_faiss_open` and is closed once, here.
        unsafe { forebay_faiss_close(self.index.as_ptr()) }
    }
}

fn c_path(path: &Path) -> Result<CString, IndexError> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| IndexError::Engine(format!("{}: a path with a zero byte", path.display())))
}

fn check(rc: c_int, message: &[c_char; MESSAGE_BYTES]) -> Result<(), IndexError> {
    if rc == 0 {
        return Ok(());
    }
    let bytes: Vec<u8> = message.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
    Err(IndexError::Engine(String::from_utf8_lossy(&bytes).into_owned()))
}
