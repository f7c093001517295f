//! One search, from the request to the answer.

use std::time::Instant;

use forebay_event::EventId;
use uuid::Uuid;

use crate::bitmap::Bitmap;
use crate::bm25::{WordQuery, WordStats};
use crate::cursor::{self, Position};
use crate::limits::TERMS_MAX;
use crate::rank::{Question, Ranked, Resume, Top, rank_segment};
use crate::reasons::reasons;
use crate::segment::Segment;
use crate::select::select;
use crate::snapshot::Snapshot;
use crate::summary::{Matching, facets, timeline};
use crate::{Cursor, Facets, Found, Hit, IndexError, Order, Place, Plan, Search, text};

/// Answers `search`, which was checked, from `snapshot`.
pub(crate) fn run(snapshot: &Snapshot, search: &Search) -> Result<Found, IndexError> {
    let Ordered { ranked, sets, cursor, mut plan } = order(snapshot, search)?;
    let start = Instant::now();
    let hits = ranked.iter().map(|ranked| hit(snapshot, search, &plan.terms, ranked)).collect::<Result<_, _>>()?;
    plan.fetch_us = micros(start);

    let start = Instant::now();
    let pairs: Vec<Matching> = snapshot.iter().zip(&sets).collect();
    let (timeline, facets) =
        if search.summary { (timeline(&pairs), facets(&pairs)) } else { (Vec::new(), Facets::default()) };
    plan.summary_us = micros(start);
    Ok(Found { hits, matching: count(&sets), cursor, timeline, facets, plan })
}

/// Ranks what `search`, which was checked, finds in `snapshot`, and reads no event.
pub(crate) fn rank(snapshot: &Snapshot, search: &Search) -> Result<Order, IndexError> {
    let Ordered { ranked, sets, cursor, plan } = order(snapshot, search)?;
    let hits = ranked.iter().map(|ranked| Place {
        event_id: EventId(Uuid::from_u128(ranked.key.id)),
        score: ranked.score,
        vector_score: ranked.cosine,
        text_score: ranked.text,
    });
    Ok(Order { hits: hits.collect(), matching: count(&sets), cursor, plan })
}

/// A page in order.
struct Ordered {
    ranked: Vec<Ranked>,
    /// For each segment the rows that match.
    sets: Vec<Bitmap>,
    cursor: Option<Cursor>,
    plan: Plan,
}

fn order(snapshot: &Snapshot, search: &Search) -> Result<Ordered, IndexError> {
    let mut plan = Plan::default();
    let start = Instant::now();
    let position = resume(snapshot, search, &mut plan)?;
    let sets: Vec<Bitmap> = snapshot.iter().map(|segment| matching(segment, search, position.end_seq)).collect();
    plan.filter_us = micros(start);

    let start = Instant::now();
    let question = question(search, &position, &plan.terms);
    let mut top = Top::new(search.k + 1);
    for (place, (segment, set)) in snapshot.iter().zip(&sets).enumerate() {
        let (segment_plan, below_floor) = rank_segment(place, segment, &question, set, &mut top)?;
        plan.segments.push(segment_plan);
        plan.below_floor += below_floor;
    }
    let mut ranked = top.into_sorted();
    let more = ranked.len() > search.k;
    ranked.truncate(search.k);
    let by_index = plan.segments.iter().any(|segment| segment.engine.may_miss() && !segment.certain);
    let cursor = more.then(|| next(position, &ranked, by_index).encode());
    plan.rank_us = micros(start);
    Ok(Ordered { ranked, sets, cursor, plan })
}

fn count(sets: &[Bitmap]) -> u64 {
    sets.iter().map(Bitmap::len).sum()
}

/// Where to go on, or the beginning. Fills in the words looked up.
fn resume(snapshot: &Snapshot, search: &Search, plan: &mut Plan) -> Result<Position, IndexError> {
    plan.terms = text::terms(&search.words);
    plan.terms_dropped = plan.terms.len().saturating_sub(TERMS_MAX);
    plan.terms.truncate(TERMS_MAX);
    let hash = cursor::hash(search)?;
    if let Some(cursor) = &search.cursor {
        let position = Position::decode(cursor, hash, search.k)?;
        if position.stats.events_with.len() != plan.terms.len() {
            return Err(IndexError::Cursor("made by another version; start again without it".to_owned()));
        }
        return Ok(position);
    }
    let stats = WordStats::count(snapshot.iter(), &plan.terms)?;
    Ok(Position { search: hash, end_seq: snapshot.end_seq, depth: 0, resume: Resume::default(), stats })
}

/// The rows of a segment that the filter holds for and that were there when the first page was made.
fn matching(segment: &Segment, search: &Search, end_seq: u64) -> Bitmap {
    let manifest = segment.manifest();
    if manifest.first_seq >= end_seq {
        return Bitmap::none(segment.rows());
    }
    let mut set = select(segment, &search.filter);
    if manifest.last_seq >= end_seq {
        set.and(&Bitmap::of(segment.columns().seq(), |seq| seq < end_seq));
    }
    set
}

fn question(search: &Search, position: &Position, terms: &[String]) -> Question {
    Question {
        vector: search.vector.as_ref().map(|vector| unit(vector)),
        words: WordQuery::new(terms, &position.stats),
        by_words: !terms.is_empty(),
        text_weight: search.text_weight,
        floor: search.min_similarity,
        resume: search.cursor.is_some().then(|| position.resume.clone()),
        k: search.k,
        depth: position.depth as usize,
    }
}

/// The vector at unit length, so that an inner product is a cosine. A vector of zeros stays as it is.
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 { vector.iter().map(|x| x / length).collect() } else { vector.to_vec() }
}

fn hit(snapshot: &Snapshot, search: &Search, terms: &[String], ranked: &Ranked) -> Result<Hit, IndexError> {
    let event = snapshot.segments[ranked.segment].event(ranked.row)?;
    let reasons = if search.explain {
        reasons(&event, &search.filter, terms, ranked.cosine, &snapshot.iter())
    } else {
        Vec::new()
    };
    Ok(Hit { event, score: ranked.score, vector_score: ranked.cosine, text_score: ranked.text, reasons })
}

/// Where the page after `page` starts.
fn next(mut position: Position, page: &[Ranked], by_index: bool) -> Position {
    position.depth += page.len() as u32;
    if by_index {
        // Only first pages come from an index, so nothing was shown before.
        position.resume = Resume { after: None, shown: page.iter().map(|ranked| ranked.key.low_id()).collect() };
    } else {
        position.resume.after = page.last().map(|ranked| ranked.key).or(position.resume.after);
    }
    position
}

fn micros(since: Instant) -> u64 {
    since.elapsed().as_micros() as u64
}
