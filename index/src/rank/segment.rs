//! Ranking the matching events of one segment.

use super::{CANDIDATES_MIN, CANDIDATES_PER_HIT, Choice, Key, Planned, Question, Ranked, Top, plan};
use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::bm25::Scorer;
use crate::engine::{Ask, Nearest};
use crate::found::{Engine, SegmentPlan};
use crate::limits::INDEX_HITS_MAX;
use crate::segment::Segment;

/// Rows scored at a time: the scores stay in the processor's cache.
const BLOCK_ROWS: usize = 1_024;

/// Offers the events of `allowed` to `top`: all of them, or those that may be among the best.
pub(crate) fn rank_segment(
    place: usize,
    segment: &Segment,
    question: &Question,
    allowed: &Bitmap,
    top: &mut Top,
) -> Result<(SegmentPlan, u64), IndexError> {
    let matching = allowed.len();
    let plan = SegmentPlan::new(segment.name(), segment.rows(), matching, segment.engine().name());
    let mut ranking = Ranking { place, segment, question, allowed, top, below_floor: 0, plan };
    if matching == 0 {
        "nothing passes the filter".clone_into(&mut ranking.plan.why);
    } else if !question.by_score() {
        ranking.newest();
    } else if question.vector.is_some() && !question.by_words {
        ranking.by_vector()?;
    } else {
        ranking.by_words()?;
    }
    Ok((ranking.plan, ranking.below_floor))
}

/// Text scores are computed for all rows at once where at least one in so many is asked for.
const DENSE_SHARE: u64 = 8;

/// One segment being ranked.
struct Ranking<'a> {
    place: usize,
    segment: &'a Segment,
    question: &'a Question,
    allowed: &'a Bitmap,
    top: &'a mut Top,
    below_floor: u64,
    plan: SegmentPlan,
}

impl<'a> Ranking<'a> {
    fn newest(&mut self) {
        self.plan.scanned(Engine::Newest, "no question: ordered by time".to_owned());
        let segment = self.segment;
        let starts = segment.columns().start();
        for row in self.allowed.iter() {
            self.offer(row, starts[row as usize], None, None, 0.0);
        }
    }

    /// By the cosine alone: the engine names the best.
    fn by_vector(&mut self) -> Result<(), IndexError> {
        let Some(query) = &self.question.vector else { return Ok(()) };
        let matching = self.plan.matching;
        // One more than the page, to know whether there is another; after a cursor also what was shown before.
        let k = self.question.depth + self.question.k + 1;
        let choice = plan(self.segment.engine(), matching, k);
        if choice.other.is_none() && choice.planned == Planned::Scan {
            self.plan.scanned(Engine::Exact, choice.why(matching));
            self.scored(self.allowed.iter(), Texts::None);
            return Ok(());
        }
        let ask = Ask { query, k, allowed: self.allowed, matching, floor: f32::NEG_INFINITY };
        let first_page = self.question.resume.is_none() && self.question.k <= INDEX_HITS_MAX;
        let nearest = if choice.planned == Planned::Index && first_page { self.by_index(&ask, &choice)? } else { None };
        let nearest = nearest.unwrap_or_else(|| {
            let nearest = self.segment.engine().scan(&ask);
            let why = if first_page { choice.why(matching) } else { "a later page holds everything".to_owned() };
            self.plan.compared(Engine::Exact, why, matching, &nearest);
            nearest
        });
        for (row, cosine) in nearest.rows {
            self.score(row, Some(cosine), None);
        }
        Ok(())
    }

    /// What the index finds; `None` where that is too little.
    fn by_index(&mut self, ask: &Ask, choice: &Choice) -> Result<Option<Nearest>, IndexError> {
        let nearest = self.segment.engine().nearest(ask)?;
        if (nearest.rows.len() as u64) < ask.matching.min(ask.k as u64) {
            self.plan.fell_back = true;
            return Ok(None);
        }
        let filtered = ask.matching < self.plan.events;
        let engine = if filtered { Engine::FilteredIndex } else { Engine::Index };
        self.plan.compared(engine, choice.why(ask.matching), choice.cost.rows, &nearest);
        Ok(Some(nearest))
    }

    /// By words, with or without a vector.
    fn by_words(&mut self) -> Result<(), IndexError> {
        if let Some(candidates) = self.candidates()? {
            let texts = self.texts()?;
            self.scored(candidates.into_iter(), texts);
            return Ok(());
        }
        self.plan.scanned(Engine::Exact, "every matching event is scored by words".to_owned());
        let texts = match self.texts()? {
            Texts::Of(scorer) if self.plan.matching >= self.plan.events / DENSE_SHARE => {
                Texts::All(scorer.all(self.segment.rows() as usize))
            }
            texts => texts,
        };
        self.scored(self.allowed.iter(), texts);
        Ok(())
    }

    fn texts(&self) -> Result<Texts<'a>, IndexError> {
        match &self.question.words {
            Some(words) => Ok(Texts::Of(words.scorer(self.segment.text())?)),
            None => Ok(Texts::Strange),
        }
    }

    /// Rows that may be among the best by vector and words together: the nearest by the index, and the best by words;
    /// ascending. Later pages are exact, so that they hold everything the first one missed.
    fn candidates(&mut self) -> Result<Option<Vec<u32>>, IndexError> {
        let (matching, k) = (self.plan.matching, self.question.k + 1);
        let Some(query) = &self.question.vector else { return Ok(None) };
        if self.question.resume.is_some() || self.question.k > INDEX_HITS_MAX {
            return Ok(None);
        }
        let wanted = (k * CANDIDATES_PER_HIT).max(CANDIDATES_MIN);
        let choice = plan(self.segment.engine(), matching, wanted);
        if choice.planned != Planned::Index {
            return Ok(None);
        }
        let ask = Ask { query, k: wanted, allowed: self.allowed, matching, floor: f32::NEG_INFINITY };
        let Some(nearest) = self.by_index(&ask, &choice)? else { return Ok(None) };
        let mut rows: Vec<u32> = nearest.rows.iter().map(|(row, _)| *row).collect();
        if let Some(words) = &self.question.words {
            rows.extend(words.scorer(self.segment.text())?.best(self.allowed, wanted));
        }
        rows.sort_unstable();
        rows.dedup();
        self.plan.candidates = rows.len() as u64;
        self.plan.certain = false;
        Ok(Some(rows))
    }

    /// Scores `rows`, which ascend where there are words.
    fn scored(&mut self, rows: impl Iterator<Item = u32>, mut texts: Texts) {
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
                self.score(*row, cosines.get(i).copied(), texts.at(*row));
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

/// Where text scores come from.
enum Texts<'a> {
    /// No words were given.
    None,
    /// Words were given, but none stands in any event.
    Strange,
    /// From the words, row by row.
    Of(Scorer<'a>),
    /// From the words, all at once.
    All(Vec<f32>),
}

impl Texts<'_> {
    fn at(&mut self, row: u32) -> Option<f32> {
        match self {
            Self::None => None,
            Self::Strange => Some(0.0),
            Self::Of(scorer) => Some(scorer.score(row)),
            Self::All(scores) => scores.get(row as usize).copied(),
        }
    }
}
