//! What a client asks, and what it is answered: the forms of `POST /v1/search`.

use forebay_event::Event;
use forebay_index::Filter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// A question, a filter, or both. Empty, it asks for the newest events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SearchRequest {
    /// The question in plain words; at most 2,000 characters.
    #[schema(example = "ssh logins from outside that failed, last night")]
    pub query: String,
    /// What must also hold of every hit; at most 16 levels and 256 nodes.
    #[schema(value_type = Option<schema::Filter>)]
    pub filter: Option<Filter>,
    /// Hits wanted. Without it, what the question says ("top 5"), else the server's default.
    #[schema(minimum = 1, maximum = 1000)]
    pub k: Option<usize>,
    /// Whether the answer has the plan: how it came about, with times.
    pub explain: bool,
    /// `cursor` of the page before. Everything else must be as it was then.
    #[schema(max_length = 1100)]
    pub cursor: Option<String>,
    /// Conditions that were understood but are not meant: the `text` of each. They are left out of filter and words.
    #[schema(max_items = 64)]
    pub drop: Vec<String>,
    /// Time zone of times in the question that name none, by its IANA name. Without it, UTC.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// The time that "last night" is seen from, Unix epoch, microseconds. Without it, the server's clock.
    pub now_us: Option<i64>,
}

/// What a question found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The conditions found in the question, in its order.
    pub understood: Vec<Understood>,
    /// The words left over, by which hits are ranked. Empty: the newest come first.
    pub words: String,
    /// What a person should know about how the question was read.
    pub notes: Vec<Note>,
    /// Events that pass the filters, exactly.
    pub matching: u64,
    /// The hits of this page, best (or newest) first.
    pub hits: Vec<Hit>,
    /// All matching events over time.
    pub timeline: Vec<TimelineBin>,
    /// All matching events by their commonest values.
    pub facets: Facets,
    /// Where the next page starts; null when this is the last.
    pub cursor: Option<String>,
    /// How the answer came about, if asked for. Its form is not part of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub plan: Option<serde_json::Value>,
    /// Time taken, microseconds.
    pub took_us: u64,
}

/// A condition found in a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Understood {
    /// Where it begins, in bytes of the question.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The text there; what `drop` takes.
    pub text: String,
    /// In short words.
    #[schema(example = "destination port 22")]
    pub label: String,
    /// The condition.
    #[schema(value_type = schema::Filter)]
    pub filter: Filter,
    /// Whether the request dropped it, so that it had no effect.
    pub dropped: bool,
}

/// Something about how a question was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// The text it is about; may be empty.
    pub text: String,
    /// What is the matter with it.
    pub reason: String,
}

/// One event that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// The event, whole.
    #[schema(value_type = schema::Event)]
    pub event: Event,
    /// What it is ranked by; 0 when the newest come first.
    pub score: f32,
    /// Cosine with the question, -1 to 1; null where the question has no words.
    pub similarity: Option<f32>,
    /// Share of the words' weight that stands in the event's text, 0 to 1.
    pub text_score: Option<f32>,
    /// Why it matched.
    pub reasons: Vec<Reason>,
}

/// Why an event matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// `condition`, `words`, `similarity` or `feature`.
    pub kind: String,
    /// In words.
    #[schema(example = "destination port is 22")]
    pub text: String,
}

/// Matching events in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineBin {
    /// First microsecond, Unix epoch.
    pub from_us: i64,
    /// First microsecond after it.
    pub to_us: i64,
    /// Matching events that started in it.
    pub events: u64,
}

/// Matching events by their commonest values, most first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facets {
    /// By service.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetValue {
    /// The value, as text.
    pub value: String,
    /// How many.
    pub events: u64,
}
