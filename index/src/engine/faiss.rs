//! FAISS, through the shim in `shim/faiss_shim.cpp`.
//!
//! The shim turns every C++ exception into a text, so nothing unwinds across the border. FAISS trusts the files it
//! reads: a path comes here only after its checksum was verified.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

// The static library is linked through this crate.
use faiss_sys as _;

use super::VectorEngine;
use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::segment::VectorFile;

/// Room for what FAISS says went wrong.
const MESSAGE_BYTES: usize = 512;

/// A `faiss::Index`, opaque.
#[repr(C)]
struct RawIndex {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn forebay_hnsw_build(
        dimension: c_int,
        rows: usize,
        vectors: *const f32,
        links: c_int,
        ef_construction: c_int,
        threads: c_int,
        path: *const c_char,
        message: *mut c_char,
        message_size: usize,
    ) -> c_int;
    fn forebay_hnsw_open(
        path: *const c_char,
        dimension: c_int,
        rows: usize,
        vectors: *const f32,
        out: *mut *mut RawIndex,
        message: *mut c_char,
        message_size: usize,
    ) -> c_int;
    fn forebay_hnsw_close(index: *mut RawIndex);
    fn forebay_hnsw_nearest(
        index: *const RawIndex,
        query: *const f32,
        k: usize,
        ef: c_int,
        bitmap: *const u8,
        bitmap_bytes: usize,
        scores: *mut f32,
        rows: *mut i64,
        message: *mut c_char,
        message_size: usize,
    ) -> c_int;
    fn forebay_inner_products(
        dimension: c_int,
        vectors: *const f32,
        query: *const f32,
        rows: *const u32,
        row_count: usize,
        scores: *mut f32,
    );
}

/// The vectors as they are: every comparison is made.
pub(super) struct Flat {
    vectors: Arc<VectorFile>,
}

/// An HNSW graph over the vectors.
pub(super) struct Hnsw {
    // Closed in `drop`, before `flat` lets go of the vectors it looks at.
    index: NonNull<RawIndex>,
    flat: Flat,
}

// SAFETY: the index is never changed after `open`; FAISS's `search` is const and documents concurrent searches as safe.
unsafe impl Send for Hnsw {}
// SAFETY: as above.
unsafe impl Sync for Hnsw {}

impl Flat {
    pub(super) fn new(vectors: Arc<VectorFile>) -> Self {
        Self { vectors }
    }
}

impl VectorEngine for Flat {
    fn name(&self) -> &'static str {
        super::name(false)
    }

    fn has_graph(&self) -> bool {
        false
    }

    fn scores(&self, query: &[f32], rows: &[u32], scores: &mut Vec<f32>) {
        assert_eq!(query.len(), self.vectors.dimension(), "the search was checked against the dimension");
        assert!(rows.iter().all(|row| (*row as usize) < self.vectors.rows()), "rows come from this segment");
        let before = scores.len();
        scores.resize(before + rows.len(), 0.0);
        // SAFETY: `query` has `dimension` numbers and every row lies inside the vectors (asserted above), and `scores`
        // has room for one number for each row.
        unsafe {
            forebay_inner_products(
                self.vectors.dimension() as c_int,
                self.vectors.numbers().as_ptr(),
                query.as_ptr(),
                rows.as_ptr(),
                rows.len(),
                scores[before..].as_mut_ptr(),
            );
        }
    }

    fn nearest(&self, _query: &[f32], _k: usize, _ef: usize, _allowed: &Bitmap) -> Result<Vec<u32>, IndexError> {
        Ok(Vec::new())
    }
}

impl Hnsw {
    pub(super) fn open(vectors: Arc<VectorFile>, path: &Path) -> Result<Self, IndexError> {
        let path = c_path(path)?;
        let mut index: *mut RawIndex = std::ptr::null_mut();
        let mut message = [0 as c_char; MESSAGE_BYTES];
        // SAFETY: `path` ends in a zero, the vectors outlive the index (this struct holds both and closes it first), and
        // `message` has the size said.
        let rc = unsafe {
            forebay_hnsw_open(
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
        Ok(Self { index, flat: Flat::new(vectors) })
    }
}

impl VectorEngine for Hnsw {
    fn name(&self) -> &'static str {
        super::name(true)
    }

    fn has_graph(&self) -> bool {
        true
    }

    fn scores(&self, query: &[f32], rows: &[u32], scores: &mut Vec<f32>) {
        self.flat.scores(query, rows, scores);
    }

    fn nearest(&self, query: &[f32], k: usize, ef: usize, allowed: &Bitmap) -> Result<Vec<u32>, IndexError> {
        let length = self.flat.vectors.rows();
        let k = k.min(length);
        if k == 0 {
            return Ok(Vec::new());
        }
        assert_eq!(query.len(), self.flat.vectors.dimension(), "the search was checked against the dimension");
        let (mut scores, mut rows) = (vec![0.0f32; k], vec![-1i64; k]);
        let bits = allowed.bytes();
        let mut message = [0 as c_char; MESSAGE_BYTES];
        // SAFETY: the index is open; `query` has `dimension` numbers (asserted), `scores` and `rows` have room for `k`,
        // and the selector reads no further than the bytes said.
        let rc = unsafe {
            forebay_hnsw_nearest(
                self.index.as_ptr(),
                query.as_ptr(),
                k,
                ef.max(k) as c_int,
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
            |row: i64| u32::try_from(row).ok().filter(|row| (*row as usize) < length && allowed.contains(*row));
        Ok(rows.into_iter().filter_map(inside).collect())
    }
}

impl Drop for Hnsw {
    fn drop(&mut self) {
        // SAFETY: it was opened by `forebay_hnsw_open` and is closed once, here.
        unsafe { forebay_hnsw_close(self.index.as_ptr()) }
    }
}

/// Builds a graph over `vectors` and writes it, without them, to `path`.
pub(super) fn build_hnsw(
    vectors: &VectorFile,
    links: i32,
    ef_construction: i32,
    threads: usize,
    path: &Path,
) -> Result<(), IndexError> {
    let path = c_path(path)?;
    let mut message = [0 as c_char; MESSAGE_BYTES];
    // SAFETY: the vectors have `rows` times `dimension` numbers, `path` ends in a zero, `message` has the size said.
    let rc = unsafe {
        forebay_hnsw_build(
            vectors.dimension() as c_int,
            vectors.rows(),
            vectors.numbers().as_ptr(),
            links,
            ef_construction,
            threads as c_int,
            path.as_ptr(),
            message.as_mut_ptr(),
            MESSAGE_BYTES,
        )
    };
    check(rc, &message)
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
