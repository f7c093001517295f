//! Times as tools write them, into microseconds since 1970.
//!
//! A time without a zone is taken as UTC: the file does not say better.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A time in ISO 8601, with or without a zone, with a space or a `T`.
pub(crate) fn iso(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_microsecond());
    }
    // Without a zone; one with a zone that is no instant must not be taken for local time.
    let zone = text.get(10..)?.contains(['+', 'Z', 'z', '[']) || text.get(10..)?.contains('-');
    if zone { None } else { utc(text.parse().ok()?) }
}

/// A time as `CICFlowMeter` writes it: ISO, or day first with slashes (`7/7/2017 3:56`, `15/04/2016 03:08:49 PM`). Where
/// the first number can be no day but the second can, the month stands first.
pub(crate) fn cic(text: &str) -> Option<i64> {
    if text.as_bytes().get(4) == Some(&b'-') {
        return iso(text);
    }
    let mut words = text.split_ascii_whitespace();
    let (date, clock, half) = (words.next()?, words.next()?, words.next());
    let [first, second, year] = numbers(date, '/')?;
    let (day, month) = if second > 12 { (second, first) } else { (first, second) };
    let mut parts = clock.split(':');
    let hour = hour(parts.next()?.parse().ok()?, half)?;
    let minute = parts.next()?.parse().ok()?;
    let (second, nanosecond) = seconds(parts.next().unwrap_or("0"))?;
    if parts.next().is_some() || words.next().is_some() {
        return None;
    }
    let year = i16::try_from(year).ok()?;
    utc(DateTime::new(year, narrow(month)?, narrow(day)?, hour, minute, second, nanosecond).ok()?)
}

/// Seconds since 1970 with a fraction, as Zeek writes them, exactly to the microsecond.
pub(crate) fn epoch_seconds(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let mut micros = 0i64;
    for place in 0..6 {
        micros = micros * 10 + i64::from(fraction.as_bytes().get(place).map_or(0, |digit| digit - b'0'));
    }
    whole.checked_mul(1_000_000)?.checked_add(micros)?.checked_mul(sign)
}

/// The same from a number, which holds microseconds exactly until the year 2255.
pub(crate) fn epoch_number(seconds: f64) -> Option<i64> {
    const US_MAX: f64 = 9.0e15;
    let micros = (seconds * 1e6).round();
    (micros.abs() < US_MAX).then_some(micros as i64)
}

/// A duration in seconds as microseconds.
pub(crate) fn duration_us(seconds: f64) -> f64 {
    (seconds * 1e6).round()
}

fn utc(time: DateTime) -> Option<i64> {
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

fn hour(hour: i8, half: Option<&str>) -> Option<i8> {
    match half {
        None => Some(hour),
        Some(_) if !(1..=12).contains(&hour) => None,
        Some(half) if half.eq_ignore_ascii_case("AM") => Some(hour % 12),
        Some(half) if half.eq_ignore_ascii_case("PM") => Some(hour % 12 + 12),
        Some(_) => None,
    }
}

fn seconds(text: &str) -> Option<(i8, i32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digit = |place: usize| fraction.as_bytes().get(place).map_or(0, |digit| i32::from(digit - b'0'));
    let nanosecond = (0..9).fold(0, |sum, place| sum * 10 + digit(place));
    Some((whole.parse().ok()?, nanosecond))
}

fn numbers(text: &str, separator: char) -> Option<[u16; 3]> {
    let mut parts = text.split(separator).map(str::parse);
    let found = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(found)
}

fn narrow(number: u16) -> Option<i8> {
    i8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_gives_the_same_time() {
        let expected = Some(1_499_083_061_826_651);
        assert_eq!(iso("2017-07-03T11:57:41.826651Z"), expected);
        assert_eq!(iso("2017-07-03T13:57:41.826651+0200"), expected);
        assert_eq!(iso("2017-07-03T13:57:41.826651+02:00"), expected);
        assert_eq!(cic("2017-07-03 11:57:41.826651"), expected);
        assert_eq!(epoch_seconds("1499083061.826651"), expected);
        assert_eq!(epoch_number(1_499_083_061.826_651), expected);
    }

    #[test]
    fn slashes_mean_day_first_unless_that_cannot_be() {
        let date = |text| cic(text).unwrap() / 1_000_000;
        assert_eq!(date("7/6/2017 3:56"), 1_496_807_760);
        assert_eq!(date("15/04/2016 03:08:49 PM"), date("4/15/2016 15:08:49"));
        assert_eq!(date("15/04/2016 12:00:00 AM"), date("15/04/2016 0:00"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let wrong = [
            "",
            "181",
            "7/7/2017",
            "7/7/2017 25:00",
            "13/13/2017 1:00",
            "1/1/2017 13:00 PM",
            "2017-13-01 00:00:00",
            "2017-01-01 00:00:00 1",
            "é/é/é é",
        ];
        for text in wrong {
            assert_eq!(cic(text), None, "{text}");
        }
        assert_eq!(epoch_seconds("1.2.3"), None);
        assert_eq!(epoch_seconds("99999999999999999999"), None);
        assert_eq!(epoch_number(f64::NAN), None);
        assert_eq!(iso("é"), None);
    }
}
