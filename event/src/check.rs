//! What must hold of every event, whoever made it.

use crate::limits::{HOST_BYTES_MAX, ORIGIN_BYTES_MAX, SEAL_BYTES_MAX, TIME_US_MAX, TIME_US_MIN, WORD_BYTES_MAX};
use crate::{Event, FEATURE_NAMES, ParseError, SCHEMA_VERSION};

/// Highest VLAN identifier (12 bits, IEEE 802.1Q).
const VLAN_MAX: u16 = 4095;

/// Checks everything the types alone do not promise: lengths of strings, range and order of times, ranges of scores, the
/// version of the identifier, and that every feature that is known is finite and not below zero.
pub(crate) fn check(event: &Event) -> Result<(), ParseError> {
    if event.schema_version != SCHEMA_VERSION {
        return Err(ParseError::invalid("schema_version", format!("this program reads version {SCHEMA_VERSION}")));
    }
    if event.event_id.0.get_version_num() != 7 {
        return Err(ParseError::invalid("event_id", "not a UUID of version 7"));
    }
    check_times(event)?;
    if event.flow.vlan.is_some_and(|vlan| vlan > VLAN_MAX) {
        return Err(ParseError::invalid("flow.vlan", "over 4095"));
    }
    check_strings(event)?;
    check_scores(event)?;
    check_features(event)
}

fn check_times(event: &Event) -> Result<(), ParseError> {
    for (field, time) in [("start_us", event.start_us), ("end_us", event.end_us)] {
        if !(TIME_US_MIN..=TIME_US_MAX).contains(&time) {
            return Err(ParseError::invalid(field, "before the year 1900 or after 9998 (microseconds since 1970)"));
        }
    }
    if event.start_us > event.end_us {
        return Err(ParseError::invalid("end_us", "the flow ends before it starts"));
    }
    Ok(())
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
    // All of them are counts, lengths, times between packets, or means, deviations and ratios of these. NaN is unknown.
    let impossible = |value: &f64| *value < 0.0 || *value == f64::INFINITY;
    match event.features.0.iter().position(impossible) {
        Some(place) => {
            let reason = if event.features.0[place].is_infinite() { "infinite" } else { "below zero" };
            Err(ParseError::invalid(FEATURE_NAMES[place], reason))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventId;

    fn event() -> Event {
        Event { event_id: EventId::derive(0, &[b"x"]), ..Event::default() }
    }

    #[test]
    fn times_are_bounded_on_both_sides() {
        let with = |start_us, end_us| check(&Event { start_us, end_us, ..event() });
        assert_eq!(with(TIME_US_MIN, TIME_US_MAX), Ok(()));
        for (start, end, field) in [
            (TIME_US_MIN - 1, 0, "`start_us`"),
            (0, TIME_US_MAX + 1, "`end_us`"),
            (i64::MIN, i64::MAX, "`start_us`"),
            (1, 0, "`end_us`"),
        ] {
            let error = with(start, end).unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
        }
        let year = |us| jiff::Timestamp::from_microsecond(us).unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string();
        assert_eq!(
            (year(TIME_US_MIN), year(TIME_US_MAX)),
            ("1900-01-01 00:00:00".into(), "9999-01-01 00:00:00".into())
        );
    }

    #[test]
    fn every_feature_is_refused_below_zero_and_taken_at_zero_or_unknown() {
        for (place, name) in FEATURE_NAMES.iter().copied().enumerate() {
            let with = |value| {
                let mut event = event();
                event.features.0[place] = value;
                check(&event)
            };
            for (value, reason) in
                [(-1e-300, "below zero"), (f64::NEG_INFINITY, "infinite"), (f64::INFINITY, "infinite")]
            {
                assert_eq!(with(value), Err(ParseError::invalid(name, reason)));
            }
            assert!([0.0, -0.0, f64::NAN, f64::MAX].into_iter().all(|value| with(value).is_ok()));
        }
    }
}
