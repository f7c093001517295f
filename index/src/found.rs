//! What a search found.

use serde::Serialize;

use forebay_event::Event;

use crate::search::Cursor;

/// What a search found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The page, best (or newest) first.
    pub hits: Vec<Hit>,
    /// Events that pass the filter: exact. Pages of one cursor count what there was at the first.
    pub matching: u64,
    /// Where the next page starts; absent when this is the last.
    pub cursor: Option<Cursor>,
    /// All matching events over time; empty when none match or no summary was asked for.
    pub timeline: Vec<TimelineBin>,
    /// All matching events by their commonest values.
    pub facets: Facets,
    /// How the answer came about.
    pub plan: Plan,
}

/// One event that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Hit {
    /// The event.
    pub event: Event,
    /// What it is ranked by: see `docs/segment-format.md` and the crate's `score` module. 0 when newest come first.
    pub score: f32,
    /// Cosine with the question, -1 to 1.
    pub vector_score: Option<f32>,
    /// Share of the words' weight that stands in the rendered event, 0 to 1.
    pub text_score: Option<f32>,
    /// Why it matched; empty unless asked for.
    pub reasons: Vec<Reason>,
}

/// Why an event matched.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// A condition of the filter holds.
    Condition {
        /// The field it looks at, for example `dst_port`.
        field: String,
        /// What the event has there; absent where it has nothing.
        value: Option<String>,
        /// The condition in words, for example `destination port is 22`.
        condition: String,
    },
    /// Words of the question stand in the rendered event.
    Words {
        /// The words, as they stand there.
        terms: Vec<String>,
    },
    /// The event lies near the question in the vector space.
    Similarity {
        /// The cosine, -1 to 1.
        cosine: f32,
    },
    /// A feature is unusual among the events of the index.
    Feature {
        /// Its name.
        name: String,
        /// Its value, in its own unit.
        value: f64,
        /// Share of the events (that know the feature) with a smaller value, 0 to 1; estimated from stored quantiles.
        share_below: f32,
        /// The same in words, for example `bytes is larger than in 99 % of the events`.
        words: String,
    },
}

/// Matching events in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineBin {
    /// First microsecond.
    pub from_us: i64,
    /// First microsecond after it.
    pub to_us: i64,
    /// Matching events that started in it.
    pub events: u64,
}

/// Matching events by their commonest values, most first, at most [`crate::limits::FACET_VALUES_MAX`] each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facets {
    /// By service name.
    pub services: Vec<FacetValue>,
    /// By source address.
    pub src_ips: Vec<FacetValue>,
    /// By destination address.
    pub dst_ips: Vec<FacetValue>,
    /// By destination port.
    pub dst_ports: Vec<FacetValue>,
    /// By verdict; events without one do not count.
    pub verdicts: Vec<FacetValue>,
}

/// A value and how many matching events have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FacetValue {
    /// The value, as text.
    pub value: String,
    /// How many.
    pub events: u64,
}

/// How an answer came about.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    /// One entry for each segment looked at.
    pub segments: Vec<SegmentPlan>,
    /// Words looked up, as they were cut.
    pub terms: Vec<String>,
    /// Words left out because there were more than [`crate::limits::TERMS_MAX`].
    pub terms_dropped: usize,
    /// Candidates left out by `min_similarity`.
    pub below_floor: u64,
    /// Time to evaluate the filter, microseconds.
    pub filter_us: u64,
    /// Time to score and rank, microseconds.
    pub rank_us: u64,
    /// Time to read the hits and say why, microseconds.
    pub fetch_us: u64,
    /// Time to count timeline and facets, microseconds.
    pub summary_us: u64,
}

/// How one segment was searched.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentPlan {
    /// The segment.
    pub name: String,
    /// Events in it.
    pub events: u64,
    /// Events in it that pass the filter.
    pub matching: u64,
    /// What ranked it.
    pub engine: Engine,
    /// Events that were scored.
    pub candidates: u64,
    /// Whether the graph gave too few and everything was scanned instead.
    pub fell_back: bool,
}

/// What ranked a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Nothing matched.
    None,
    /// Ordered by time.
    Newest,
    /// Every matching event was scored: exact.
    Exact,
    /// Candidates came from the HNSW graph and the text index, and were scored exactly.
    Graph,
}
