//! Whether anyone answered: "no reply", "unanswered", "one-way", "with a reply".

use super::item::{Cursor, Found, Item, Slot};
use super::measure::compared;
use crate::filter::Compare;

const NONE: &[&str] = &[
    "with no reply",
    "with no replies",
    "with no response",
    "with no answer",
    "without a reply",
    "without a response",
    "without an answer",
    "without any reply",
    "without any response",
    "without any answer",
    "without reply",
    "without replies",
    "without response",
    "without answer",
    "got no reply",
    "got no response",
    "got no answer",
    "no reply",
    "no replies",
    "no response",
    "no responses",
    "no answer",
    "no answers",
    "never answered",
    "not answered",
    "unanswered",
    "never replied",
    "unidirectional",
    "one-way",
    "one-sided",
    "no packets back",
    "nothing came back",
];
const SOME: &[&str] = &[
    "with a reply",
    "with a response",
    "with an answer",
    "with replies",
    "that were answered",
    "that was answered",
    "that got a reply",
    "that got a response",
    "that got an answer",
    "bidirectional",
    "two-way",
];
/// After "no response", these make it something other than silence.
const OTHER: &[&str] = &["code", "codes", "time", "times", "size", "header", "headers", "body", "data"];

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    if let Some(len) = c.phrase(NONE) {
        if c.any(len, OTHER) {
            return None;
        }
        return Item::new(len, Slot::Quantity, "no reply", compared("dpkts", Compare::Eq, 0.0)).found();
    }
    let len = c.phrase(SOME)?;
    Item::new(len, Slot::Quantity, "with a reply", compared("dpkts", Compare::Gt, 0.0)).found()
}
