//! Recall and speed of the engines over vectors alone:
//! `cargo run --release --workspace --example engines -- [--rows N] [--dimension D] [--k K] [--share S] [--queries Q]
//! [--threads T] [--vectors FILE.npy] [--questions FILE.npy] [--data clustered|duplicates|spread] [--dir DIR] ENGINE...`
//!
//! Vectors come from a `NumPy` file (two-dimensional, float32, C order) or are made up: `clustered` directions with noise of
//! several widths, `duplicates` (many near-duplicates of few), `spread` (no clusters: the worst case). Questions come from
//! a file, or are half vectors with noise and half means of two vectors, so that they lie off the data. `--share` filters:
//! a random share of the rows passes. Recall is counted against all comparisons in floats. Times are of one thread. An
//! engine is the text that the setting `index.engine` takes. Without `--dir` the files go to a temporary folder.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use forebay_index::Bitmap;
use forebay_index::engine::{Effort, EngineKind, VectorIndex};

struct Arguments {
    rows: usize,
    dimension: usize,
    ks: Vec<usize>,
    shares: Vec<f64>,
    queries: usize,
    threads: usize,
    vectors: Option<PathBuf>,
    questions: Option<PathBuf>,
    data: String,
    dir: Option<PathBuf>,
    engines: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::read()?;
    let temporary = tempfile::tempdir()?;
    let dir = arguments.dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    if !dir.join("vectors.f32").exists() {
        write_vectors(&arguments, &dir)?;
    }
    let flat = VectorIndex::build(&dir, &EngineKind::Flat, arguments.threads)?;
    let questions = questions(&arguments, &flat)?;
    println!("{} rows x {}, {} questions, {} data", flat.rows(), flat.dimension(), questions.len(), arguments.data);
    let filters: Vec<Bitmap> = arguments.shares.iter().map(|share| filter(flat.rows(), *share)).collect();
    let exact: Vec<Vec<Vec<(u32, f32)>>> = filters
        .iter()
        .map(|allowed| {
            let k = arguments.ks.iter().copied().max().unwrap_or(10);
            questions.iter().map(|q| flat.search(q, k, allowed, Effort::Scan).map(|a| a.rows)).collect()
        })
        .collect::<Result<_, _>>()?;
    drop(flat);
    for name in &arguments.engines {
        let start = Instant::now();
        let index = VectorIndex::build(&dir, &name.parse()?, arguments.threads)?;
        let built = start.elapsed().as_secs_f64();
        let file = match name.split(['@', ':']).next() {
            Some("cells") => "vectors.cells",
            Some("hnsw") => "vectors.hnsw",
            _ => "vectors.faiss",
        };
        let bytes = fs_err::metadata(dir.join(file)).map_or(0, |file| file.len());
        println!(
            "{name}: built in {built:.2} s with {} threads, {:.0} bytes a vector beside the floats; {}",
            arguments.threads,
            bytes as f64 / index.rows() as f64,
            index.describe()
        );
        drop(index);
        let start = Instant::now();
        let index = VectorIndex::open(&dir)?;
        println!("  opened in {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
        for ((share, allowed), exact) in arguments.shares.iter().zip(&filters).zip(&exact) {
            for k in &arguments.ks {
                for effort in [Effort::Planned, Effort::Index, Effort::Scan] {
                    measure(&index, &questions, *k, *share, allowed, effort, exact)?;
                }
            }
        }
    }
    Ok(())
}

fn measure(
    index: &VectorIndex,
    questions: &[Vec<f32>],
    k: usize,
    share: f64,
    allowed: &Bitmap,
    effort: Effort,
    exact: &[Vec<(u32, f32)>],
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut found, mut wanted, mut compared, mut scored, mut by_index) = (0, 0, 0, 0, 0);
    let mut worst = 1.0f64;
    let mut micros = Vec::with_capacity(questions.len());
    // Once to warm up: the first look at a mapped page is the kernel's work.
    for question in &questions[..questions.len() / 4] {
        index.search(question, k, allowed, effort)?;
    }
    for (question, exact) in questions.iter().zip(exact) {
        let start = Instant::now();
        let answer = index.search(question, k, allowed, effort)?;
        micros.push(start.elapsed().as_nanos() as f64 / 1e3);
        let exact = &exact[..k.min(exact.len())];
        assert_eq!(answer.rows.len(), exact.len(), "exactly min(k, matching)");
        // A row that ties with the last counts as found.
        let least = exact.last().map_or(0.0, |row| row.1);
        let ids: HashSet<u32> = exact.iter().map(|row| row.0).collect();
        let same = answer.rows.iter().filter(|(row, score)| ids.contains(row) || *score >= least).count();
        found += same;
        wanted += exact.len();
        worst = worst.min(same as f64 / exact.len().max(1) as f64);
        compared += answer.compared;
        scored += answer.scored;
        by_index += usize::from(answer.by_index);
    }
    micros.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize];
    let mean = micros.iter().sum::<f64>() / micros.len() as f64;
    println!(
        "  share {share:<7} k {k:<5} {effort:<9} recall {:.4} worst {worst:.2}  {:>8.0} q/s  p50 {:>8.1} us  p99 {:>8.1} us  \
         compared {:>8} scored {:>6} by index {:.2}",
        found as f64 / wanted.max(1) as f64,
        1e6 / mean,
        at(0.5),
        at(0.99),
        compared / questions.len() as u64,
        scored / questions.len() as u64,
        by_index as f64 / questions.len() as f64,
        effort = format!("{effort:?}"),
    );
    Ok(())
}

/// A random share of the rows.
fn filter(rows: usize, share: f64) -> Bitmap {
    if share >= 1.0 {
        return Bitmap::all(rows as u32);
    }
    let mut random = Random(99);
    let mut allowed = Bitmap::none(rows as u32);
    (0..rows as u32).filter(|_| random.unit() < share).for_each(|row| allowed.insert(row));
    allowed
}

fn write_vectors(arguments: &Arguments, dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(path) = &arguments.vectors {
        let (dimension, numbers) = npy(path)?;
        let rows = (numbers.len() / dimension).min(arguments.rows);
        let numbers = &numbers[..rows * dimension];
        VectorIndex::write(dir, dimension, rows, std::iter::once(numbers))?;
        return Ok(());
    }
    let made = Made::new(&arguments.data, arguments.dimension, arguments.rows);
    let mut random = Random(7);
    let mut numbers = Vec::with_capacity(arguments.rows * arguments.dimension);
    (0..arguments.rows).for_each(|_| numbers.extend(made.vector(&mut random)));
    VectorIndex::write(dir, arguments.dimension, arguments.rows, std::iter::once(numbers.as_slice()))?;
    Ok(())
}

fn questions(arguments: &Arguments, index: &VectorIndex) -> Result<Vec<Vec<f32>>, Box<dyn std::error::Error>> {
    if let Some(path) = &arguments.questions {
        let (dimension, numbers) = npy(path)?;
        return Ok(numbers.chunks_exact(dimension).take(arguments.queries).map(<[f32]>::to_vec).collect());
    }
    let d = index.dimension();
    let mut random = Random(1_234);
    let mut row = || {
        let row = random.below(index.rows() as u64) as usize;
        &index.numbers()[row * d..][..d]
    };
    let mut noise = Random(4_321);
    Ok((0..arguments.queries)
        .map(|i| {
            let (a, b) = (row(), row());
            let scale = 0.5 / (d as f32).sqrt();
            if i % 2 == 0 {
                unit(a.iter().map(|x| x + scale * noise.gauss()).collect())
            } else {
                unit(a.iter().zip(b).map(|(a, b)| a + b).collect())
            }
        })
        .collect())
}

/// Vectors that are made up.
struct Made {
    centres: Vec<Vec<f32>>,
    /// Least and greatest length of the noise around a centre.
    noise: (f32, f32),
    dimension: usize,
}

impl Made {
    fn new(data: &str, dimension: usize, rows: usize) -> Self {
        let (count, noise) = match data {
            "duplicates" => (rows / 200 + 1, (0.01, 0.05)),
            "spread" => (1, (50.0, 50.0)),
            _ => (rows / 500 + 1, (0.2, 1.0)),
        };
        let mut random = Random(3);
        // Centres lie in a space of few dimensions, as those of learned vectors do.
        let basis: Vec<Vec<f32>> = (0..32).map(|_| (0..dimension).map(|_| random.gauss()).collect()).collect();
        let centres = (0..count)
            .map(|_| {
                let mut centre = vec![0.0; dimension];
                for direction in &basis {
                    let weight = random.gauss();
                    centre.iter_mut().zip(direction).for_each(|(sum, x)| *sum += weight * x);
                }
                unit(centre)
            })
            .collect();
        Self { centres, noise, dimension }
    }

    fn vector(&self, random: &mut Random) -> Vec<f32> {
        let centre = &self.centres[random.below(self.centres.len() as u64) as usize];
        let width = self.noise.0 + (self.noise.1 - self.noise.0) * random.unit() as f32;
        let scale = width / (self.dimension as f32).sqrt();
        unit(centre.iter().map(|x| x + scale * random.gauss()).collect())
    }
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.into_iter().map(|x| x / length).collect()
}

/// A `NumPy` file (format 1 or 2): the length of its rows, and its numbers.
fn npy(path: &Path) -> Result<(usize, Vec<f32>), Box<dyn std::error::Error>> {
    let bytes = fs_err::read(path)?;
    let (start, length) = match bytes.get(..10) {
        Some([0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b]) => (10, u16::from_le_bytes([*a, *b]) as usize),
        Some([0x93, b'N', b'U', b'M', b'P', b'Y', 2, ..]) => {
            (12, u32::from_le_bytes(bytes[8..12].try_into()?) as usize)
        }
        _ => return Err(format!("{}: not a NumPy file", path.display()).into()),
    };
    let header = std::str::from_utf8(bytes.get(start..start + length).ok_or("cut short")?)?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return Err(format!("{}: wanted float32 in C order, found {header}", path.display()).into());
    }
    let shape = header.split_once('(').and_then(|(_, rest)| rest.split_once(')')).ok_or("no shape")?.0;
    let shape: Vec<usize> =
        shape.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::parse).collect::<Result<_, _>>()?;
    let [_, dimension] = shape.as_slice() else {
        return Err(format!("{}: not two-dimensional", path.display()).into());
    };
    let numbers = bytes[start + length..].as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    Ok((*dimension, numbers))
}

impl Arguments {
    fn read() -> Result<Self, Box<dyn std::error::Error>> {
        let mut arguments = Self {
            rows: 100_000,
            dimension: 256,
            ks: vec![10],
            shares: vec![1.0],
            queries: 200,
            threads: 1,
            vectors: None,
            questions: None,
            data: "clustered".to_owned(),
            dir: None,
            engines: Vec::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                arguments.engines.push(word);
                continue;
            };
            let value = words.next().ok_or_else(|| format!("--{name} wants a value"))?;
            match name {
                "rows" => arguments.rows = value.parse()?,
                "dimension" => arguments.dimension = value.parse()?,
                "k" => arguments.ks = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
                "share" => arguments.shares = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
                "queries" => arguments.queries = value.parse()?,
                "threads" => arguments.threads = value.parse()?,
                "vectors" => (arguments.vectors, arguments.data) = (Some(value.clone().into()), value),
                "questions" => arguments.questions = Some(value.into()),
                "data" => arguments.data = value,
                "dir" => arguments.dir = Some(value.into()),
                _ => return Err(format!("unknown: --{name}").into()),
            }
        }
        Ok(arguments)
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// In 0..1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normally distributed, nearly: the sum of four, at variance 1.
    fn gauss(&mut self) -> f32 {
        ((0..4).map(|_| self.unit()).sum::<f64>() - 2.0) as f32 * 3.0f32.sqrt()
    }
}
