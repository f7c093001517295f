//! Building an index in cells.
//!
//! Memory: 36 bytes a row, the sample (about 50 rows of bytes a cell) and the centres; vectors are read from the mapped
//! file and codes written as they are made. Cost: rows x cells products of bytes for the assignment, which is most of it.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use fs_err as fs;

use super::super::kernel::{Kernel, STRIDE_UNIT};
use super::super::quantise::{RowScale, encode, encode_from, signed, stride};
use super::calibrate::calibrate;
use super::kmeans::{Centres, Rows, SignedRows, direction, train};
use super::layout::{Calibration, CellBound, CellFile, Place, Sizes};
use crate::segment::VectorFile;

/// Cells for each square root of the rows.
const CELLS_PER_ROOT: f64 = 4.0;

/// Fewest rows of a cell on average.
const CELL_ROWS_MIN: usize = 16;

/// Rows of the sample for each cell.
const SAMPLE_PER_CELL: usize = 40;

/// Members of a cell that tell where the origin of its codes lies.
const ORIGIN_ROWS: usize = 32;

/// Rows encoded at a time.
const CHUNK_ROWS: usize = 16_384;

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
    write(vectors, sizes, &centres, &starts, &order, threads, path)?;
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
    order: &[u32],
    threads: usize,
    path: &Path,
) -> io::Result<()> {
    let mut file = Sections(BufWriter::new(fs::File::create(path)?));
    file.write(&sizes.header(Calibration { confidence: [1.0; 3], ..Calibration::default() }))?;
    let origins = origins(vectors, centres, starts, order, threads);
    let encoder = Encoder { vectors, centres, starts, order, origins: &origins };
    let mut scales = vec![RowScale::default(); sizes.rows];
    let mut members = vec![Member::default(); sizes.rows];
    let mut codes = vec![0u8; CHUNK_ROWS.min(sizes.rows) * centres.stride];
    for first in (0..sizes.rows).step_by(CHUNK_ROWS) {
        let end = sizes.rows.min(first + CHUNK_ROWS);
        let codes = &mut codes[..(end - first) * centres.stride];
        encoder.chunk(first, codes, &mut scales[first..end], &mut members[first..end], threads);
        file.write(codes)?;
    }
    file.end()?;
    file.write(bytemuck::cast_slice(&scales))?;
    file.end()?;
    file.write(bytemuck::cast_slice(order))?;
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
    let bounds: Vec<CellBound> = (0..sizes.cells).map(|cell| encoder.bound(cell, &members)).collect();
    file.write(bytemuck::cast_slice(&bounds))?;
    file.end()?;
    file.write(&centres.packed)?;
    file.0.flush()
}

/// How far in the direction of its centre the members of each cell lie on average, as [`ORIGIN_ROWS`] of them tell: from there
/// they are nearest.
fn origins(vectors: &VectorFile, centres: &Centres, starts: &[u32], order: &[u32], threads: usize) -> Vec<f32> {
    let cells = starts.len() - 1;
    let mean = |cell: usize| {
        let (centre, _) = direction(centres.of(cell), vectors.dimension());
        let members = &order[starts[cell] as usize..starts[cell + 1] as usize];
        let some = members.iter().step_by(members.len().div_ceil(ORIGIN_ROWS).max(1));
        let count = some.len().max(1) as f32;
        some.map(|row| Kernel::best().dot(vector(vectors, *row as usize), &centre)).sum::<f32>() / count
    };
    let mut origins = vec![0.0; cells];
    let part = cells.div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        for (i, origins) in origins.chunks_mut(part).enumerate() {
            let mean = &mean;
            scope.spawn(move || origins.iter_mut().zip(i * part..).for_each(|(origin, cell)| *origin = mean(cell)));
        }
    });
    origins
}

/// Encodes rows in the order of their places.
struct Encoder<'a> {
    vectors: &'a VectorFile,
    centres: &'a Centres,
    starts: &'a [u32],
    order: &'a [u32],
    /// Of each cell, how far in the direction of its centre the origin of codes lies.
    origins: &'a [f32],
}

impl Encoder<'_> {
    /// The rows from place `first` on.
    fn chunk(&self, first: usize, codes: &mut [u8], scales: &mut [RowScale], members: &mut [Member], threads: usize) {
        let part = scales.len().div_ceil(threads.max(1)).max(1);
        let stride = self.centres.stride;
        std::thread::scope(|scope| {
            let parts = codes.chunks_mut(part * stride).zip(scales.chunks_mut(part)).zip(members.chunks_mut(part));
            for (i, ((codes, scales), members)) in parts.enumerate() {
                scope.spawn(move || self.part(first + i * part, codes, scales, members));
            }
        });
    }

    fn part(&self, first: usize, codes: &mut [u8], scales: &mut [RowScale], members: &mut [Member]) {
        let dimension = self.vectors.dimension();
        let mut cell = self.starts.partition_point(|start| *start as usize <= first) - 1;
        let (mut centre, mut origin) = self.seat(cell);
        let mut rest = Vec::with_capacity(dimension);
        let rows = codes.chunks_exact_mut(self.centres.stride).zip(scales).zip(members);
        for (place, ((codes, scale), member)) in (first..).zip(rows) {
            while self.starts[cell + 1] as usize <= place {
                cell += 1;
                (centre, origin) = self.seat(cell);
            }
            let vector = vector(self.vectors, self.order[place] as usize);
            *scale = encode_from(&origin, vector, &mut rest, codes);
            *member = angle(vector, &centre);
        }
    }

    /// The direction of a cell's centre, and the origin of its members' codes.
    fn seat(&self, cell: usize) -> (Vec<f32>, Vec<f32>) {
        let (centre, _) = direction(self.centres.of(cell), self.vectors.dimension());
        let origin = centre.iter().map(|x| x * self.origins[cell]).collect();
        (centre, origin)
    }

    /// What the members of a cell have in common.
    fn bound(&self, cell: usize, members: &[Member]) -> CellBound {
        let (_, factor) = direction(self.centres.of(cell), self.vectors.dimension());
        let members = &members[self.starts[cell] as usize..self.starts[cell + 1] as usize];
        let by_angle = |a: &&Member, b: &&Member| a.angle().total_cmp(&b.angle());
        let (Some(narrowest), Some(widest)) = (members.iter().min_by(by_angle), members.iter().max_by(by_angle)) else {
            return CellBound {
                factor,
                origin: self.origins[cell],
                widest: [1.0, 0.0],
                narrowest: [1.0, 0.0],
                ..CellBound::default()
            };
        };
        let lengths = || members.iter().map(|member| member.length);
        CellBound {
            factor,
            widest: [widest.cosine, widest.sine],
            narrowest: [narrowest.cosine, narrowest.sine],
            longest: lengths().fold(0.0, f32::max).next_up(),
            shortest: lengths().fold(f32::INFINITY, f32::min).next_down().max(0.0),
            origin: self.origins[cell],
        }
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
