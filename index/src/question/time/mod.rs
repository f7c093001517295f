//! Times: "last night", "since Monday", "between 02:00 and 03:00 UTC", "yesterday after 10:15", ISO intervals.
//!
//! A window is half-open and is compared with the start of a flow. Times without a zone are the clock's; a time of day
//! without a day is the most recent one that has begun, and a note says which.

mod clock;
mod date;
mod point;
mod relative;
mod scope;
mod window;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use self::clock::{Half, bare_hour, dashed, half_of};
use self::point::{Placed, Point, Wrong, iso, next_day, point};
use self::scope::{Scope, scope};
use self::window::{Window, instant};
use super::item::{Cursor, Found, note};

pub(super) fn recognise(c: &Cursor) -> Option<Found> {
    let now = Timestamp::from_microsecond(c.clock.now_us).ok()?.to_zoned(c.clock.zone.clone());
    interval(c, &now).or_else(|| relative::relative(c, &now)).or_else(|| scoped(c, &now)).or_else(|| plain(c, &now))
}

/// How a preposition bounds a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Since,
    After,
    Before,
    Until,
    From,
    Between,
    Around,
    At,
    Nothing,
}

const BOUNDS: &[(&str, Bound)] = &[
    ("starting from", Bound::Since),
    ("later than", Bound::After),
    ("prior to", Bound::Before),
    ("earlier than", Bound::Before),
    ("up to", Bound::Until),
    ("since", Bound::Since),
    ("after", Bound::After),
    ("before", Bound::Before),
    ("until", Bound::Until),
    ("till", Bound::Until),
    ("from", Bound::From),
    ("between", Bound::Between),
    ("around", Bound::Around),
    ("about", Bound::Around),
    ("at", Bound::At),
    ("on", Bound::At),
    ("in", Bound::At),
    ("during", Bound::At),
];

fn bound(c: &Cursor) -> (usize, Bound) {
    let article = |len: usize| len + c.skip(len).run(&["the"], 1);
    BOUNDS
        .iter()
        .find_map(|&(words, bound)| c.phrase(&[words]).map(|len| (article(len), bound)))
        .unwrap_or((0, Bound::Nothing))
}

/// "yesterday between 02:00 and 03:00", "on Monday after 10:15": a stretch, then times of day within it.
fn scoped(c: &Cursor, now: &Zoned) -> Option<Found> {
    let (lead, kind) = bound(c);
    if !matches!(kind, Bound::At | Bound::Nothing) {
        return None;
    }
    let (scope_len, Ok(within)) = scope(&c.skip(lead), now.datetime(), lead > 0)? else { return None };
    let at = lead + scope_len;
    let (_, inner) = bound(&c.skip(at));
    if inner == Bound::Nothing && dashed(&c.skip(at)).is_none() && !is_range(&c.skip(at), now) {
        return None;
    }
    match expression(&c.skip(at), now, Some(within))? {
        Ok((len, window)) => window.found(at + len),
        Err((len, reason)) => note(at + len, reason),
    }
}

/// Whether two times of day joined by "to" stand here.
fn is_range(c: &Cursor, now: &Zoned) -> bool {
    matches!(point(c, now, false), Some(Ok(point)) if point.clock.is_some() && c.any(point.len, &["to", "until", "-"]))
}

fn plain(c: &Cursor, now: &Zoned) -> Option<Found> {
    match expression(c, now, None)? {
        Ok((len, window)) => window.found(len),
        Err((len, reason)) => note(len, reason),
    }
}

type Read = Result<(usize, Window), Wrong>;

/// One bounded point, or a range of two; `within` is a stretch named before.
fn expression(c: &Cursor, now: &Zoned, within: Option<Scope>) -> Option<Read> {
    let (lead, kind) = bound(c);
    if let Some(found) = range(c, now, lead, kind) {
        let (len, first, second) = match found {
            Ok(found) => found,
            Err(wrong) => return Some(Err(wrong)),
        };
        return Some(between(now, within, &first, &second).map(|window| (len, window)).map_err(|reason| (len, reason)));
    }
    if let Some(Err(reason)) = dashed(&c.skip(lead)).filter(|_| kind != Bound::Nothing) {
        return Some(Err((lead + 1, reason)));
    }
    let stated = kind != Bound::Nothing;
    let point = match point(&c.skip(lead), now, stated)? {
        Ok(point) => point,
        Err((len, reason)) => return Some(Err((lead + len, reason))),
    };
    let spoken = point.clock.is_some() && point.floats() && within.is_none();
    let misplaced = kind == Bound::Between
        || (kind == Bound::Around && point.clock.is_none())
        || (within.is_some() && point.clock.is_none())
        || (spoken
            && kind == Bound::Nothing
            && matches!(c.before(1), "than" | "over" | "under" | "duration" | "least" | "most" | "every"));
    if misplaced {
        return None;
    }
    let zone = point.zone().unwrap_or_else(|| c.clock.zone.clone());
    let len = lead + point.len;
    let window = point.place(now, within, &zone).and_then(|placed| bounded(&point, &placed, kind, within, zone));
    let named = name(c, &point, lead, kind, within);
    Some(window.map(|window| (len, Window { name: named, ..window })).map_err(|reason| (len, reason)))
}

/// "last night" and the like lead the chip, since their hours need saying.
fn name(c: &Cursor, point: &Point, lead: usize, kind: Bound, within: Option<Scope>) -> String {
    let plain = matches!(kind, Bound::At | Bound::Nothing | Bound::From) && point.clock.is_none() && within.is_none();
    let words: Vec<&str> = (lead..lead + point.len).map(|at| c.raw(at)).collect();
    let spoken = words.iter().all(|word| word.chars().all(char::is_alphabetic));
    if plain && spoken { words.join(" ") } else { String::new() }
}

/// The window that a preposition makes of one point.
fn bounded(
    point: &Point,
    placed: &Placed,
    kind: Bound,
    within: Option<Scope>,
    zone: TimeZone,
) -> Result<Window, String> {
    let edge = |at: Option<Result<Timestamp, String>>| at.transpose();
    let scope_from = edge(within.map(|scope| instant(scope.from, &zone, false)))?;
    let scope_to = edge(within.map(|scope| instant(scope.to, &zone, true)))?;
    let whole = point.clock.is_none();
    let (from, to) = match kind {
        Bound::Since => (Some(placed.start), scope_to),
        Bound::From if !whole => (Some(placed.start), scope_to),
        Bound::After => (Some(if whole { placed.end } else { placed.start }), scope_to),
        Bound::Before => (scope_from, Some(placed.start)),
        Bound::Until => (scope_from, Some(if whole { placed.end } else { placed.start })),
        Bound::Around => {
            let quarter = 15.minutes();
            let far = |_| "the calendar ends before that".to_owned();
            (
                Some(placed.start.checked_sub(quarter).map_err(far)?),
                Some(placed.start.checked_add(quarter).map_err(far)?),
            )
        }
        Bound::From | Bound::Between | Bound::At | Bound::Nothing => (Some(placed.start), Some(placed.end)),
    };
    let hint = (point.floats() && within.is_none()).then(|| floating(placed));
    Ok(Window { from, to, zone, name: String::new(), hint })
}

fn floating(placed: &Placed) -> String {
    format!("no day was named; taken as the most recent, {}", placed.civil.date())
}

/// Two points and the tokens from the lead on: "between A and B", "from A to B", "A to B", "A-B".
fn range(c: &Cursor, now: &Zoned, lead: usize, kind: Bound) -> Option<Result<(usize, Point, Point), Wrong>> {
    if matches!(kind, Bound::Since | Bound::After | Bound::Before | Bound::Until | Bound::Around) {
        return None;
    }
    let bare = |clock: clock::Daytime| Point { len: clock.len, scope: None, clock: Some(clock), weekday: false };
    if let Some(Ok((first, second))) = dashed(&c.skip(lead)) {
        let mut len = lead + second.len;
        let mut second = bare(second);
        let on = c.skip(len).run(&["on"], 1);
        if let Some((day_len, Ok(day))) = scope(&c.skip(len + on), now.datetime(), on > 0) {
            second.scope = Some(day);
            len += on + day_len;
        }
        return Some(Ok((len, bare(first), second)));
    }
    let joints: &[&str] =
        if kind == Bound::Between { &["and", "to", "-"] } else { &["to", "until", "till", "through", "-", "–"] };
    let start = c.skip(lead);
    let (first, joint) = if let Some(Ok(first)) = point(&start, now, true) {
        let joint = lead + first.len;
        (first, joint)
    } else {
        // "2 and 3 am": the half is said once.
        let half: Half = half_of(&c.skip(lead + 2))?;
        let hour = bare_hour(&start, Some(half))?;
        (bare(hour), lead + 1)
    };
    if !c.any(joint, joints) || (kind == Bound::At && first.clock.is_none()) {
        return None;
    }
    Some(match point(&c.skip(joint + 1), now, true)? {
        Ok(second) => Ok((joint + 1 + second.len, first, second)),
        Err((len, reason)) => Err((joint + 1 + len, reason)),
    })
}

/// The window from one point to another. A time of day without a day of its own follows the other point's.
fn between(now: &Zoned, within: Option<Scope>, first: &Point, second: &Point) -> Result<Window, String> {
    let zone = first.zone().or_else(|| second.zone()).unwrap_or_else(|| now.time_zone().clone());
    let shared = within.or(if first.floats() { second.scope } else { None });
    let mut start = first.place(now, shared, &zone)?;
    let second_zone = second.zone().unwrap_or_else(|| zone.clone());
    let to = match (&second.clock, second.scope.filter(|_| !first.floats())) {
        (Some(clock), None) => {
            let same_day = start.civil.date().to_datetime(clock.time);
            let civil = if same_day > start.civil { same_day } else { next_day(same_day)? };
            instant(civil, &second_zone, true)?
        }
        (Some(_), Some(_)) => second.place(now, None, &second_zone)?.start,
        (None, _) => second.place(now, None, &second_zone)?.end,
    };
    // "from Monday to Wednesday" on a Tuesday: the Monday before the last Wednesday.
    let week_back =
        start.civil.checked_sub(7.days()).ok().filter(|_| start.start >= to && first.weekday && first.clock.is_none());
    if let Some(civil) = week_back {
        start.start = instant(civil, &zone, false)?;
    }
    let hint = (first.floats() && shared.is_none()).then(|| floating(&start));
    Ok(Window { from: Some(start.start), to: Some(to), zone, name: String::new(), hint })
}

/// `2024-03-05T10:00Z/2024-03-05T11:00Z`, `.../PT1H`, `PT1H/...` (ISO 8601).
fn interval(c: &Cursor, now: &Zoned) -> Option<Found> {
    let lead = c.run(&["in", "during", "over", "interval", "the", "time"], 3);
    let (left, right) = c.word(lead).split_once('/')?;
    let placed = |text: &str| {
        let point = match iso(text) {
            Some(point) => point,
            None => date::numeric(text)?.map(|scope| Point { len: 1, scope: Some(scope), clock: None, weekday: false }),
        };
        Some(point.and_then(|point| {
            let zone = point.zone().unwrap_or_else(|| now.time_zone().clone());
            point.place(now, None, &zone).map(|placed| (placed, zone))
        }))
    };
    let length = |text: &str| text.to_uppercase().parse::<jiff::Span>().ok().filter(|_| text.starts_with('p'));
    let window = |from: Timestamp, to: Timestamp, zone| Window {
        from: Some(from),
        to: Some(to),
        zone,
        name: String::new(),
        hint: None,
    };
    let found = match (placed(left), placed(right), length(left), length(right)) {
        (Some(Ok((from, zone))), Some(Ok((to, _))), ..) => {
            let day = right.split('t').count() == 1;
            window(from.start, if day { to.end } else { to.start }, zone)
        }
        (Some(Ok((from, zone))), None, _, Some(span)) => {
            let to = from.start.to_zoned(zone.clone()).checked_add(span).ok()?.timestamp();
            window(from.start, to, zone)
        }
        (None, Some(Ok((to, zone))), Some(span), _) => {
            let from = to.start.to_zoned(zone.clone()).checked_sub(span).ok()?.timestamp();
            window(from, to.start, zone)
        }
        (Some(Err(reason)), ..) | (_, Some(Err(reason)), ..) => return note(lead + 1, reason),
        _ => return None,
    };
    found.found(lead + 1)
}
