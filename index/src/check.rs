//! What a batch must be like to be stored whole.

use forebay_event::Event;
use forebay_event::limits::{HOST_BYTES_MAX, ORIGIN_BYTES_MAX, WORD_BYTES_MAX};

use crate::IndexError;
use crate::limits::SEGMENT_EVENTS_MAX;

/// Longest vector that is taken, a little over 1 for the rounding of its numbers. Zeros are taken: near to nothing.
const LENGTH_MAX: f32 = 1.01;

/// Refuses a batch that cannot be stored whole.
pub(crate) fn check_batch(events: &[Event], vectors: &[f32], dimension: usize) -> Result<(), IndexError> {
    if events.len() > SEGMENT_EVENTS_MAX {
        let reason = format!("{} events at once, the limit is {SEGMENT_EVENTS_MAX}", events.len());
        return Err(IndexError::Vectors(reason));
    }
    if vectors.len() != events.len() * dimension {
        let reason = format!("{} numbers for {} events of {dimension}", vectors.len(), events.len());
        return Err(IndexError::Vectors(reason));
    }
    for (event, vector) in events.iter().zip(vectors.chunks_exact(dimension)) {
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length.is_nan() || length > LENGTH_MAX {
            let reason = format!("that of event {} has the length {length}, not 1", event.event_id);
            return Err(IndexError::Vectors(reason));
        }
        check_event(event)?;
    }
    Ok(())
}

/// Refuses an event with a text beyond the limits of the schema.
pub(crate) fn check_event(event: &Event) -> Result<(), IndexError> {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let texts = [
        ("node_id", event.node_id.len(), ORIGIN_BYTES_MAX),
        ("sensor", event.sensor.len(), ORIGIN_BYTES_MAX),
        ("interface", event.interface.len(), ORIGIN_BYTES_MAX),
        ("app.protocol", optional(&event.app.protocol), WORD_BYTES_MAX),
        ("app.host", optional(&event.app.host), HOST_BYTES_MAX),
        ("class.family", optional(&event.class.family), WORD_BYTES_MAX),
        ("class.technique", optional(&event.class.technique), WORD_BYTES_MAX),
        ("label.truth", optional(&event.label.truth), WORD_BYTES_MAX),
    ];
    match texts.into_iter().find(|(_, bytes, most)| bytes > most) {
        None => Ok(()),
        Some((field, bytes, most)) => {
            Err(IndexError::Event { id: event.event_id, reason: format!("{field} has {bytes} bytes, at most {most}") })
        }
    }
}
