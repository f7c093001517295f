//! How much, how long and how fast, in words.

use forebay_event::Features;
use forebay_event::feature::{DURATION, RATE};

use super::Words;
use crate::filter::feature_value;

/// A word for values from a threshold on, up to the next one.
type Steps = &'static [(f64, &'static str)];

/// Bytes in both directions.
const BYTES: Steps = &[(0.0, "tiny"), (1e3, "small"), (1e5, "moderate"), (1e7, "large big"), (1e9, "huge large big")];

/// Packets in both directions.
const PACKETS: Steps =
    &[(0.0, ""), (1.0, "single packet"), (2.0, "few packets"), (1e2, "some packets"), (1e4, "many packets")];

/// Microseconds.
const LENGTH: Steps = &[(0.0, "instant"), (1e3, "brief"), (1e6, "short"), (6e7, "long"), (6e8, "very long lasting")];

/// Packets a second; said only of flows of at least [`RATE_PACKETS_MIN`] packets, for a rate of three means nothing.
const SPEED: Steps = &[(0.0, "slow"), (1e1, ""), (1e4, "fast"), (1e5, "flood fast")];

const RATE_PACKETS_MIN: f64 = 20.0;

/// Says how large, how long and how fast, as far as known.
pub(super) fn describe(features: &Features, words: &mut Words) {
    let packets = feature_value(features, "packets");
    say(feature_value(features, "bytes"), BYTES, words);
    say(packets, PACKETS, words);
    say(features.known(DURATION), LENGTH, words);
    if packets.is_some_and(|packets| packets >= RATE_PACKETS_MIN) {
        say(features.known(RATE), SPEED, words);
    }
}

fn say(value: Option<f64>, steps: Steps, words: &mut Words) {
    let Some(value) = value else { return };
    let word = steps.iter().rev().find(|(from, _)| value >= *from).map_or("", |(_, word)| *word);
    if !word.is_empty() {
        words.add(word);
    }
}
