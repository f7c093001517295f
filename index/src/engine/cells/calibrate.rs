//! Measuring on a segment which confidence finds enough.
//!
//! For a set of questions the nearest rows are found by comparing all rows. Then the questions are searched with rising
//! confidence until [`RECALL`] of the nearest are found, on average, for every kind of question and number of hits.
//!
//! Questions from people come from another network than the vectors and lie off them, so only one kind of question is
//! made of vectors as they are: the others are the mean of two vectors far apart in time, a vector half-way to the mean
//! of all, and a vector with more noise than itself. Filters make the k-th best row worse: that is measured by counting every [`THINNING`]th row alone.

use super::super::best::Candidates;
use super::super::kernel::Kernel;
use super::super::quantise::Question;
use super::super::{Ask, Nearest};
use super::bound::Trust;
use super::layout::{Calibration, CellFile};
use super::search::{Search, centre_products};
use super::view::Caution;
use crate::bitmap::Bitmap;
use crate::segment::VectorFile;

/// Share of the nearest rows that a search finds on average, for every kind of question.
pub(super) const RECALL: f64 = 0.998;

/// Every so many rows stand for a filter.
pub(super) const THINNING: usize = 16;

/// Questions of each kind.
const QUESTIONS: usize = 96;

/// Questions of each kind whose work is measured.
const WORK_QUESTIONS: usize = 8;

/// The least confidence that is tried, and the step to the next.
const CONFIDENCE_MIN: f32 = 0.05;
const CONFIDENCE_STEP: f32 = 1.1;

/// Lengths of the noise in noisy questions, in turn: the cosine with the vector it is made of is about .55, as between
/// questions in words and the events they mean, or about .37. A question that means nothing (.1) is as far from everything as
/// from anything; searching on until its nearest are found would cost every other question ten times its work.
const NOISE: [f32; 2] = [1.5, 2.5];

/// What the confidence found is multiplied by: the questions are a sample.
const MARGIN: f32 = 1.05;

/// Rows compared with all questions before the next.
const BLOCK: usize = 64;

/// Hits that recall is measured at: of all rows, but the last of every [`THINNING`]th row.
const DEPTHS: [(usize, bool); 4] = [(1, false), (10, false), (100, false), (10, true)];

/// Scores of the best rows of one question, the best first: of all rows, and of every [`THINNING`]th.
#[derive(Default)]
struct Best {
    all: Vec<f32>,
    thinned: Vec<f32>,
}

/// What recall is measured of: a question with the score that a row must reach to be among its best.
struct Case<'a> {
    question: &'a [f32],
    k: usize,
    thinned: bool,
    least: f32,
}

/// Measures `file`, an index over `vectors`.
pub(super) fn calibrate(file: &CellFile, vectors: &VectorFile, threads: usize) -> Calibration {
    let kinds = questions(vectors);
    let rows = file.sizes().rows as u32;
    let mut thinned = Bitmap::none(rows);
    (0..rows).step_by(THINNING).for_each(|row| thinned.insert(row));
    let sets = Sets { file, vectors, all: Bitmap::all(rows), thinned };
    let mut confidence = [CONFIDENCE_MIN; 3];
    for questions in &kinds {
        let best = in_parts(questions, threads, |part| exact(file, vectors, part));
        for depth in DEPTHS {
            let cases: Vec<Case> =
                questions.iter().zip(&best).filter_map(|(question, best)| best.case(question, depth)).collect();
            let confidence = &mut confidence[depth.0.ilog10() as usize];
            // Upwards, since a search with too little confidence is quick.
            while *confidence < 1.0 && sets.recall(&cases, *confidence, threads) < RECALL {
                *confidence = (*confidence * CONFIDENCE_STEP).min(1.0);
            }
        }
    }
    sets.calibration(&kinds, confidence.map(|confidence| (confidence * MARGIN).min(1.0)))
}

/// What `work` makes of the parts of `items`, one part a thread, in order.
fn in_parts<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    let part = items.len().div_ceil(threads.max(1)).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let parts: Vec<_> = items.chunks(part).map(|part| scope.spawn(move || work(part))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}

/// The questions, by kind.
fn questions(vectors: &VectorFile) -> [Vec<Vec<f32>>; 4] {
    let (rows, dimension) = (vectors.rows(), vectors.dimension());
    let vector = |row: usize| &vectors.numbers()[row * dimension..][..dimension];
    // Spread over the vectors, and not in step with the thinning.
    let row = |i: usize| ((2 * i + 1) as u64 * rows as u64 / (2 * QUESTIONS) as u64) as usize;
    let mut mean = vec![0.0f32; dimension];
    for i in 0..QUESTIONS {
        mean.iter_mut().zip(vector(row(i))).for_each(|(sum, x)| *sum += x / QUESTIONS as f32);
    }
    let middle = unit(&mean);
    let between = |a: &[f32], b: &[f32]| unit(&a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f32>>());
    [
        (0..QUESTIONS).map(|i| unit(vector(row(i)))).collect(),
        (0..QUESTIONS).map(|i| between(vector(row(i)), vector(row((i * 29 + 31) % QUESTIONS)))).collect(),
        (0..QUESTIONS).map(|i| between(vector(row(i)), &middle)).collect(),
        (0..QUESTIONS).map(|i| between(vector(row(i)), &noise(i as u64, dimension))).collect(),
    ]
}

/// A direction that has nothing to do with the vectors, as long as [`NOISE`] says; always the same for the same seed.
fn noise(seed: u64, dimension: usize) -> Vec<f32> {
    // SplitMix64 (Steele, Lea and Flood 2014).
    let mut state = seed;
    let mut number = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let direction: Vec<f32> = (0..dimension).map(|_| number()).collect();
    unit(&direction).iter().map(|x| x * NOISE[seed as usize % NOISE.len()]).collect()
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter().map(|x| x / length).collect()
}

/// The best rows of each question, by comparing all: a block of rows with every question before the next.
fn exact(file: &CellFile, vectors: &VectorFile, questions: &[Vec<f32>]) -> Vec<Best> {
    let coded: Vec<Question> = questions.iter().map(|question| Question::new(question)).collect();
    let [all, thinned] = [false, true].map(|thinned| {
        let depths = DEPTHS.iter().filter(|depth| depth.1 == thinned).map(|depth| depth.0);
        depths.max().unwrap_or_default()
    });
    let new = |k: usize| Candidates::new(k, f32::NEG_INFINITY);
    let mut best: Vec<[Candidates; 2]> = questions.iter().map(|_| [new(all), new(thinned)]).collect();
    let along: Vec<Vec<f32>> = coded.iter().map(|question| centre_products(file, question)).collect();
    let (rows, scales) = (file.rows(), file.scales());
    let caution = Caution::new(Trust::Confident(1.0), file.sizes().dimension);
    let kernel = Kernel::best();
    let (mut high, mut low) = ([0; BLOCK], [0]);
    for (cell, bound) in file.bounds().iter().enumerate() {
        let places: Vec<u32> = file.cell(cell).collect();
        for places in places.chunks(BLOCK) {
            let high = &mut high[..places.len()];
            for ((question, along), [all, thinned]) in coded.iter().zip(&along).zip(&mut best) {
                let view = caution.view(question, bound, along[cell]);
                kernel.byte_dots(&question.high, file.codes(), places, high);
                for (place, high) in places.iter().zip(&*high) {
                    let (row, scale) = (rows[*place as usize], &scales[*place as usize]);
                    let is_thinned = (row as usize).is_multiple_of(THINNING);
                    let least = if is_thinned { thinned.threshold().min(all.threshold()) } else { all.threshold() };
                    if caution.upper(&view, question, scale, *high) < least {
                        continue;
                    }
                    kernel.byte_dots(&question.low, file.codes(), std::slice::from_ref(place), &mut low);
                    let (lower, upper) = caution.range(&view, question, scale, [*high, low[0]]);
                    all.offer(row, lower, upper);
                    if is_thinned {
                        thinned.offer(row, lower, upper);
                    }
                }
            }
        }
    }
    let scores = |candidates: Candidates, question: &[f32]| {
        let mut scores: Vec<f32> = candidates.resolve(question, vectors).0.iter().map(|row| row.1).collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        scores
    };
    best.into_iter()
        .zip(questions)
        .map(|([all, thinned], question)| Best { all: scores(all, question), thinned: scores(thinned, question) })
        .collect()
}

impl Best {
    /// What recall at this depth is measured of; `None` where there are no rows.
    fn case<'a>(&self, question: &'a [f32], (k, thinned): (usize, bool)) -> Option<Case<'a>> {
        let scores = if thinned { &self.thinned } else { &self.all };
        let k = k.min(scores.len());
        Some(Case { question, k, thinned, least: *scores.get(k.checked_sub(1)?)? })
    }
}

/// What is searched.
struct Sets<'a> {
    file: &'a CellFile,
    vectors: &'a VectorFile,
    all: Bitmap,
    thinned: Bitmap,
}

impl Sets<'_> {
    fn search(&self, query: &[f32], k: usize, thinned: bool, confidence: f32) -> Nearest {
        let allowed = if thinned { &self.thinned } else { &self.all };
        let ask = Ask { query, k, allowed, matching: allowed.len(), floor: f32::NEG_INFINITY };
        Search::new(self.file, self.vectors, &ask, Trust::Confident(confidence)).through_cells()
    }

    /// The mean share of the best rows that a search of this confidence finds.
    fn recall(&self, cases: &[Case], confidence: f32, threads: usize) -> f64 {
        let shares: Vec<f64> = in_parts(cases, threads, |cases| {
            let share = |case: &Case| {
                let found = self.search(case.question, case.k, case.thinned, confidence);
                let best = found.rows.iter().filter(|(_, score)| *score >= case.least).count();
                best.min(case.k) as f64 / case.k as f64
            };
            cases.iter().map(share).collect()
        });
        shares.iter().sum::<f64>() / shares.len().max(1) as f64
    }

    /// Counts the rows looked at with this confidence.
    fn calibration(&self, kinds: &[Vec<Vec<f32>>], confidence: [f32; 3]) -> Calibration {
        let mean = |k: usize, thinned: bool| {
            let questions = kinds.iter().flat_map(|kind| kind.iter().take(WORK_QUESTIONS));
            let looked_at = questions
                .map(|query| self.search(query, k, thinned, confidence[k.ilog10() as usize]).looked_at)
                .sum::<u64>();
            looked_at as f32 / (kinds.len() * WORK_QUESTIONS) as f32
        };
        Calibration { confidence, work_10: mean(10, false), work_100: mean(100, false), work_thinned: mean(10, true) }
    }
}
