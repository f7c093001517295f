//! Times of day: "10:15", "10:15:30", "2 am", "noon", and the zone that may follow.

use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};

use crate::question::item::Cursor;

/// A time of day.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Daytime {
    /// Tokens, with those of the zone.
    pub(super) len: usize,
    pub(super) time: Time,
    /// How long the time named lasts: "10:15" is a minute, "10 am" an hour. Microseconds.
    pub(super) width_us: i64,
    pub(super) zone: Option<TimeZone>,
}

pub(super) const SECOND_US: i64 = 1_000_000;
pub(super) const MINUTE_US: i64 = 60 * SECOND_US;
pub(super) const HOUR_US: i64 = 60 * MINUTE_US;

/// Half a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
}

/// Reads a time of day at the cursor: `None` where there is none, an error where there is no such time.
pub(super) fn daytime(c: &Cursor) -> Option<Result<Daytime, String>> {
    let named = match c.word(0) {
        "noon" | "midday" => Some(12),
        "midnight" => Some(0),
        _ => None,
    };
    if let Some(hour) = named {
        return of(hour, 0, 0, 0).map(|time| with_zone(c, 1, time, MINUTE_US, None));
    }
    let (body, zone_text) = zone_suffix(c.word(0));
    let (body, grown) = half_suffix(body);
    let (half, half_len) = match grown {
        Some(half) => (Some(half), 0),
        None => match half_word(c.word(1)) {
            Some(half) => (Some(half), 1),
            None => (None, 0),
        },
    };
    let suffix = match zone_text.map(zone_of) {
        Some(None) => return None,
        Some(Some(zone)) => Some(zone),
        None => None,
    };
    let (time, width) = match numbers(body, half)? {
        Ok(read) => read,
        Err(reason) => return Some(Err(reason)),
    };
    Some(with_zone(c, 1 + half_len, time, width, suffix))
}

/// Reads `text` as a time of day with an optional zone, as after the `T` of ISO 8601.
pub(super) fn text(text: &str) -> Option<Result<Daytime, String>> {
    let (body, zone) = zone_suffix(text);
    let zone = match zone {
        Some(zone) => Some(zone_of(zone)?),
        None => None,
    };
    let read = numbers(body, None)?;
    Some(read.map(|(time, width_us)| Daytime { len: 0, time, width_us, zone }))
}

/// `02:00-03:00`: two times in one token.
pub(super) fn dashed(c: &Cursor) -> Option<Result<(Daytime, Daytime), String>> {
    let (from, to) = c.word(0).split_once(['-', '–'])?;
    let (to, zone_text) = zone_suffix(to);
    let (to, half) = half_suffix(to);
    let (from, from_half) = half_suffix(from);
    if !(from.contains(':') && to.contains(':') || half.is_some()) {
        return None;
    }
    let zone = zone_text.and_then(zone_of);
    let first = numbers(from, from_half.or(half))?;
    let second = numbers(to, half)?;
    Some(first.and_then(|(from_time, from_width)| {
        let (to_time, to_width) = second?;
        let second = with_zone(c, 1, to_time, to_width, zone)?;
        Ok((Daytime { len: 0, time: from_time, width_us: from_width, zone: None }, second))
    }))
}

/// A bare hour before a time with a half, as in "between 2 and 3 am".
pub(super) fn bare_hour(c: &Cursor, half: Option<Half>) -> Option<Daytime> {
    let hour: i8 = c.word(0).parse().ok().filter(|hour| (1..=12).contains(hour) && c.word(0).len() <= 2)?;
    let time = of(to_24(hour, half?), 0, 0, 0)?;
    Some(Daytime { len: 1, time, width_us: HOUR_US, zone: None })
}

/// The half that a time at the cursor names.
pub(super) fn half_of(c: &Cursor) -> Option<Half> {
    half_suffix(zone_suffix(c.word(0)).0).1.or_else(|| half_word(c.word(1)))
}

/// The zone named at the cursor, and its tokens.
pub(super) fn zone_at(c: &Cursor) -> Option<Result<(usize, TimeZone), String>> {
    if c.phrase(&["local time"]).is_some() {
        return Some(Ok((2, c.clock.zone.clone())));
    }
    let raw = c.raw(0);
    if raw.contains('/') && raw.starts_with(|c: char| c.is_ascii_alphabetic()) && raw.len() <= 40 {
        return TimeZone::get(raw).ok().map(|zone| Ok((1, zone)));
    }
    if matches!(
        raw,
        "CET" | "CEST" | "EST" | "EDT" | "CST" | "CDT" | "MST" | "MDT" | "PST" | "PDT" | "IST" | "BST" | "JST" | "MSK"
    ) {
        return Some(Err(format!(
            "{raw} is not one certain zone; write UTC, an offset such as +01:00, or Europe/Berlin"
        )));
    }
    zone_of(c.word(0)).map(|zone| Ok((1, zone)))
}

fn with_zone(c: &Cursor, len: usize, time: Time, width_us: i64, zone: Option<TimeZone>) -> Result<Daytime, String> {
    if zone.is_some() {
        return Ok(Daytime { len, time, width_us, zone });
    }
    match zone_at(&c.skip(len)) {
        Some(Ok((zone_len, zone))) => Ok(Daytime { len: len + zone_len, time, width_us, zone: Some(zone) }),
        Some(Err(reason)) => Err(reason),
        None => Ok(Daytime { len, time, width_us, zone: None }),
    }
}

/// `10:15`, `10:15:30.5`, or with a half also `10`; the time and how long it lasts.
fn numbers(body: &str, half: Option<Half>) -> Option<Result<(Time, i64), String>> {
    let mut parts = body.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next(), parts.next());
    let digits = |part: &str, len: std::ops::RangeInclusive<usize>| {
        len.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let (whole, fraction) = second.map_or(("", ""), |second| second.split_once('.').unwrap_or((second, "")));
    let shaped = digits(hour, 1..=2)
        && minute.map_or(half.is_some(), |minute| digits(minute, 2..=2))
        && (second.is_none() || digits(whole, 2..=2) && digits(fraction, 0..=9))
        && parts.next().is_none();
    if !shaped {
        return None;
    }
    let number = |part: &str| part.parse::<i8>().unwrap_or(i8::MAX);
    let micros = format!("{:0<6}", fraction.get(..6.min(fraction.len())).unwrap_or("")).parse::<i32>().unwrap_or(0);
    let (mut hour, minute, second) =
        (number(hour), minute.map_or(0, number), if second.is_some() { number(whole) } else { 0 });
    if let Some(half) = half {
        if !(1..=12).contains(&hour) {
            return Some(Err(format!("there is no such time of day: {body}")));
        }
        hour = to_24(hour, half);
    }
    let hour = if hour == 24 && minute == 0 && second == 0 { 0 } else { hour };
    let width = match (body.matches(':').count(), fraction.is_empty()) {
        (0, _) => HOUR_US,
        (1, _) => MINUTE_US,
        (_, true) => SECOND_US,
        (_, false) => 1,
    };
    Some(match of(hour, minute, second, micros) {
        Some(time) => Ok((time, width)),
        None => Err(format!("there is no such time of day: {body}")),
    })
}

fn of(hour: i8, minute: i8, second: i8, micros: i32) -> Option<Time> {
    Time::new(hour, minute, second, micros.checked_mul(1000)?).ok()
}

fn to_24(hour: i8, half: Half) -> i8 {
    hour % 12 + if half == Half::Pm { 12 } else { 0 }
}

fn half_word(word: &str) -> Option<Half> {
    match word {
        "am" | "a.m" => Some(Half::Am),
        "pm" | "p.m" => Some(Half::Pm),
        _ => None,
    }
}

fn half_suffix(word: &str) -> (&str, Option<Half>) {
    let split = |tail: &str| word.strip_suffix(tail).filter(|head| head.ends_with(|c: char| c.is_ascii_digit()));
    if let Some(head) = split("am") {
        return (head, Some(Half::Am));
    }
    split("pm").map_or((word, None), |head| (head, Some(Half::Pm)))
}

/// Splits `02:00z`, `02:00utc` or `02:00+01:00`.
fn zone_suffix(word: &str) -> (&str, Option<&str>) {
    for tail in ["z", "utc"] {
        if let Some(head) = word.strip_suffix(tail).filter(|head| head.ends_with(|c: char| c.is_ascii_digit())) {
            return (head, Some(tail));
        }
    }
    match word.find(['+', '-']) {
        Some(at) if at > 0 && word[..at].contains(':') && offset(&word[at..]).is_some() => {
            (&word[..at], Some(&word[at..]))
        }
        _ => (word, None),
    }
}

fn zone_of(word: &str) -> Option<TimeZone> {
    if matches!(word, "utc" | "gmt" | "z" | "zulu") {
        return Some(TimeZone::UTC);
    }
    let written = word.strip_prefix("utc").or_else(|| word.strip_prefix("gmt")).unwrap_or(word);
    offset(written).map(TimeZone::fixed)
}

/// `+01:00`, `-0530`, `+1`.
fn offset(word: &str) -> Option<Offset> {
    let sign = match word.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = word.get(1..)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let plain = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(hours) || !plain(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}
