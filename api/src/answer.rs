//! From a question to its answer. Blocks; knows nothing of HTTP.

use std::time::Instant;

use forebay_embedder::EmbedError;
use forebay_index::filter::FilterError;
use forebay_index::question::{self, Clock, Question};
use forebay_index::{Filter, Found, IndexError, Reason as Why, Search};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::backend::Backend;
use crate::cursor::PageCursor;
use crate::error::ApiError;
use crate::limits::{CURSOR_BYTES_MAX, DROP_MAX, K_MAX, QUERY_CHARS_MAX};
use crate::question::{Answer, FacetValue, Facets, Hit, Note, Reason, SearchRequest, TimelineBin, Understood};

/// How questions are answered where they do not say.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Hits.
    pub k: usize,
    /// The most hits one question may ask for.
    pub k_max: usize,
    /// Weight of the text score beside the similarity, 0 to 0.5.
    pub text_weight: f32,
    /// Similarity below which an event is no answer to the words; at -1 none is left out.
    pub min_similarity: f32,
}

impl Default for Ask {
    fn default() -> Self {
        Self { k: 10, k_max: K_MAX, text_weight: forebay_index::limits::TEXT_WEIGHT_DEFAULT, min_similarity: -1.0 }
    }
}

/// Times of an answer's stages, for whoever measures.
pub(crate) trait Stages {
    /// The stage called `name` ended; it began at `start`. Gives the present time.
    fn stage(&self, name: &'static str, start: Instant) -> Instant;
    /// The question had no words to embed.
    fn no_words(&self);
}

/// For callers that measure nothing.
struct Unmeasured;

impl Stages for Unmeasured {
    fn stage(&self, _: &'static str, _: Instant) -> Instant {
        Instant::now()
    }
    fn no_words(&self) {}
}

/// Answers `request` from `backend`.
///
/// # Errors
/// The client's where the request is outside the limits or its cursor is not of this question, else internal.
pub fn answer(backend: &Backend, ask: &Ask, request: &SearchRequest) -> Result<Answer, ApiError> {
    answer_measured(backend, ask, request, &Unmeasured)
}

pub(crate) fn answer_measured(
    backend: &Backend,
    ask: &Ask,
    request: &SearchRequest,
    stages: &dyn Stages,
) -> Result<Answer, ApiError> {
    let start = Instant::now();
    let page = check(request, ask)?;
    let now_us = page.as_ref().map(|page| page.now_us).or(request.now_us);
    let now_us = now_us.unwrap_or_else(|| Timestamp::now().as_microsecond());
    let question = question::parse(&request.query, &Clock { now_us, zone: zone(request)? });
    let parsed = stages.stage("parse", start);

    let vector = backend.embed(&question.words).map_err(|error| internal_embed(&error))?;
    if vector.is_none() {
        stages.no_words();
    }
    let embedded = stages.stage("embed", parsed);

    let mut notes: Vec<Note> =
        question.notes.iter().map(|note| Note { text: note.text.clone(), reason: note.reason.clone() }).collect();
    let search = Search {
        filter: filter(&question, request),
        min_similarity: vector.is_some().then_some(ask.min_similarity),
        vector,
        words: question.words.clone(),
        k: hits_wanted(request, &question, ask, &mut notes),
        cursor: page.map(|page| page.inner),
        text_weight: ask.text_weight,
        explain: true,
        summary: true,
    };
    let found = backend.search(&search).map_err(from_index)?;
    stages.stage("index", embedded);
    Ok(compose(found, question, request, notes, now_us, start))
}

/// Refuses what is outside the limits; gives the page to go on from.
fn check(request: &SearchRequest, ask: &Ask) -> Result<Option<PageCursor>, ApiError> {
    let chars = request.query.chars().count();
    if chars > QUERY_CHARS_MAX {
        return Err(ApiError::Limit(format!("`query` has {chars} characters, and the most is {QUERY_CHARS_MAX}.")));
    }
    if let Some(k) = request.k
        && !(1..=ask.k_max).contains(&k)
    {
        return Err(ApiError::Limit(format!("`k` is {k}; it must be from 1 to {}.", ask.k_max)));
    }
    if request.drop.len() > DROP_MAX {
        return Err(ApiError::Limit(format!("`drop` has over {DROP_MAX} entries.")));
    }
    if let Some(filter) = &request.filter {
        filter.check().map_err(|error| from_filter(&error))?;
    }
    let Some(cursor) = &request.cursor else { return Ok(None) };
    if cursor.len() > CURSOR_BYTES_MAX {
        return Err(ApiError::Cursor(format!("`cursor` is longer than {CURSOR_BYTES_MAX} bytes.")));
    }
    let unknown = || ApiError::Cursor("`cursor` is not one that this server gave.".to_owned());
    PageCursor::parse(cursor).map(Some).ok_or_else(unknown)
}

fn zone(request: &SearchRequest) -> Result<TimeZone, ApiError> {
    let Some(name) = &request.time_zone else { return Ok(TimeZone::UTC) };
    let unknown = || ApiError::Invalid("`time_zone` is no zone that is known here, such as Europe/Berlin.".to_owned());
    TimeZone::get(name).map_err(|_| unknown())
}

/// What was understood and not dropped, and the filter of the request.
fn filter(question: &Question, request: &SearchRequest) -> Filter {
    let kept = question.understood.iter().filter(|item| !request.drop.contains(&item.text));
    Filter::And(kept.map(|item| item.filter.clone()).chain(request.filter.clone()).collect())
}

fn hits_wanted(request: &SearchRequest, question: &Question, ask: &Ask, notes: &mut Vec<Note>) -> usize {
    let wanted = request.k.or(question.k).unwrap_or(ask.k).max(1);
    if wanted > ask.k_max {
        let reason = format!("{wanted} hits were asked for; this server gives at most {}", ask.k_max);
        notes.push(Note { text: String::new(), reason });
    }
    wanted.min(ask.k_max)
}

fn compose(
    found: Found,
    question: Question,
    request: &SearchRequest,
    notes: Vec<Note>,
    now_us: i64,
    start: Instant,
) -> Answer {
    let hits = found.hits.into_iter().map(|found| hit(found, &question, request)).collect();
    let understood = question.understood.into_iter().map(|item| Understood {
        start: item.span.start,
        end: item.span.end,
        dropped: request.drop.contains(&item.text),
        text: item.text,
        label: item.label,
        filter: item.filter,
    });
    Answer {
        understood: understood.collect(),
        words: question.words,
        notes,
        matching: found.matching,
        cursor: found.cursor.map(|inner| PageCursor { now_us, inner }.to_string()),
        plan: request.explain.then(|| serde_json::to_value(&found.plan).unwrap_or_default()),
        hits,
        timeline: found.timeline.iter().map(bin).collect(),
        facets: facets(found.facets),
        took_us: start.elapsed().as_micros() as u64,
    }
}

/// A hit with its reasons. What the question asked for is said in its own short words, the rest as the index says it.
fn hit(hit: forebay_index::Hit, question: &Question, request: &SearchRequest) -> Hit {
    let (mut reasons, mut said) = (Vec::new(), Vec::new());
    for item in question.understood.iter().filter(|item| !request.drop.contains(&item.text)) {
        said.extend(item.filter.met_by(&hit.event).into_iter().map(|met| met.condition));
        reasons.push(Reason { kind: "condition".to_owned(), text: item.label.clone() });
    }
    reasons.extend(hit.reasons.into_iter().map(reason).filter(|reason| !said.contains(&reason.text)));
    Hit { event: hit.event, score: hit.score, similarity: hit.vector_score, text_score: hit.text_score, reasons }
}

fn bin(bin: &forebay_index::TimelineBin) -> TimelineBin {
    TimelineBin { from_us: bin.from_us, to_us: bin.to_us, events: bin.events }
}

fn facets(facets: forebay_index::Facets) -> Facets {
    let values = |values: Vec<forebay_index::FacetValue>| {
        values.into_iter().map(|facet| FacetValue { value: facet.value, events: facet.events }).collect()
    };
    Facets {
        services: values(facets.services),
        src_ips: values(facets.src_ips),
        dst_ips: values(facets.dst_ips),
        dst_ports: values(facets.dst_ports),
        verdicts: values(facets.verdicts),
    }
}

fn reason(why: Why) -> Reason {
    let (kind, text) = match why {
        Why::Condition { condition, .. } => ("condition", condition),
        Why::Words { terms } => ("words", format!("says {}", quoted(&terms))),
        Why::Similarity { cosine } => ("similarity", format!("close to the question: {cosine:.2} of 1")),
        Why::Feature { words, .. } => ("feature", words),
    };
    Reason { kind: kind.to_owned(), text }
}

fn quoted(terms: &[String]) -> String {
    terms.iter().map(|term| format!("\u{201c}{term}\u{201d}")).collect::<Vec<_>>().join(", ")
}

/// Tells the client's faults from ours.
pub(crate) fn from_index(error: IndexError) -> ApiError {
    match error {
        IndexError::Cursor(reason) => ApiError::Cursor(format!("`cursor`: {reason}.")),
        IndexError::Filter(error) => from_filter(&error),
        IndexError::Search(reason) => ApiError::Limit(format!("{reason}.")),
        other => ApiError::Internal(other.to_string()),
    }
}

fn from_filter(error: &FilterError) -> ApiError {
    let text = format!("`filter`: {error}.");
    match error {
        FilterError::TooDeep | FilterError::TooLarge => ApiError::Limit(text),
        _ => ApiError::Invalid(text),
    }
}

fn internal_embed(error: &EmbedError) -> ApiError {
    ApiError::Internal(format!("embedding a question: {error}"))
}
