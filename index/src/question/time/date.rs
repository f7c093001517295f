//! Dates: "2024-03-05", "5 March 2024", "March 5th", "25.12.2024", and months and years.

use jiff::civil::{Date, DateTime, Weekday};

use super::scope::Scope;
use crate::question::item::Cursor;

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: &[(&str, Weekday)] = &[
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Times of flows count from its start.
const FIRST_YEAR: i16 = 1970;

/// Reads a date at the cursor; the tokens, and the day, month or year. Without a year the latest not after `today`.
/// With `stated`, a preposition stands before it, so that "in March" and "in 2024" count.
pub(super) fn date(c: &Cursor, today: Date, stated: bool) -> Option<(usize, Result<Scope, String>)> {
    let (len, read) = match numeric(c.word(0)) {
        Some(read) => (1, read),
        None => worded(c, today).or_else(|| month_or_year(c, today, stated))?,
    };
    // "before 2030" and "from 2020 to 2030" only bound; "in 2030" can hold nothing.
    let bounds = (1..=2).any(|back| matches!(c.before(back), "before" | "until" | "till" | "to" | "and" | "-" | "–"));
    Some((len, read.and_then(|scope| possible(scope, today, bounds))))
}

/// Years in which no flow can be are refused, the past alike the future.
fn possible(scope: Scope, today: Date, bounds: bool) -> Result<Scope, String> {
    let year = scope.from.date().year();
    if year < FIRST_YEAR {
        Err(format!("no flow is from before {FIRST_YEAR}"))
    } else if year > today.year() && !bounds {
        Err("no flow is from the future".to_owned())
    } else {
        Ok(scope)
    }
}

/// The weekday at the cursor; abbreviations only with `stated`, since "sun" and "sat" are words too.
pub(super) fn weekday(c: &Cursor, stated: bool) -> Option<Weekday> {
    let word = c.word(0);
    let full = WEEKDAYS.iter().find(|(name, _)| *name == word);
    let short = || WEEKDAYS.iter().find(|(name, _)| stated && word.len() == 3 && name.starts_with(word));
    full.or_else(short).map(|&(_, day)| day)
}

/// `2024-03-05`, `2024/03/05`, `05.03.2024`, `25/12/2024`, `2024-03`.
pub(super) fn numeric(word: &str) -> Option<Result<Scope, String>> {
    let separator = word.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
    let parts: Vec<&str> = word.split(separator).collect();
    if !parts.iter().all(|part| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let lens: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let values: Vec<i16> = parts.iter().map(|part| part.parse().unwrap_or(0)).collect();
    match (separator, lens.as_slice(), values.as_slice()) {
        ('-' | '/', [4, 1..=2, 1..=2], &[year, month, day]) | ('.', [1..=2, 1..=2, 4], &[day, month, year]) => {
            Some(whole_day(year, month, day))
        }
        ('-', [4, 2], &[year, month]) if (1900..2200).contains(&year) => Some(whole_month(year, month)),
        ('/', [1..=2, 1..=2, 4], &[first, second, year]) => Some(if first > 12 {
            whole_day(year, second, first)
        } else if second > 12 || first == second {
            whole_day(year, first, second)
        } else {
            Err(format!(
                "day and month could be either way round; write {year:04}-{second:02}-{first:02} or {year:04}-{first:02}-{second:02}"
            ))
        }),
        _ => None,
    }
}

/// "5 March 2024", "5th of March", "March 5, 2024".
fn worded(c: &Cursor, today: Date) -> Option<(usize, Result<Scope, String>)> {
    let article = c.run(&["the"], 1);
    let (day, month, mut len) = if let Some(day) = ordinal(c.word(article)) {
        let of = c.skip(article + 1).run(&["of"], 1);
        (day, month(c.word(article + 1 + of))?, article + of + 2)
    } else {
        let month = month(c.word(0))?;
        let article = c.skip(1).run(&["the"], 1);
        (ordinal(c.word(1 + article))?, month, 2 + article)
    };
    // "may 5 packets" and the like: a unit after the number means that it is no day.
    if crate::question::unit::parse(c.raw(len)).is_some() {
        return None;
    }
    let read = match year(c.word(len)) {
        Some(year) => {
            len += 1;
            whole_day(year, month, day)
        }
        None => match whole_day(today.year(), month, day) {
            Ok(scope) if scope.from.date() > today => whole_day(today.year() - 1, month, day),
            // 29 February of the last leap year.
            Err(_) if month == 2 && day == 29 => {
                let leap = (1..=8).map(|back| today.year() - back).find(|&year| Date::new(year, 2, 29).is_ok());
                whole_day(leap.unwrap_or(2000), 2, 29)
            }
            read => read,
        },
    };
    Some((len, read))
}

/// "March 2024", and after a preposition "March" and "2024".
fn month_or_year(c: &Cursor, today: Date, stated: bool) -> Option<(usize, Result<Scope, String>)> {
    if let Some(month) = month(c.word(0)) {
        if let Some(year) = year(c.word(1)) {
            return Some((2, whole_month(year, month)));
        }
        let year = if month > i16::from(today.month()) { today.year() - 1 } else { today.year() };
        return (stated && c.word(0).len() > 3).then(|| (1, whole_month(year, month)));
    }
    let year_stated = matches!(c.before(1), "in" | "during" | "since" | "before" | "after" | "until" | "year");
    let year = year(c.word(0)).filter(|_| stated && year_stated)?;
    if crate::question::unit::parse(c.raw(1)).is_some() {
        return None;
    }
    let scope = Date::new(year, 1, 1)
        .and_then(|first| Ok(Scope::days(first, Date::new(year + 1, 1, 1)?)))
        .map_err(|_| "there is no such year".to_owned());
    Some((1, scope))
}

fn whole_day(year: i16, month: i16, day: i16) -> Result<Scope, String> {
    let date =
        i8::try_from(month).ok().zip(i8::try_from(day).ok()).and_then(|(month, day)| Date::new(year, month, day).ok());
    let next = date.and_then(|date| date.tomorrow().ok());
    match (date, next) {
        (Some(date), Some(next)) => Ok(Scope::days(date, next)),
        _ => Err(format!("there is no {year:04}-{month:02}-{day:02}")),
    }
}

fn whole_month(year: i16, month: i16) -> Result<Scope, String> {
    let first = i8::try_from(month).ok().and_then(|month| Date::new(year, month, 1).ok());
    let next = first.and_then(|first| first.last_of_month().tomorrow().ok());
    match (first, next) {
        (Some(first), Some(next)) => Ok(Scope::days(first, next)),
        _ => Err(format!("there is no month {year:04}-{month:02}")),
    }
}

fn month(word: &str) -> Option<i16> {
    let at = MONTHS.iter().position(|name| {
        *name == word || (word.len() == 3 && name.starts_with(word)) || word == "sept" && *name == "september"
    })?;
    Some(at as i16 + 1)
}

fn ordinal(word: &str) -> Option<i16> {
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|tail| word.strip_suffix(tail)).unwrap_or(word);
    (digits.len() <= 2 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().unwrap_or(0))
}

fn year(word: &str) -> Option<i16> {
    let year: i16 = word.parse().ok()?;
    (word.len() == 4 && (1900..2200).contains(&year)).then_some(year)
}

/// Midnight at the start of `date`.
pub(super) fn midnight(date: Date) -> DateTime {
    date.to_datetime(jiff::civil::Time::midnight())
}
