//! Stretches of the calendar: "yesterday", "last night", "this morning", "Monday", "last week", a date.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Span, ToSpan};

use super::date::{date, midnight, weekday};
use crate::question::item::Cursor;

/// A stretch of civil time, `from..to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scope {
    pub(super) from: DateTime,
    pub(super) to: DateTime,
}

/// Hours of the parts of a day. A night begins in the evening, so that nothing of it is missed.
const MORNING: (i8, i8) = (5, 12);
const AFTERNOON: (i8, i8) = (12, 18);
const EVENING: (i8, i8) = (18, 24);
const NIGHT: (i8, i8) = (18, 30);

impl Scope {
    pub(super) fn days(from: Date, to: Date) -> Self {
        Self { from: midnight(from), to: midnight(to) }
    }

    fn day(date: Date) -> Option<Self> {
        Some(Self::days(date, date.tomorrow().ok()?))
    }

    /// Hours of the day on which this stretch starts; over 24 they are of the day after.
    fn part(self, (from, to): (i8, i8)) -> Option<Self> {
        let day = self.from.date();
        let at = |hour: i8| {
            let date = if hour >= 24 { day.tomorrow().ok()? } else { day };
            Some(date.to_datetime(Time::new(hour % 24, 0, 0, 0).ok()?))
        };
        Some(Self { from: at(from)?, to: at(to)? })
    }
}

/// Reads a stretch at the cursor; `now` is civil. With `stated` a preposition stands before it.
pub(super) fn scope(c: &Cursor, now: DateTime, stated: bool) -> Option<(usize, Result<Scope, String>)> {
    let today = now.date();
    if let Some((len, found)) = fixed(c, now) {
        return Some((len, found.ok_or_else(|| "the calendar ends before that".to_owned())));
    }
    let next = c.phrase(&["next week", "next month", "next hour", "next day"]).filter(|_| stated);
    if let Some(len) = next.or(c.phrase(&["tomorrow"])) {
        return Some((len, Err("no flow is from the future".to_owned())));
    }
    if let Some((len, day)) = day(c, today, stated) {
        let found = day.and_then(Scope::day);
        let (len, found) = parted(c, len, found);
        return Some((len, found.ok_or_else(|| "the calendar ends before that".to_owned())));
    }
    let (len, found) = date(c, today, stated)?;
    let day =
        found.as_ref().ok().filter(|scope| scope.from.date().tomorrow().is_ok_and(|next| midnight(next) == scope.to));
    match day {
        Some(&day) => {
            let (len, parted) = parted(c, len, Some(day));
            Some((len, parted.ok_or_else(|| "the calendar ends before that".to_owned())))
        }
        None => Some((len, found)),
    }
}

/// A day that may be followed by a part of it: "yesterday evening".
fn parted(c: &Cursor, len: usize, day: Option<Scope>) -> (usize, Option<Scope>) {
    let hours = match c.word(len) {
        "morning" => MORNING,
        "afternoon" => AFTERNOON,
        "evening" => EVENING,
        "night" => NIGHT,
        _ => return (len, day),
    };
    (len + 1, day.and_then(|day| day.part(hours)))
}

/// "yesterday", "Monday", "3 days ago": a whole day.
fn day(c: &Cursor, today: Date, stated: bool) -> Option<(usize, Option<Date>)> {
    let back = |days: i64| today.checked_sub(Span::new().try_days(days).ok()?).ok();
    if let Some(len) = c.phrase(&["the day before yesterday", "day before yesterday"]) {
        return Some((len, back(2)));
    }
    match c.word(0) {
        "today" => return Some((1, Some(today))),
        "yesterday" => return Some((1, back(1))),
        _ => {}
    }
    if c.any(1, &["day", "days"]) && c.word(2) == "ago" && !matches!(c.before(1), "than" | "over") {
        let days = crate::question::number::number(c).filter(|number| number.len == 1)?.value;
        return Some((3, if days.fract() == 0.0 && days <= 1e5 { back(days as i64) } else { None }));
    }
    let last = c.run(&["last", "this"], 1);
    let day = weekday(&c.skip(last), stated || last > 0)?;
    Some((last + 1, latest(today, day, c.word(0) == "last")))
}

/// The latest such weekday, today included unless `before_today`.
fn latest(today: Date, day: Weekday, before_today: bool) -> Option<Date> {
    let since = i64::from(today.weekday().since(day));
    let back = if since == 0 && before_today { 7 } else { since };
    today.checked_sub(Span::new().try_days(back).ok()?).ok()
}

/// Stretches with names of their own.
fn fixed(c: &Cursor, now: DateTime) -> Option<(usize, Option<Scope>)> {
    let today = now.date();
    let day = Scope::day(today);
    let article = c.run(&["the"], 1);
    let at = c.skip(article);
    let find = |len: Option<usize>| len.map(|len| article + len);
    if let Some(len) = find(at.phrase(&["last night", "overnight", "previous night", "tonight"])) {
        // After midnight and before the night is over, it is the night under way.
        let under_way = i64::from(now.hour()) < i64::from(NIGHT.1 - 24);
        let tonight = at.word(0) == "tonight";
        let start = if tonight && !under_way { Ok(today) } else { today.yesterday() };
        return Some((len, start.ok().and_then(Scope::day).and_then(|day| day.part(NIGHT))));
    }
    for (phrase, hours) in [("this morning", MORNING), ("this afternoon", AFTERNOON), ("this evening", EVENING)] {
        if let Some(len) = find(at.phrase(&[phrase])) {
            return Some((len, day.and_then(|day| day.part(hours))));
        }
    }
    let monday = latest(today, Weekday::Monday, false);
    let ahead = |date: Option<Date>, span: Span| date.and_then(|date| date.checked_add(span).ok());
    let days = |from: Option<Date>, to: Option<Date>| from.zip(to).map(|(from, to)| Scope::days(from, to));
    let month = Some(today.first_of_month());
    let year = Some(today.first_of_year());
    let found = match (at.word(0), at.word(1)) {
        ("this", "week") => days(monday, ahead(monday, 7.days())),
        ("last" | "previous", "week") => days(ahead(monday, -7.days()), monday),
        ("this", "month") => days(month, ahead(month, 1.month())),
        ("last" | "previous", "month") => days(ahead(month, -1.month()), month),
        ("this", "year") => days(year, ahead(year, 1.year())),
        ("last" | "previous", "year") => days(ahead(year, -1.year()), year),
        ("last" | "this", "weekend") => {
            let saturday = latest(today, Weekday::Saturday, false);
            days(saturday, ahead(saturday, 2.days()))
        }
        _ => return None,
    };
    Some((article + 2, found))
}
