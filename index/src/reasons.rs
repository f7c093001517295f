//! Why an event matched, for a person to check.

use forebay_event::Event;

use crate::filter::{Filter, feature_value};
use crate::found::Reason;
use crate::limits::{FEATURE_REASONS_MAX, PROFILE_EVENTS_MIN};
use crate::segment::Segment;
use crate::text;

/// Features a person can picture; others follow from them or need the schema at hand.
const TELLING: [&str; 14] = [
    "bytes",
    "packets",
    "duration",
    "sbytes",
    "dbytes",
    "rate",
    "packet_len_max",
    "syn_flag_count",
    "rst_flag_count",
    "fin_flag_count",
    "psh_flag_count",
    "flow_iat_max",
    "idle_max",
    "down_up_ratio",
];

/// Share of the events on one side of a value from which it stands out.
const OUTSTANDING: f64 = 0.99;

/// Why `event` matched: the conditions it meets, the words of `terms` in it, its cosine, and what stands out among the
/// events of `segments`.
pub(crate) fn reasons<'a>(
    event: &Event,
    filter: &Filter,
    terms: &[String],
    cosine: Option<f32>,
    segments: &(impl Iterator<Item = &'a Segment> + Clone),
) -> Vec<Reason> {
    let met = filter.met_by(event).into_iter();
    let mut reasons: Vec<Reason> =
        met.map(|met| Reason::Condition { field: met.field, value: met.value, condition: met.condition }).collect();
    if !terms.is_empty() {
        let words: Vec<String> = text::words_of(&text::render(event)).collect();
        let there: Vec<String> = terms.iter().filter(|term| words.contains(term)).cloned().collect();
        if !there.is_empty() {
            reasons.push(Reason::Words { terms: there });
        }
    }
    if let Some(cosine) = cosine {
        reasons.push(Reason::Similarity { cosine });
    }
    reasons.extend(outstanding(event, segments));
    reasons
}

/// The features that are larger than in nearly all events of the index, the most unusual first.
fn outstanding<'a>(event: &Event, segments: &(impl Iterator<Item = &'a Segment> + Clone)) -> Vec<Reason> {
    let mut found: Vec<(f64, &str, f64)> = TELLING
        .iter()
        .filter_map(|name| {
            let value = feature_value(&event.features, name)?;
            let share = share_below(name, value, segments.clone())?;
            (share >= OUTSTANDING).then_some((share, *name, value))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(FEATURE_REASONS_MAX);
    found.into_iter().map(|(share, name, value)| feature(name, value, share)).collect()
}

/// Share of the events that know the feature with a smaller value; `None` where too few know it.
fn share_below<'a>(name: &str, value: f64, segments: impl Iterator<Item = &'a Segment>) -> Option<f64> {
    let (mut known, mut below) = (0, 0.0);
    for (count, share) in segments.filter_map(|segment| segment.profile().share_below(name, value)) {
        known += count;
        below += share * count as f64;
    }
    (known >= PROFILE_EVENTS_MIN).then(|| below / known as f64)
}

fn feature(name: &str, value: f64, share: f64) -> Reason {
    // Never "100 %": the event itself is among them.
    let percent = (share * 1000.0).floor().min(999.0) / 10.0;
    Reason::Feature {
        name: name.to_owned(),
        value,
        share_below: share as f32,
        words: format!("{name} is larger than in about {percent} % of the events"),
    }
}
