//! What a search found.

use serde::Serialize;

use forebay_event::{Event, EventId};

use crate::engine::Nearest;
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

/// What a search ranked: as [`Found`], without the events and what is counted over them.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    /// The page, best (or newest) first.
    pub hits: Vec<Place>,
    /// Events that pass the filter: exact.
    pub matching: u64,
    /// Where the next page starts; absent when this is the last.
    pub cursor: Option<Cursor>,
    /// How the order came about.
    pub plan: Plan,
}

/// An event's place in an order, by its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Place {
    /// The event: [`crate::Index::event`] reads it.
    pub event_id: EventId,
    /// As in [`Hit`].
    pub score: f32,
    /// As in [`Hit`].
    pub vector_score: Option<f32>,
    /// As in [`Hit`].
    pub text_score: Option<f32>,
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
    /// The engine over its vectors, as it is configured: `cells`, `flat`, `faiss:HNSW32`.
    pub index: String,
    /// Why it was ranked so.
    pub why: String,
    /// Events thought to be compared with the question, when this was decided.
    pub estimated: u64,
    /// Events compared with the question; 0 where the engine does not tell.
    pub compared: u64,
    /// Events that were scored exactly.
    pub candidates: u64,
    /// Whether there are certainly no better hits in it.
    pub certain: bool,
    /// Whether the index gave too few and everything was compared instead.
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
    /// Every matching event was compared: exact.
    Exact,
    /// Candidates came from the index over the vectors (and from the words), and were scored exactly.
    Index,
    /// The same, with the filter inside the index.
    FilteredIndex,
}

impl Engine {
    /// Whether it may miss hits.
    pub(crate) fn may_miss(self) -> bool {
        matches!(self, Self::Index | Self::FilteredIndex)
    }
}

impl SegmentPlan {
    /// For a segment that is not ranked yet.
    pub(crate) fn new(name: &str, events: u32, matching: u64, index: &str) -> Self {
        Self {
            name: name.to_owned(),
            events: u64::from(events),
            matching,
            engine: Engine::None,
            index: index.to_owned(),
            why: String::new(),
            estimated: 0,
            compared: 0,
            candidates: 0,
            certain: true,
            fell_back: false,
        }
    }

    /// Notes that all that match were scored.
    pub(crate) fn scanned(&mut self, engine: Engine, why: String) {
        (self.engine, self.why, self.certain) = (engine, why, true);
        (self.estimated, self.compared, self.candidates) = (self.matching, self.matching, self.matching);
    }

    /// Notes what an engine did.
    pub(crate) fn compared(&mut self, engine: Engine, why: String, estimated: u64, nearest: &Nearest) {
        (self.engine, self.why, self.certain, self.estimated) = (engine, why, nearest.certain, estimated);
        (self.compared, self.candidates) = (nearest.compared, nearest.scored);
    }
}
