//! Ranking the matching events of one segment.

use super::{GRAPH_CANDIDATES_MIN, GRAPH_CANDIDATES_PER_HIT, Key, Question, Ranked, Top};
use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::found::{Engine, SegmentPlan};
use crate::limits::{GRAPH_HITS_MAX, GRAPH_SHARE_MIN};
use crate::segment::Segment;

/// Rows scored at a time: the scores stay in the processor's cache.
const BLOCK_ROWS: usize = 1_024;

/// Least and greatest width of the search in a graph.
const GRAPH_EF: std::ops::RangeInclusive<usize> = 128..=1_024;

/// Offers the events of `allowed` to `top`. All of them are scored, unless the segment has a graph that can name enough
/// good candidates.
pub(crate) fn rank_segment(
    place: usize,
    segment: &Segment,
    question: &Question,
    allowed: &Bitmap,
    top: &mut Top,
) -> Result<(SegmentPlan, u64), IndexError> {
    let matching = allowed.len();
    let mut plan = SegmentPlan {
        name: segment.name().to_owned(),
        events: u64::from(segment.rows()),
        matching,
        engine: Engine::None,
        candidates: matching,
        fell_back: false,
    };
    if matching == 0 {
        return Ok((plan, 0));
    }
    let mut ranking = Ranking { place, segment, question, top, below_floor: 0 };
    if !question.by_score() {
        plan.engine = Engine::Newest;
        ranking.newest(allowed);
        return Ok((plan, 0));
    }
    let texts = match &question.words {
        Some(words) => Some(words.scores(segment.text())?),
        None => question.by_words.then(|| vec![0.0; segment.rows() as usize]),
    };
    if may_use_graph(segment, question, matching) {
        let candidates = graph_candidates(segment, question, allowed, matching, texts.as_deref())?;
        if candidates.len() as u64 >= matching.min(question.k as u64 + 1) {
            plan.engine = Engine::Graph;
            plan.candidates = candidates.len() as u64;
            ranking.scored(candidates.into_iter(), texts.as_deref());
            return Ok((plan, ranking.below_floor));
        }
        plan.fell_back = true;
    }
    plan.engine = Engine::Exact;
    ranking.scored(allowed.iter(), texts.as_deref());
    Ok((plan, ranking.below_floor))
}

/// One segment being ranked.
struct Ranking<'a> {
    place: usize,
    segment: &'a Segment,
    question: &'a Question,
    top: &'a mut Top,
    below_floor: u64,
}

impl Ranking<'_> {
    fn newest(&mut self, allowed: &Bitmap) {
        let segment = self.segment;
        let starts = segment.columns().start();
        for row in allowed.iter() {
            self.offer(row, starts[row as usize], None, None, 0.0);
        }
    }

    fn scored(&mut self, rows: impl Iterator<Item = u32>, texts: Option<&[f32]>) {
        let mut rows = rows.peekable();
        let (mut block, mut cosines) = (Vec::with_capacity(BLOCK_ROWS), Vec::with_capacity(BLOCK_ROWS));
        while rows.peek().is_some() {
            block.clear();
            block.extend(rows.by_ref().take(BLOCK_ROWS));
            cosines.clear();
            if let Some(vector) = &self.question.vector {
                self.segment.engine().scores(vector, &block, &mut cosines);
            }
            for (i, row) in block.iter().enumerate() {
                let text = texts.and_then(|texts| texts.get(*row as usize).copied());
                self.score(*row, cosines.get(i).copied(), text);
            }
        }
    }

    fn score(&mut self, row: u32, cosine: Option<f32>, text: Option<f32>) {
        if self.question.is_below_floor(cosine, text) {
            self.below_floor += 1;
            return;
        }
        let score = self.question.score(cosine, text);
        self.offer(row, Key::primary_of_score(score), cosine, text, score);
    }

    fn offer(&mut self, row: u32, primary: i64, cosine: Option<f32>, text: Option<f32>, score: f32) {
        if self.top.may_take(primary) {
            let key = Key { primary, id: self.segment.id(row) };
            let ranked = Ranked { key, segment: self.place, row, cosine, text, score };
            self.top.offer(ranked, self.question.resume.as_ref());
        }
    }
}

/// A graph names candidates for the first page of a search that most of the segment matches. Later pages are exact, so
/// that they hold everything the first one missed.
fn may_use_graph(segment: &Segment, question: &Question, matching: u64) -> bool {
    question.vector.is_some()
        && segment.engine().has_graph()
        && question.resume.is_none()
        && question.k <= GRAPH_HITS_MAX
        && matching as f32 >= GRAPH_SHARE_MIN * segment.rows() as f32
}

/// Rows that may be among the best: the nearest by the graph, and the best by text.
fn graph_candidates(
    segment: &Segment,
    question: &Question,
    allowed: &Bitmap,
    matching: u64,
    texts: Option<&[f32]>,
) -> Result<Vec<u32>, IndexError> {
    let Some(vector) = &question.vector else { return Ok(Vec::new()) };
    let wanted = (question.k * GRAPH_CANDIDATES_PER_HIT).max(GRAPH_CANDIDATES_MIN);
    // The walk passes rows the filter leaves out, so it has to look that much wider.
    let share = matching as f32 / segment.rows() as f32;
    let ef = ((wanted as f32 / share) as usize).clamp(*GRAPH_EF.start(), *GRAPH_EF.end());
    let mut candidates = segment.engine().nearest(vector, wanted, ef, allowed)?;
    if let Some(texts) = texts {
        candidates.extend(best_by_text(texts, allowed, wanted));
    }
    candidates.sort_unstable();
    candidates.dedup();
    Ok(candidates)
}

fn best_by_text(texts: &[f32], allowed: &Bitmap, wanted: usize) -> Vec<u32> {
    let mut rows: Vec<u32> = allowed.iter().filter(|row| texts[*row as usize] > 0.0).collect();
    if rows.len() > wanted {
        rows.select_nth_unstable_by(wanted, |a, b| texts[*b as usize].total_cmp(&texts[*a as usize]));
        rows.truncate(wanted);
    }
    rows
}
