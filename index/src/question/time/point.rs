//! A point of a time expression: a day, a time of day, or both, in either order.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::clock::{Daytime, daytime, text as clock_text};
use super::date::numeric;
use super::scope::{Scope, scope};
use super::window::instant;
use crate::question::item::Cursor;

/// A day, a time of day, or both.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// Tokens.
    pub(super) len: usize,
    pub(super) scope: Option<Scope>,
    pub(super) clock: Option<Daytime>,
    /// It begins with the name of a weekday, so it recurs.
    pub(super) weekday: bool,
}

/// What is meant as a point but is none: the tokens, and why.
pub(super) type Wrong = (usize, String);

/// A point with its place in time: when it starts and ends, and the civil time of its start.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) civil: DateTime,
}

/// Reads a point at the cursor. With `stated` a preposition stands before it.
pub(super) fn point(c: &Cursor, now: &Zoned, stated: bool) -> Option<Result<Point, Wrong>> {
    if let Some(read) = iso(c.word(0)) {
        return Some(read.map_err(|reason| (1, reason)));
    }
    if let Some(read) = daytime(c) {
        let mut clock = match read {
            Ok(clock) => clock,
            Err(reason) if stated => return Some(Err((1, reason))),
            Err(_) => return None,
        };
        let on = c.skip(clock.len).run(&["on", "of"], 1);
        let day = scope(&c.skip(clock.len + on), now.datetime(), on > 0);
        let (len, scope) = match day {
            Some((len, Ok(scope))) => (clock.len + on + len, Some(scope)),
            _ => (clock.len, None),
        };
        if clock.zone.is_none()
            && scope.is_some()
            && let Some(Ok((zone_len, zone))) = super::clock::zone_at(&c.skip(len))
        {
            clock.zone = Some(zone);
            return Some(Ok(Point { len: len + zone_len, scope, clock: Some(clock), weekday: false }));
        }
        return Some(Ok(Point { len, scope, clock: Some(clock), weekday: false }));
    }
    let (len, scope) = match scope(c, now.datetime(), stated)? {
        (len, Ok(scope)) => (len, scope),
        (len, Err(reason)) => return Some(Err((len, reason))),
    };
    let weekday = super::date::weekday(c, true).is_some();
    let at = c.skip(len).run(&["at"], 1);
    match daytime(&c.skip(len + at)) {
        Some(Ok(clock)) => {
            Some(Ok(Point { len: len + at + clock.len, scope: Some(scope), clock: Some(clock), weekday }))
        }
        Some(Err(reason)) => Some(Err((len + at + 1, reason))),
        None => Some(Ok(Point { len, scope: Some(scope), clock: None, weekday })),
    }
}

/// `2024-03-05T10:00:00Z` in one token.
pub(super) fn iso(word: &str) -> Option<Result<Point, String>> {
    let (day, time) = word.split_once('t')?;
    let scope = numeric(day)?;
    let clock = clock_text(time)?;
    Some(scope.and_then(|scope| Ok(Point { len: 1, scope: Some(scope), clock: Some(clock?), weekday: false })))
}

impl Point {
    /// Where this point lies; `within` is the stretch that another part of the expression names.
    pub(super) fn place(&self, now: &Zoned, within: Option<Scope>, zone: &TimeZone) -> Result<Placed, String> {
        let scope = self.scope.or(within);
        let Some(clock) = &self.clock else {
            let scope = scope.ok_or_else(|| "no time was named".to_owned())?;
            let (start, end) = (instant(scope.from, zone, false)?, instant(scope.to, zone, true)?);
            return Ok(Placed { start, end, civil: scope.from });
        };
        let civil = match scope {
            Some(scope) => first_in(scope, clock)?,
            None => latest(now, clock, zone)?,
        };
        let start = instant(civil, zone, false)?;
        let width = jiff::SignedDuration::from_micros(clock.width_us);
        let end = start.checked_add(width).map_err(|_| "the calendar ends before that".to_owned())?;
        Ok(Placed { start, end, civil })
    }

    /// The zone that this point names.
    pub(super) fn zone(&self) -> Option<TimeZone> {
        self.clock.as_ref().and_then(|clock| clock.zone.clone())
    }

    /// Whether it names no day.
    pub(super) fn floats(&self) -> bool {
        self.scope.is_none()
    }
}

/// The first time in `scope` that a clock shows the time.
fn first_in(scope: Scope, clock: &Daytime) -> Result<DateTime, String> {
    let same_day = scope.from.date().to_datetime(clock.time);
    let civil = if same_day >= scope.from { same_day } else { next_day(same_day)? };
    if civil < scope.to { Ok(civil) } else { Err("that time of day is not within the day or night named".to_owned()) }
}

/// The latest time, not after now, that a clock shows the time.
fn latest(now: &Zoned, clock: &Daytime, zone: &TimeZone) -> Result<DateTime, String> {
    let today = now.with_time_zone(zone.clone()).date();
    let civil = today.to_datetime(clock.time);
    if instant(civil, zone, false)? <= now.timestamp() {
        return Ok(civil);
    }
    civil.checked_sub(1.day()).map_err(|_| "the calendar ends before that".to_owned())
}

pub(super) fn next_day(civil: DateTime) -> Result<DateTime, String> {
    civil.checked_add(1.day()).map_err(|_| "the calendar ends before that".to_owned())
}
