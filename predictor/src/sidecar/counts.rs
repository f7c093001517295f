//! What the sidecar counts. Nothing it decides not to do, or cannot do, goes without a count.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::actuate::restore::Outcome;
use crate::control::Deferred;
use crate::eyes::Sight;

macro_rules! events {
    ($($event:ident $family:literal $label:literal;)*) => {
        /// Something that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "family and label say it")]
        pub enum Event { $($event),* }

        impl Event {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$event),*];

            /// The family of counters it belongs to.
            pub const fn family(self) -> &'static str {
                match self { $(Self::$event => $family),* }
            }

            /// Which of the family; empty where the family is one counter.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$event => $label),* }
            }
        }
    };
}

events! {
    Tick "ticks" "";
    LateTick "ticks_late" "";
    EarlyTick "ticks_early" "";
    Pass "passes" "";
    Grow "changes" "grow";
    Shrink "changes" "shrink";
    DeferHold "deferred" "hold";
    DeferQueue "deferred" "queue";
    DeferRate "deferred" "rate";
    DeferBudget "deferred" "budget";
    FailDenied "failures" "denied";
    FailBusy "failures" "busy";
    FailSystem "failures" "system";
    FailStateFile "failures" "state_file";
    FailHost "failures" "host";
    FailPass "failures" "pass";
    Unforced "unforced" "";
    Overridden "overridden" "";
    LeftBudget "left_alone" "budget";
    LeftLocked "left_alone" "locked";
    LeftDenied "left_alone" "denied";
    LeftTooMany "left_alone" "too_many";
    MissingNothing "missing" "nothing";
    MissingDenied "missing" "denied";
    MissingNamespace "missing" "namespace";
    EyesBlind "eyes" "blind";
    EyesBegun "eyes" "begun";
    EyesGone "eyes" "gone";
    EyesMissing "eyes" "missing";
    EyesRefused "eyes" "refused";
    EyesNoRoom "eyes" "no_room";
    EyesPartial "eyes" "partial";
    EyesFailed "eyes" "failed";
    Restored "restored" "restored";
    RestoreChangedSince "restored" "changed_since";
    RestoreGone "restored" "gone";
    RestoreFailed "restored" "failed";
}

/// How often each has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts([u64; Event::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; Event::ALL.len()])
    }
}

impl Counts {
    /// Once more.
    pub const fn add(&mut self, event: Event) {
        self.0[event as usize] += 1;
    }

    /// How often it has happened.
    pub const fn get(&self, event: Event) -> u64 {
        self.0[event as usize]
    }
}

/// As an object of families, each a number or an object of labels.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut families: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
        for event in Event::ALL {
            let count = self.get(*event).into();
            if event.label().is_empty() {
                families.insert(event.family(), count);
            } else {
                families.entry(event.family()).or_insert_with(|| serde_json::json!({}))[event.label()] = count;
            }
        }
        families.serialize(serializer)
    }
}

impl From<Sight> for Event {
    fn from(sight: Sight) -> Self {
        match sight {
            Sight::Blind => Self::EyesBlind,
            Sight::Begun => Self::EyesBegun,
            Sight::Gone => Self::EyesGone,
            Sight::Missing => Self::EyesMissing,
            Sight::Refused => Self::EyesRefused,
            Sight::NoRoom => Self::EyesNoRoom,
            Sight::Partial => Self::EyesPartial,
            Sight::Failed => Self::EyesFailed,
        }
    }
}

impl From<Deferred> for Event {
    fn from(reason: Deferred) -> Self {
        match reason {
            Deferred::Hold => Self::DeferHold,
            Deferred::Queue => Self::DeferQueue,
            Deferred::Rate => Self::DeferRate,
            Deferred::Budget => Self::DeferBudget,
        }
    }
}

impl From<&Outcome> for Event {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Restored => Self::Restored,
            Outcome::ChangedSince => Self::RestoreChangedSince,
            Outcome::Gone => Self::RestoreGone,
            Outcome::Failed(_) => Self::RestoreFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_ones_of_the_reasons_and_each_is_once() {
        for reason in Deferred::ALL {
            assert_eq!(Event::from(reason).label(), reason.name());
        }
        let mut names: Vec<_> = Event::ALL.iter().map(|event| (event.family(), event.label())).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Event::ALL.len());
        let restored: Vec<_> = Event::ALL.iter().filter(|event| event.family() == "restored").collect();
        assert_eq!(restored.iter().map(|event| event.label()).collect::<Vec<_>>(), Outcome::NAMES);
    }

    #[test]
    fn counts_are_written_as_families() {
        let mut counts = Counts::default();
        counts.add(Event::Grow);
        counts.add(Event::Tick);
        let json = serde_json::to_value(&counts).unwrap();
        assert_eq!((&json["changes"]["grow"], &json["ticks"]), (&1.into(), &1.into()));
    }
}
