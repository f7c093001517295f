//! The file of an index in cells.
//!
//! ```text
//! header    128 bytes: `FBCELL02`, then little-endian u32 dimension, rows, cells, zero; f32 confidences, typical work at
//!           k = 10, at k = 100 and at k = 10 among every 16th row (rows compared); zeros
//! codes     rows x stride bytes, cell after cell; stride is the dimension filled up to 64
//! scales    rows x 4 f32, in the order of the codes: see `RowScale`
//! angles    rows x (f32 cosine, f32 sine) of the angle with the centre, which ascends within a cell
//! rows      rows x u32: the row of the vector whose codes stand at this place
//! places    rows x 2 u32: the place of each row, and its cell
//! starts    (cells + 1) x u32: the first place of each cell, and the end
//! bounds    cells x 8 f32: see [`CellBound`]
//! centres   cells / 16, rounded up, groups of 16 x stride bytes: the centres, packed
//! ```
//!
//! Every section starts at a multiple of 64 bytes. Nothing is parsed: the sections are slices of the mapped file. Opening
//! checks magic, sizes and that `starts` ascends from 0 to the number of rows. Row numbers and places are checked where
//! they are used, since that costs less than a pass over them at opening; a wrong one counts as a row that is not there.
//!
//! `FBCELL01` held codes of the vectors as they are, two numbers a row beside them, and no cells beside the places. Such a
//! file is not read: its segment is compared row by row until an engine has been built for it anew, in the background.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::super::kernel::{GROUP, STRIDE_UNIT};
use super::super::quantise::{RowScale, stride};
use crate::segment::Bytes;

const MAGIC: &[u8; 8] = b"FBCELL02";

/// Magics of earlier layouts.
const EARLIER: [&[u8; 8]; 1] = [b"FBCELL01"];

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 128;

/// What members of a cell have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct CellBound {
    /// Turns a product with the centre's codes into one with its direction.
    pub(super) factor: f32,
    /// Cosine and sine of the widest angle between a member and the centre.
    pub(super) widest: [f32; 2],
    /// Cosine and sine of the narrowest.
    pub(super) narrowest: [f32; 2],
    /// Length of the longest member.
    pub(super) longest: f32,
    /// Length of the shortest member.
    pub(super) shortest: f32,
    /// How far in the centre's direction the origin of the members' codes lies.
    pub(super) origin: f32,
}

/// Where a row lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Place {
    /// Its codes.
    pub(super) place: u32,
    /// Its cell.
    pub(super) cell: u32,
}

/// What was measured on the segment when it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Calibration {
    /// Confidence (see `bound`) for 1, 10 and 100 hits: fewer need more, since the last of them is nearer.
    pub(super) confidence: [f32; 3],
    /// Rows compared for 10 hits.
    pub(super) work_10: f32,
    /// Rows compared for 100 hits.
    pub(super) work_100: f32,
    /// Rows looked at for 10 hits among every [`super::calibrate::THINNING`]th row.
    pub(super) work_thinned: f32,
}

impl Calibration {
    /// The confidence for `k` hits, between those that were measured.
    pub(super) fn confidence_for(&self, k: usize) -> f32 {
        let decades = (k.max(1) as f32).log10().min((self.confidence.len() - 1) as f32);
        let below = decades as usize;
        let above = (below + 1).min(self.confidence.len() - 1);
        self.confidence[below] + (self.confidence[above] - self.confidence[below]) * decades.fract()
    }
}

/// Sizes, from which the places of all sections follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) dimension: usize,
    pub(super) rows: usize,
    pub(super) cells: usize,
}

/// Byte ranges of the sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sections {
    pub(super) codes: Range<usize>,
    pub(super) scales: Range<usize>,
    pub(super) angles: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) places: Range<usize>,
    pub(super) starts: Range<usize>,
    pub(super) bounds: Range<usize>,
    pub(super) centres: Range<usize>,
}

impl Sizes {
    /// Where the sections lie; `None` where the sizes overflow.
    pub(super) fn sections(self) -> Option<Sections> {
        let stride = stride(self.dimension);
        let mut at = HEADER_BYTES;
        let mut section = |items: usize, bytes: usize| {
            let start = at;
            let end = start.checked_add(items.checked_mul(bytes)?)?;
            at = end.checked_next_multiple_of(STRIDE_UNIT)?;
            Some(start..end)
        };
        Some(Sections {
            codes: section(self.rows, stride)?,
            scales: section(self.rows, size_of::<RowScale>())?,
            angles: section(self.rows, size_of::<[f32; 2]>())?,
            rows: section(self.rows, size_of::<u32>())?,
            places: section(self.rows, size_of::<Place>())?,
            starts: section(self.cells.checked_add(1)?, size_of::<u32>())?,
            bounds: section(self.cells, size_of::<CellBound>())?,
            centres: section(self.cells.div_ceil(GROUP), GROUP * stride)?,
        })
    }

    /// The header.
    pub(super) fn header(self, calibration: Calibration) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(MAGIC);
        for (place, number) in [self.dimension, self.rows, self.cells].into_iter().enumerate() {
            header[8 + 4 * place..12 + 4 * place].copy_from_slice(&(number as u32).to_le_bytes());
        }
        header[24..24 + size_of::<Calibration>()].copy_from_slice(bytemuck::bytes_of(&calibration));
        header
    }
}

/// The mapped file.
pub(super) struct CellFile {
    map: Bytes,
    sizes: Sizes,
    sections: Sections,
    calibration: Calibration,
}

impl CellFile {
    /// Maps a file and checks what its header and `starts` say. `None` is a file of an earlier layout.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let map = Bytes::map(path)?;
        let all = map.all();
        let damaged =
            |reason: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {reason}", path.display()));
        let header = all.get(..HEADER_BYTES).ok_or_else(|| damaged("shorter than its header"))?;
        if EARLIER.iter().any(|earlier| &header[..8] == *earlier) {
            return Ok(None);
        }
        if &header[..8] != MAGIC {
            return Err(damaged("not an index in cells"));
        }
        let number =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize;
        let sizes = Sizes { dimension: number(8), rows: number(12), cells: number(16) };
        let calibration: Calibration = bytemuck::pod_read_unaligned(&header[24..24 + size_of::<Calibration>()]);
        let sections = sizes.sections().ok_or_else(|| damaged("its sizes overflow"))?;
        if sizes.dimension == 0 || sizes.cells == 0 || sizes.cells > sizes.rows || all.len() != sections.centres.end {
            return Err(damaged("its length does not fit its header"));
        }
        if !calibration.confidence.iter().all(|confidence| *confidence > 0.0 && *confidence <= 1.0) {
            return Err(damaged("its confidence is not in 0..=1"));
        }
        let file = Self { map, sizes, sections, calibration };
        let starts = file.starts();
        let ascends = starts.windows(2).all(|pair| pair[0] <= pair[1]);
        if starts.first() != Some(&0) || starts.last().map(|end| *end as usize) != Some(sizes.rows) || !ascends {
            return Err(damaged("its cells overlap or leave rows out"));
        }
        Ok(Some(file))
    }

    /// Gives back the room that its pages take.
    pub(super) fn page_out(&self) {
        self.map.page_out();
    }

    pub(super) fn sizes(&self) -> Sizes {
        self.sizes
    }

    pub(super) fn calibration(&self) -> Calibration {
        self.calibration
    }

    pub(super) fn codes(&self) -> &[u8] {
        &self.map.all()[self.sections.codes.clone()]
    }

    pub(super) fn scales(&self) -> &[RowScale] {
        self.slice(&self.sections.scales)
    }

    /// Cosine and sine of each row's angle with its centre.
    pub(super) fn angles(&self) -> &[[f32; 2]] {
        self.slice(&self.sections.angles)
    }

    pub(super) fn rows(&self) -> &[u32] {
        self.slice(&self.sections.rows)
    }

    pub(super) fn places(&self) -> &[Place] {
        self.slice(&self.sections.places)
    }

    pub(super) fn starts(&self) -> &[u32] {
        self.slice(&self.sections.starts)
    }

    pub(super) fn bounds(&self) -> &[CellBound] {
        self.slice(&self.sections.bounds)
    }

    pub(super) fn centres(&self) -> &[u8] {
        &self.map.all()[self.sections.centres.clone()]
    }

    /// The places of a cell.
    pub(super) fn cell(&self, cell: usize) -> Range<u32> {
        let starts = self.starts();
        starts[cell]..starts[cell + 1]
    }

    fn slice<T: bytemuck::Pod>(&self, section: &Range<usize>) -> &[T] {
        // The map starts at a page and sections at multiples of 64 bytes, and `open` checked that they lie inside.
        bytemuck::cast_slice(&self.map.all()[section.clone()])
    }
}

const _: () = assert!(cfg!(target_endian = "little"), "the file is mapped as it lies on disk");
const _: () = assert!(HEADER_BYTES >= 24 + size_of::<Calibration>() && HEADER_BYTES.is_multiple_of(STRIDE_UNIT));
