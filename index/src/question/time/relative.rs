//! Times counted back from now: "last 15 minutes", "past 2 hours", "more than 2 hours ago".

use jiff::{Span, Timestamp, ToSpan, Zoned};

use super::window::Window;
use crate::question::item::{Cursor, Found, note};
use crate::question::number::number;

/// Reads a time counted back from now at the cursor.
pub(super) fn relative(c: &Cursor, now: &Zoned) -> Option<Found> {
    last(c, now).or_else(|| ago(c, now))
}

/// "last 15 minutes", "in the past 2 hours", "within the last day".
fn last(c: &Cursor, now: &Zoned) -> Option<Found> {
    let lead = c.run(&["in", "within", "during", "over", "for", "from", "the", "since"], 3);
    let at = c.skip(lead);
    if !at.any(0, &["last", "past", "previous"]) {
        return None;
    }
    let (count_len, count, suffix) = match number(&at.skip(1)) {
        Some(number) => (number.len, number.value, number.suffix),
        None if at.any(1, &["few", "couple"]) => return None,
        None => (usize::from(at.word(1) == "half"), if at.word(1) == "half" { 0.5 } else { 1.0 }, ""),
    };
    let article = at.skip(1 + count_len).run(&["a", "an", "of", "full"], 1);
    let (unit_len, unit) = if suffix.is_empty() { (1, at.word(1 + count_len + article)) } else { (0, suffix) };
    let len = lead + 1 + count_len + article + unit_len;
    if count_len == 0 && at.word(0) != "past" && matches!(unit, "week" | "month" | "year") {
        // The calendar's, unlike "the past week".
        return None;
    }
    let from = match back(now, count, &unit.to_lowercase())? {
        Ok(from) => from,
        Err(reason) => return note(len, reason),
    };
    let words = (0..len - lead).map(|ahead| at.word(ahead)).collect::<Vec<_>>().join(" ");
    window(now, Some(from), None, words).found(len)
}

/// "more than 2 hours ago", "since 5 minutes ago"; "2 hours ago" alone is a point, and no flow starts exactly there.
fn ago(c: &Cursor, now: &Zoned) -> Option<Found> {
    let since = c.phrase(&["since", "after", "less than", "from", "within"]);
    let before = c.phrase(&["more than", "over", "before", "older than", "until", "at least"]);
    let lead = since.or(before).unwrap_or(0);
    let number = number(&c.skip(lead))?;
    let unit_len = usize::from(number.suffix.is_empty());
    let unit = if unit_len > 0 { c.word(lead + number.len) } else { number.suffix };
    let mut len = lead + number.len + unit_len;
    if c.word(len) != "ago" {
        return None;
    }
    len += 1;
    if lead == 0 && matches!(unit, "day" | "days") {
        // A whole day of the calendar.
        return None;
    }
    let at = match back(now, number.value, &unit.to_lowercase())? {
        Ok(at) => at,
        Err(reason) => return note(len, reason),
    };
    if since.is_some() {
        len += c.phrase_after(len, &["until now", "to now", "till now"]);
        return window(now, Some(at), None, String::new()).found(len);
    }
    if before.is_some() {
        return window(now, None, Some(at), String::new()).found(len);
    }
    note(len, "this is a moment, not a stretch of time; write “since ... ago” or “before ... ago”")
}

fn window(now: &Zoned, from: Option<Timestamp>, to: Option<Timestamp>, name: String) -> Window {
    Window { from, to, zone: now.time_zone().clone(), name, hint: None }
}

/// `count` units before `now`. Days and longer follow the calendar of the zone, so that a day may have 23 hours.
fn back(now: &Zoned, count: f64, unit: &str) -> Option<Result<Timestamp, String>> {
    const LONG_AGO: &str = "that is longer ago than the calendar reaches";
    let fixed_us = match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1e6),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60e6),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(3600e6),
        _ => None,
    };
    if let Some(unit_us) = fixed_us {
        let micros = count * unit_us;
        let moved = (micros < 9e17).then(|| Span::new().try_microseconds(micros as i64).ok()).flatten();
        let at = moved.and_then(|span| now.timestamp().checked_sub(span).ok());
        return Some(at.ok_or_else(|| LONG_AGO.to_owned()));
    }
    let one = match unit {
        "d" | "day" | "days" => 1.day(),
        "w" | "week" | "weeks" => 1.week(),
        "month" | "months" => 1.month(),
        "year" | "years" => 1.year(),
        _ => return None,
    };
    if count.fract() != 0.0 || count > 1e6 {
        return Some(Err("write a whole number of days, weeks, months or years".to_owned()));
    }
    let at = one.checked_mul(count as i64).ok().and_then(|span| now.checked_sub(span).ok());
    Some(at.map(|at| at.timestamp()).ok_or_else(|| LONG_AGO.to_owned()))
}
