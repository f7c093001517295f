//! What must hold of every event, whoever made it.

use crate::limits::{HOST_BYTES_MAX, ORIGIN_BYTES_MAX, SEAL_BYTES_MAX, WORD_BYTES_MAX};
use crate::{Event, FEATURE_NAMES, ParseError, SCHEMA_VERSION};

/// Highest VLAN identifier (12 bits, IEEE 802.1Q).
const VLAN_MAX: u16 = 4095;

/// Checks everything the types alone do not promise: lengths of strings, order of times, ranges of scores, the version
/// of the identifier, and that no feature is infinite.
pub(crate) fn check(event: &Event) -> Result<(), ParseError> {
    if event.schema_version != SCHEMA_VERSION {
        return Err(ParseError::invalid("schema_version", format!("this program reads version {SCHEMA_VERSION}")));
    }
    if event.event_id.0.get_version_num() != 7 {
        return Err(ParseError::invalid("event_id", "not a UUID of version 7"));
    }
    if event.start_us > event.end_us {
        return Err(ParseError::invalid("end_us", "the flow ends before it starts"));
    }
    if event.flow.vlan.is_some_and(|vlan| vlan > VLAN_MAX) {
        return Err(ParseError::invalid("flow.vlan", "over 4095"));
    }
    check_strings(event)?;
    check_scores(event)?;
    check_features(event)
}

fn check_strings(event: &Event) -> Result<(), ParseError> {
    bounded("node_id", &event.node_id, ORIGIN_BYTES_MAX)?;
    bounded("sensor", &event.sensor, ORIGIN_BYTES_MAX)?;
    bounded("interface", &event.interface, ORIGIN_BYTES_MAX)?;
    bounded("flow.community_id", &event.flow.community_id, WORD_BYTES_MAX)?;
    let optional = [
        ("app.protocol", &event.app.protocol, WORD_BYTES_MAX),
        ("app.host", &event.app.host, HOST_BYTES_MAX),
        ("class.family", &event.class.family, WORD_BYTES_MAX),
        ("class.technique", &event.class.technique, WORD_BYTES_MAX),
        ("label.truth", &event.label.truth, WORD_BYTES_MAX),
    ];
    for (field, text, limit) in optional {
        bounded(field, text.as_deref().unwrap_or_default(), limit)?;
    }
    if let Some(seal) = &event.integrity {
        bounded("integrity.prev", &seal.prev, SEAL_BYTES_MAX)?;
        bounded("integrity.mac", &seal.mac, SEAL_BYTES_MAX)?;
    }
    Ok(())
}

fn bounded(field: &'static str, text: &str, limit: usize) -> Result<(), ParseError> {
    if text.len() > limit {
        return Err(ParseError::invalid(field, format!("{} bytes where {limit} are allowed", text.len())));
    }
    Ok(())
}

fn check_scores(event: &Event) -> Result<(), ParseError> {
    let scores = &event.scores;
    let all = [
        ("scores.fast", scores.fast),
        ("scores.ml", scores.ml),
        ("scores.final", scores.r#final),
        ("scores.divergence", scores.divergence),
    ];
    for (field, score) in all {
        // Written so that NaN is refused as well.
        if score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
            return Err(ParseError::invalid(field, "not between 0 and 1"));
        }
    }
    Ok(())
}

fn check_features(event: &Event) -> Result<(), ParseError> {
    match event.features.0.iter().position(|value| value.is_infinite()) {
        Some(place) => Err(ParseError::invalid(FEATURE_NAMES[place], "infinite")),
        None => Ok(()),
    }
}
