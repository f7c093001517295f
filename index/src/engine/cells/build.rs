//! Building an index in cells.
//!
//! Memory: 36 bytes a row, the sample (about 50 rows of bytes a cell) and the centres; vectors are read from the mapped
//! file and codes written as they are made. Cost: rows x cells products of bytes for the assignment, which is most of it.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use fs_err as fs;

use super::super::kernel::{Kernel, STRIDE_UNIT};
use super::super::quantise::{RowScale, encode, encode_from, signed, stride};
use super::calibrate::calibrate;
use super::kmeans::{Centres, Rows, SignedRows, direction, train};
use super::layout::{Calibration, CellBound, CellFile, HEADER_BYTES, Place, Sizes};
use crate::segment::VectorFile;

/// Cells for each square root of the rows.
const CELLS_PER_ROOT: f64 = 4.0;

/// Fewest rows of a cell on average.
const CELL_ROWS_MIN: usize = 16;

/// Rows of the sample for each cell.
const SAMPLE_PER_CELL: usize = 40;

/// Rows encoded before they are written.
const CHUNK_ROWS: usize = 4_096;

/// What single precision may take off the sine of an angle: see `bound::ROUNDING`.
const SINE_ROUNDING: f32 = 1e-6;

/// Rows of vectors, encoded as they are asked for.
struct Encoded<'a>(&'a VectorFile);

/// A member of a cell: cosine and sine of its angle with the centre, and its length.
#[derive(Clone, Copy, Default)]
struct Member {
    cosine: f32,
    sine: f32,
    length: f32,
}

/// Writes an index over `vectors` to `path` with `threads` threads; the caller syncs.
pub(crate) fn build(vectors: &VectorFile, threads: usize, path: &Path) -> io::Result<()> {
    let (rows, dimension) = (vectors.rows(), vectors.dimension());
    let cells = cell_count(rows);
    let sample = sample(vectors, (cells * SAMPLE_PER_CELL).min(rows));
    let centres = train(&sample, dimension, cells, threads);
    drop(sample);
    let mut nearest = vec![0u32; rows];
    centres.assign(&Encoded(vectors), 0, &mut nearest, threads);
    let (starts, order) = sort(&nearest, cells);
    drop(nearest);
    let sizes = Sizes { dimension, rows, cells };
    write(vectors, sizes, &centres, &starts, order, threads, path)?;
    let written =
        CellFile::open(path)?.ok_or_else(|| io::Error::other("what was just written is of an earlier layout"))?;
    let calibration = calibrate(&written, vectors, threads);
    drop(written);
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&sizes.header(calibration))
}

/// How many cells for so many rows.
fn cell_count(rows: usize) -> usize {
    ((CELLS_PER_ROOT * (rows as f64).sqrt()) as usize).min(rows / CELL_ROWS_MIN).max(1)
}

/// Rows evenly spread over the vectors.
fn sample(vectors: &VectorFile, count: usize) -> SignedRows {
    let stride = stride(vectors.dimension());
    let mut numbers = vec![0i8; count * stride];
    for (i, codes) in numbers.chunks_exact_mut(stride).enumerate() {
        Encoded(vectors).write((i as u64 * vectors.rows() as u64 / count as u64) as usize, codes);
    }
    SignedRows { numbers, stride }
}

impl Rows for Encoded<'_> {
    fn write(&self, row: usize, codes: &mut [i8]) {
        let mut unsigned = vec![0u8; codes.len()];
        encode(vector(self.0, row), &mut unsigned);
        signed(&unsigned, codes);
    }
}

fn vector(vectors: &VectorFile, row: usize) -> &[f32] {
    &vectors.numbers()[row * vectors.dimension()..][..vectors.dimension()]
}

/// The first place of each cell and the end, and the row at each place.
fn sort(nearest: &[u32], cells: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; cells + 1];
    for cell in nearest {
        starts[*cell as usize + 1] += 1;
    }
    for cell in 0..cells {
        starts[cell + 1] += starts[cell];
    }
    let mut next = starts.clone();
    let mut order = vec![0u32; nearest.len()];
    for (row, cell) in nearest.iter().enumerate() {
        order[next[*cell as usize] as usize] = row as u32;
        next[*cell as usize] += 1;
    }
    (starts, order)
}

/// A file whose sections are written one after the other, each filled up to a cache line.
struct Sections(BufWriter<fs::File>);

impl Sections {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn end(&mut self) -> io::Result<()> {
        let at = self.0.stream_position()? as usize;
        self.0.write_all(&[0; STRIDE_UNIT][..at.next_multiple_of(STRIDE_UNIT) - at])
    }
}

fn write(
    vectors: &VectorFile,
    sizes: Sizes,
    centres: &Centres,
    starts: &[u32],
    mut order: Vec<u32>,
    threads: usize,
    path: &Path,
) -> io::Result<()> {
    let file = fs::File::create(path)?;
    let encoder = Encoder { vectors, centres, starts, codes: file.file() };
    let mut tables = RowTables { scales: vec![RowScale::default(); sizes.rows], angles: vec![[0.0; 2]; sizes.rows] };
    let bounds = encoder.all(&mut order, &mut tables, threads)?;
    let mut file = Sections(BufWriter::new(file));
    file.write(&sizes.header(Calibration { confidence: [1.0; 3], ..Calibration::default() }))?;
    file.0.seek(SeekFrom::Start((HEADER_BYTES + sizes.rows * centres.stride) as u64))?;
    file.end()?;
    file.write(bytemuck::cast_slice(&tables.scales))?;
    file.end()?;
    file.write(bytemuck::cast_slice(&tables.angles))?;
    file.end()?;
    drop(tables);
    file.write(bytemuck::cast_slice(&order))?;
    file.end()?;
    let mut places = vec![Place::default(); sizes.rows];
    for (cell, bounds) in (0..).zip(starts.windows(2)) {
        for place in bounds[0]..bounds[1] {
            places[order[place as usize] as usize] = Place { place, cell };
        }
    }
    file.write(bytemuck::cast_slice(&places))?;
    file.end()?;
    file.write(bytemuck::cast_slice(starts))?;
    file.end()?;
    file.write(bytemuck::cast_slice(&bounds))?;
    file.end()?;
    file.write(&centres.packed)?;
    file.0.flush()
}

/// Sorts and encodes the members of cells.
struct Encoder<'a> {
    vectors: &'a VectorFile,
    centres: &'a Centres,
    starts: &'a [u32],
    /// The file that codes are written to, behind its header.
    codes: &'a std::fs::File,
}

/// What is kept of rows beside their codes, in the order of their places.
struct RowTables {
    scales: Vec<RowScale>,
    angles: Vec<[f32; 2]>,
}

/// Room that a thread works in.
#[derive(Default)]
struct Room {
    members: Vec<(Member, u32)>,
    codes: Vec<u8>,
    rest: Vec<f32>,
}

impl Encoder<'_> {
    /// All cells: `order` is sorted by angle within each, codes are written, and the rest is filled in.
    fn all(&self, order: &mut [u32], tables: &mut RowTables, threads: usize) -> io::Result<Vec<CellBound>> {
        let cells = self.starts.len() - 1;
        let share = order.len().div_ceil(threads.max(1)).max(1);
        let (mut order, mut scales, mut angles) = (order, tables.scales.as_mut_slice(), tables.angles.as_mut_slice());
        std::thread::scope(|scope| {
            let (mut cell, mut parts) = (0, Vec::new());
            while cell < cells {
                let first = self.starts[cell];
                let wanted = first as usize + share;
                let end = self.starts.partition_point(|start| (*start as usize) < wanted).clamp(cell + 1, cells);
                let length = (self.starts[end] - first) as usize;
                let part = (
                    cell..end,
                    order.split_off_mut(..length).unwrap_or_default(),
                    scales.split_off_mut(..length).unwrap_or_default(),
                    angles.split_off_mut(..length).unwrap_or_default(),
                );
                parts.push(scope.spawn(move || self.part(part.0, part.1, part.2, part.3)));
                cell = end;
            }
            let mut bounds = Vec::with_capacity(cells);
            for part in parts {
                bounds.extend(part.join().map_err(|_| io::Error::other("a thread that encoded vectors panicked"))??);
            }
            Ok(bounds)
        })
    }

    /// The cells of a range, whose rows begin with the slices.
    fn part(
        &self,
        cells: Range<usize>,
        mut order: &mut [u32],
        mut scales: &mut [RowScale],
        mut angles: &mut [[f32; 2]],
    ) -> io::Result<Vec<CellBound>> {
        let mut room = Room::default();
        cells
            .map(|cell| {
                let length = (self.starts[cell + 1] - self.starts[cell]) as usize;
                let order = order.split_off_mut(..length).unwrap_or_default();
                self.cell(
                    cell,
                    order,
                    scales.split_off_mut(..length).unwrap_or_default(),
                    angles.split_off_mut(..length).unwrap_or_default(),
                    &mut room,
                )
            })
            .collect()
    }

    fn cell(
        &self,
        cell: usize,
        order: &mut [u32],
        scales: &mut [RowScale],
        angles: &mut [[f32; 2]],
        room: &mut Room,
    ) -> io::Result<CellBound> {
        let (centre, factor) = direction(self.centres.of(cell), self.vectors.dimension());
        room.members.clear();
        room.members.extend(order.iter().map(|row| (angle(vector(self.vectors, *row as usize), &centre), *row)));
        room.members.sort_unstable_by(|a, b| a.0.angle().total_cmp(&b.0.angle()).then(a.1.cmp(&b.1)));
        let bound = bound(factor, &room.members);
        let origin: Vec<f32> = centre.iter().map(|x| x * bound.origin).collect();
        for (((member, row), order), angle) in room.members.iter().zip(order.iter_mut()).zip(angles) {
            (*order, *angle) = (*row, [member.cosine, member.sine]);
        }
        let stride = self.centres.stride;
        let mut at = HEADER_BYTES as u64 + u64::from(self.starts[cell]) * stride as u64;
        for (order, scales) in order.chunks(CHUNK_ROWS).zip(scales.chunks_mut(CHUNK_ROWS)) {
            room.codes.resize(order.len() * stride, 0);
            for ((row, scale), codes) in order.iter().zip(scales).zip(room.codes.chunks_exact_mut(stride)) {
                *scale = encode_from(&origin, vector(self.vectors, *row as usize), &mut room.rest, codes);
            }
            self.codes.write_all_at(&room.codes, at)?;
            at += room.codes.len() as u64;
        }
        Ok(bound)
    }
}

/// What the members of a cell, sorted by their angles, have in common.
fn bound(factor: f32, members: &[(Member, u32)]) -> CellBound {
    let (Some((narrowest, _)), Some((widest, _))) = (members.first(), members.last()) else {
        return CellBound { factor, widest: [1.0, 0.0], narrowest: [1.0, 0.0], ..CellBound::default() };
    };
    let members = || members.iter().map(|(member, _)| member);
    // From their mean on the axis they are nearest.
    let along: f64 = members().map(|member| f64::from(member.cosine) * f64::from(member.length)).sum();
    CellBound {
        factor,
        widest: [widest.cosine, widest.sine],
        narrowest: [narrowest.cosine, narrowest.sine],
        longest: members().fold(0.0f32, |longest, member| longest.max(member.length)).next_up(),
        shortest: members().fold(f32::INFINITY, |shortest, member| shortest.min(member.length)).next_down().max(0.0),
        origin: (along / members().count() as f64) as f32,
    }
}

impl Member {
    fn angle(self) -> f32 {
        self.sine.atan2(self.cosine)
    }
}

/// How a vector lies to a centre of length 1. A vector of zeros counts as lying in the centre's direction.
fn angle(vector: &[f32], centre: &[f32]) -> Member {
    let kernel = Kernel::best();
    let length = kernel.dot(vector, vector).sqrt();
    if length == 0.0 {
        return Member { cosine: 1.0, sine: 0.0, length };
    }
    let along = kernel.dot(vector, centre);
    // The sine from the part across and not from the cosine, which near 1 says little about the angle.
    let across: Vec<f32> = vector.iter().zip(centre).map(|(x, c)| x - along * c).collect();
    let sine = kernel.dot(&across, &across).sqrt() / length;
    Member { cosine: (along / length).min(1.0), sine: (sine + SINE_ROUNDING).min(1.0), length: length * (1.0 + 1e-5) }
}
