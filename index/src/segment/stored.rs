//! Events as bytes: compact, and the same to the last bit when read back.
//!
//! Layout: length of the envelope as little-endian u32; the envelope as JSON, the event without its features; 11 bytes
//! with a bit for each known feature (feature `i` is bit `i % 8` of byte `i / 8`); the known features as little-endian f64.

use forebay_event::{App, Class, Event, EventId, FEATURE_COUNT, Features, Flow, Integrity, Label, Scores};
use serde::Serialize;

const KNOWN_BYTES: usize = FEATURE_COUNT.div_ceil(8);

/// The event without its features. Reading goes through `Event`, whose features may be absent.
#[derive(Serialize)]
struct Envelope<'a> {
    schema_version: &'a str,
    event_id: EventId,
    start_us: i64,
    end_us: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    node_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sensor: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    interface: &'a str,
    flow: &'a Flow,
    #[serde(skip_serializing_if = "is_default")]
    app: &'a App,
    #[serde(skip_serializing_if = "is_default")]
    scores: &'a Scores,
    #[serde(skip_serializing_if = "is_default")]
    class: &'a Class,
    #[serde(skip_serializing_if = "is_default")]
    label: &'a Label,
    #[serde(skip_serializing_if = "is_default")]
    integrity: &'a Option<Integrity>,
}

// The signature is serde's: it hands over a reference to the field, which is one itself.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_default<T: Default + PartialEq>(value: &&T) -> bool {
    **value == T::default()
}

/// Appends `event`, whole, to `out`.
pub(crate) fn encode(event: &Event, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    encode_envelope(event, out)?;
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    let mut known = [0u8; KNOWN_BYTES];
    for place in (0..FEATURE_COUNT).filter(|place| event.features.known(*place).is_some()) {
        known[place / 8] |= 1 << (place % 8);
    }
    out.extend_from_slice(&known);
    for value in event.features.0.iter().filter(|value| !value.is_nan()) {
        out.extend_from_slice(&value.to_le_bytes());
    }
    Ok(())
}

/// Reads an event back, or says what is wrong.
pub(crate) fn decode(bytes: &[u8]) -> Result<Event, String> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or("cut short")?;
    let (envelope, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or("cut short")?;
    let (known, values) = rest.split_first_chunk::<KNOWN_BYTES>().ok_or("cut short")?;
    let mut event = decode_envelope(envelope)?;
    let mut values = values.chunks_exact(8);
    for place in (0..FEATURE_COUNT).filter(|place| known[place / 8] >> (place % 8) & 1 == 1) {
        let value = values.next().and_then(|value| <[u8; 8]>::try_from(value).ok()).ok_or("features cut short")?;
        event.features.0[place] = f64::from_le_bytes(value);
    }
    Ok(event)
}

/// Appends the envelope of `event` to `out`.
pub(super) fn encode_envelope(event: &Event, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(
        out,
        &Envelope {
            schema_version: &event.schema_version,
            event_id: event.event_id,
            start_us: event.start_us,
            end_us: event.end_us,
            node_id: &event.node_id,
            sensor: &event.sensor,
            interface: &event.interface,
            flow: &event.flow,
            app: &event.app,
            scores: &event.scores,
            class: &event.class,
            label: &event.label,
            integrity: &event.integrity,
        },
    )
}

/// Reads an envelope back: the event with its features unknown, or what is wrong.
pub(super) fn decode_envelope(bytes: &[u8]) -> Result<Event, String> {
    let mut event: Event = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    event.features = Features::UNKNOWN;
    Ok(event)
}

/// The event as it can be stored and found: a number that is not finite is unknown, as it is in every text format.
pub(crate) fn canonical(event: &Event) -> Event {
    let mut event = event.clone();
    for value in event.features.0.iter_mut().filter(|value| !value.is_finite()) {
        *value = f64::NAN;
    }
    let scores = &mut event.scores;
    for score in [&mut scores.fast, &mut scores.ml, &mut scores.r#final, &mut scores.divergence] {
        *score = score.filter(|score| score.is_finite());
    }
    event
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_event_comes_back_to_the_last_bit() {
        let mut event = Event { start_us: i64::MIN, sensor: "x".to_owned(), ..Event::default() };
        event.scores.ml = Some(0.1);
        event.app.host = Some("ex\"ample\u{0}".to_owned());
        event.features.0[0] = -0.0;
        event.features.0[82] = f64::MIN_POSITIVE / 3.0;
        let mut bytes = Vec::new();
        encode(&event, &mut bytes).unwrap();
        let back = decode(&bytes).unwrap();
        assert!(back.features.0.iter().zip(&event.features.0).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!(Event { features: event.features, ..back }.start_us, event.start_us);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn no_field_of_the_event_is_forgotten() {
        // An event with every field set: a field added to the schema and not to the envelope fails here.
        let mut event =
            Event { integrity: Some(Integrity { seq: 1, prev: "p".into(), mac: "m".into() }), ..Event::default() };
        (event.node_id, event.sensor, event.interface) = ("n".into(), "s".into(), "i".into());
        event.app.host = Some("h".into());
        event.scores.ml = Some(0.5);
        event.class.family = Some("f".into());
        event.label.validated = true;
        event.features = Features([1.0; FEATURE_COUNT]);
        let mut bytes = Vec::new();
        encode(&event, &mut bytes).unwrap();
        let keys = |event: &Event| -> BTreeSet<String> {
            serde_json::to_value(event).unwrap().as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(serde_json::to_value(decode(&bytes).unwrap()).unwrap(), serde_json::to_value(&event).unwrap());
        let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
        let envelope: serde_json::Value = serde_json::from_slice(&bytes[4..4 + length]).unwrap();
        let mut stored: BTreeSet<String> = envelope.as_object().unwrap().keys().cloned().collect();
        stored.insert("features".to_owned());
        assert_eq!(stored, keys(&event));
    }
}
