//! From civil times to instants, and how a window reads on a chip.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};

use crate::filter::Filter;
use crate::question::item::{Found, Item, Slot, note};

/// A window of time, `from..to`, open where absent, with the zone in which it was meant.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) zone: TimeZone,
    /// How a person would say it ("last night"), empty where the instants say all.
    pub(super) name: String,
    pub(super) hint: Option<String>,
}

/// The instant at which `zone`'s clocks show `civil`. Shown twice, the first time for the start of a window and the
/// second for its end, so that nothing is missed; never shown, the instant at which it is skipped.
pub(super) fn instant(civil: DateTime, zone: &TimeZone, is_end: bool) -> Result<Timestamp, String> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let found = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.compatible(),
        AmbiguousOffset::Fold { .. } if is_end => ambiguous.later(),
        AmbiguousOffset::Fold { .. } => ambiguous.earlier(),
        AmbiguousOffset::Gap { .. } => ambiguous.earlier().map(|before| {
            let skipped = zone.following(before).next().map(|transition| transition.timestamp());
            skipped.unwrap_or(before)
        }),
    };
    found.map_err(|_| "the calendar ends before that".to_owned())
}

impl Window {
    /// The condition, or a note where nothing can lie in the window.
    pub(super) fn found(self, len: usize) -> Option<Found> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && to <= from
        {
            return note(len, "the time ends before it starts, or the clocks skipped it");
        }
        let label = self.label();
        let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
        let filter = Filter::Time { from_us: micros(self.from), to_us: micros(self.to) };
        Item::new(len, Slot::Time, label, filter).directed(true).hint(self.hint).found()
    }

    fn label(&self) -> String {
        let zoned = |at: Option<Timestamp>| at.map(|at| at.to_zoned(self.zone.clone()));
        let instants = match (zoned(self.from), zoned(self.to)) {
            (Some(from), Some(to)) => between(&from, &to),
            (Some(from), None) => format!("since {}{}", shown(&from), zone_shown(&from)),
            (None, Some(to)) => format!("before {}{}", shown(&to), zone_shown(&to)),
            (None, None) => "at any time".to_owned(),
        };
        if self.name.is_empty() { instants } else { format!("{}: {instants}", self.name) }
    }
}

fn between(from: &Zoned, to: &Zoned) -> String {
    let midnight = |at: &Zoned| at.time() == jiff::civil::Time::midnight();
    let zone = zone_shown(from);
    if midnight(from) && midnight(to) {
        let last = to.date().yesterday().unwrap_or(to.date());
        return if last == from.date() {
            format!("on {}{zone}", from.date())
        } else {
            format!("{} to {last}{zone}", from.date())
        };
    }
    let end = if from.date() == to.date() { clock_shown(to) } else { shown(to) };
    format!("{} to {end}{zone}", shown(from))
}

fn shown(at: &Zoned) -> String {
    format!("{} {}", at.date(), clock_shown(at))
}

fn clock_shown(at: &Zoned) -> String {
    let time = at.time();
    if time.second() == 0 && time.subsec_nanosecond() == 0 {
        format!("{:02}:{:02}", time.hour(), time.minute())
    } else {
        time.to_string()
    }
}

fn zone_shown(at: &Zoned) -> String {
    if at.offset().seconds() == 0 { " UTC".to_owned() } else { format!(" {}", offset_shown(at.offset().seconds())) }
}

fn offset_shown(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}
