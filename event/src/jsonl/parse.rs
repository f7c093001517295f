//! From a line to an event.

use std::net::IpAddr;

use uuid::Uuid;

use super::own;
use crate::json::{Json, Members, Value};
use crate::limits::LINE_BYTES_MAX;
use crate::{Event, EventId, FEATURE_NAMES, Features, Integrity, ParseError, Verdict};
use crate::{check::check, community::community_id, feature};

/// Reads lines; keeps its buffers from one to the next.
#[derive(Default)]
pub struct Parser {
    json: Json,
    unknown_members: u64,
}

/// Which members were met, where it matters. For those that are filled in when absent, a `null` counts as met: it says
/// that the writer knew no value.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // a set of names, not a state
struct Seen {
    version: bool,
    id: bool,
    start: bool,
    end: bool,
    flow: bool,
    community: bool,
    r#final: bool,
    divergence: bool,
    verdict: bool,
    /// Members passed over because the schema does not know their names, `null` apart.
    unknown: u64,
}

impl Parser {
    /// Reads `line`, without its line end, into `event`, of which nothing remains.
    ///
    /// After an error `event` holds some valid mixture and should not be used.
    pub fn parse(&mut self, line: &[u8], event: &mut Event) -> Result<(), ParseError> {
        clear(event);
        if line.len() <= LINE_BYTES_MAX && own::read(line, event).is_some() {
            // Every member was there, so nothing follows from what is absent.
            return check(event);
        }
        self.parse_any(line, event)
    }

    /// Reads any line.
    fn parse_any(&mut self, line: &[u8], event: &mut Event) -> Result<(), ParseError> {
        clear(event);
        let seen = self.json.object(line, |members| read_event(members, event))?;
        seen.require()?;
        if !seen.id {
            event.event_id = EventId::derive(event.start_us, &[line]);
        }
        if !seen.community {
            event.flow.community_id = community_id(&event.flow);
        }
        seen.complete(event);
        check(event)?;
        self.unknown_members += seen.unknown;
        Ok(())
    }

    /// Members of the events read so far that were passed over because the schema does not know their names. An unknown
    /// object counts as one, `null` as none: nothing was lost with it.
    pub fn unknown_members(&self) -> u64 {
        self.unknown_members
    }

    /// The same, counted from zero again.
    pub(crate) fn take_unknown_members(&mut self) -> u64 {
        std::mem::take(&mut self.unknown_members)
    }
}

impl Seen {
    /// Notes a member whose name the schema does not know.
    fn pass_over(&mut self, value: Value<'_, '_>) {
        self.unknown += u64::from(!value.is_null());
    }

    /// Fills in what follows from the rest and was not spoken of.
    fn complete(&self, event: &mut Event) {
        let mut full = event.scores.clone();
        full.complete();
        if !self.r#final {
            event.scores.r#final = full.r#final;
        }
        if !self.divergence {
            event.scores.divergence = full.divergence;
        }
        if !self.verdict {
            event.complete_verdict();
        }
    }

    fn require(&self) -> Result<(), ParseError> {
        let needed =
            [(self.version, "schema_version"), (self.start, "start_us"), (self.end, "end_us"), (self.flow, "flow")];
        match needed.iter().find(|(seen, _)| !seen) {
            Some((_, name)) => Err(ParseError::Missing(name)),
            None => Ok(()),
        }
    }
}

/// Empties `event` but keeps the room of its strings.
pub(crate) fn clear(event: &mut Event) {
    event.schema_version.clear();
    event.schema_version.push_str(crate::SCHEMA_VERSION);
    event.event_id = EventId::NIL;
    event.start_us = 0;
    event.end_us = 0;
    event.node_id.clear();
    event.sensor.clear();
    event.interface.clear();
    let mut room = std::mem::take(&mut event.flow.community_id);
    room.clear();
    event.flow = crate::Flow { community_id: room, ..crate::Flow::default() };
    event.app = crate::App::default();
    event.scores = crate::Scores::default();
    event.class = crate::Class::default();
    event.label = crate::Label::default();
    event.features = Features::UNKNOWN;
    event.integrity = None;
}

fn read_event(members: Members<'_, '_>, event: &mut Event) -> Result<Seen, ParseError> {
    let mut seen = Seen::default();
    for (name, value) in members.filter(|(_, value)| !value.is_null()) {
        match name {
            "schema_version" => {
                put(&mut event.schema_version, "schema_version", value)?;
                seen.version = true;
            }
            "event_id" => {
                event.event_id = read_id(value)?;
                seen.id = true;
            }
            "start_us" => {
                event.start_us = read_time("start_us", value)?;
                seen.start = true;
            }
            "end_us" => {
                event.end_us = read_time("end_us", value)?;
                seen.end = true;
            }
            "flow" => {
                read_flow(object("flow", value)?, event, &mut seen)?;
                seen.flow = true;
            }
            "scores" => read_scores(object("scores", value)?, event, &mut seen)?,
            "class" => read_class(object("class", value)?, event, &mut seen)?,
            _ => read_rest(name, value, event, &mut seen)?,
        }
    }
    Ok(seen)
}

/// The members an event may do without.
fn read_rest(name: &str, value: Value<'_, '_>, event: &mut Event, seen: &mut Seen) -> Result<(), ParseError> {
    match name {
        "node_id" => put(&mut event.node_id, "node_id", value),
        "sensor" => put(&mut event.sensor, "sensor", value),
        "interface" => put(&mut event.interface, "interface", value),
        "app" => read_app(object("app", value)?, event, seen),
        "label" => read_label(object("label", value)?, event, seen),
        "features" => read_features(object("features", value)?, &mut event.features, seen),
        "integrity" => read_integrity(object("integrity", value)?, event, seen),
        _ => {
            seen.pass_over(value);
            Ok(())
        }
    }
}

fn read_flow(members: Members<'_, '_>, event: &mut Event, seen: &mut Seen) -> Result<(), ParseError> {
    let flow = &mut event.flow;
    let (mut src, mut dst, mut protocol) = (false, false, false);
    for (name, value) in members.filter(|(_, value)| !value.is_null()) {
        match name {
            "src_ip" => {
                flow.src_ip = read_address("flow.src_ip", value)?;
                src = true;
            }
            "dst_ip" => {
                flow.dst_ip = read_address("flow.dst_ip", value)?;
                dst = true;
            }
            "protocol" => {
                flow.protocol = small("flow.protocol", value, "a whole number from 0 to 255")?;
                protocol = true;
            }
            "src_port" => flow.src_port = small("flow.src_port", value, "a whole number from 0 to 65535")?,
            "dst_port" => flow.dst_port = small("flow.dst_port", value, "a whole number from 0 to 65535")?,
            "vlan" => flow.vlan = Some(small("flow.vlan", value, "a whole number from 0 to 4095")?),
            "segment" => flow.segment = small("flow.segment", value, "a whole number of 32 bits")?,
            "community_id" => {
                put(&mut flow.community_id, "flow.community_id", value)?;
                seen.community = true;
            }
            _ => seen.pass_over(value),
        }
    }
    match (src, dst, protocol) {
        (true, true, true) => Ok(()),
        (false, ..) => Err(ParseError::Missing("flow.src_ip")),
        (_, false, _) => Err(ParseError::Missing("flow.dst_ip")),
        (.., false) => Err(ParseError::Missing("flow.protocol")),
    }
}

fn read_app(members: Members<'_, '_>, event: &mut Event, seen: &mut Seen) -> Result<(), ParseError> {
    for (name, value) in members.filter(|(_, value)| !value.is_null()) {
        match name {
            "protocol" => event.app.protocol = Some(text("app.protocol", value)?.to_owned()),
            "host" => event.app.host = Some(text("app.host", value)?.to_owned()),
            _ => seen.pass_over(value),
        }
    }
    Ok(())
}

fn read_scores(members: Members<'_, '_>, event: &mut Event, seen: &mut Seen) -> Result<(), ParseError> {
    for (name, value) in members {
        match name {
            "fast" => event.scores.fast = score("scores.fast", value)?,
            "ml" => event.scores.ml = score("scores.ml", value)?,
            "final" => {
                event.scores.r#final = score("scores.final", value)?;
                seen.r#final = true;
            }
            "divergence" => {
                event.scores.divergence = score("scores.divergence", value)?;
                seen.divergence = true;
            }
            _ => seen.pass_over(value),
        }
    }
    Ok(())
}

fn read_class(members: Members<'_, '_>, event: &mut Event, seen: &mut Seen) -> Result<(), ParseError> {
    for (name, value) in members {
        match name {
            "verdict" => seen.verdict = true,
            _ if value.is_null() => continue,
            _ => {}
        }
        match name {
            "verdict" if !value.is_null() => {
                let expected = ParseError::Type {
                    field: "class.verdict",
                    expected: "one of \"benign\", \"suspicious\", \"malicious\"",
                };
                event.class.verdict = Some(Verdict::named(text("class.verdict", value)?).ok_or(expected)?);
            }
            "family" => event.class.family = Some(text("class.family", value)?.to_owned()),
            "technique" => event.class.technique = Some(text("class.technique", value)?.to_owned()),
            "verdict" => {}
            _ => seen.pass_over(value),
        }
    }
    Ok(())
}

fn read_label(members: Members<'_, '_>, event: &mut Event, seen: &mut Seen) -> Result<(), ParseError> {
    for (name, value) in members.filter(|(_, value)| !value.is_null()) {
        match name {
            "truth" => event.label.truth = Some(text("label.truth", value)?.to_owned()),
            "validated" => {
                let expected = ParseError::Type { field: "label.validated", expected: "true or false" };
                event.label.validated = value.boolean().ok_or(expected)?;
            }
            _ => seen.pass_over(value),
        }
    }
    Ok(())
}

fn read_features(members: Members<'_, '_>, features: &mut Features, seen: &mut Seen) -> Result<(), ParseError> {
    // Our own writer keeps the order, so the next name is nearly always the next place.
    let mut guess = 0;
    for (name, value) in members {
        let expected = FEATURE_NAMES.get(guess).is_some_and(|expected| *expected == name);
        let Some(place) = (if expected { Some(guess) } else { feature::place_of(name) }) else {
            seen.pass_over(value);
            continue;
        };
        guess = place + 1;
        features.0[place] = if value.is_null() { f64::NAN } else { number(FEATURE_NAMES[place], value)? };
    }
    Ok(())
}

fn read_integrity(members: Members<'_, '_>, event: &mut Event, seen: &mut Seen) -> Result<(), ParseError> {
    let mut seal = Integrity { seq: 0, prev: String::new(), mac: String::new() };
    let mut numbered = false;
    for (name, value) in members.filter(|(_, value)| !value.is_null()) {
        match name {
            "seq" => {
                let expected = ParseError::Type { field: "integrity.seq", expected: "a whole number" };
                seal.seq = value.unsigned().ok_or(expected)?;
                numbered = true;
            }
            "prev" => put(&mut seal.prev, "integrity.prev", value)?,
            "mac" => put(&mut seal.mac, "integrity.mac", value)?,
            _ => seen.pass_over(value),
        }
    }
    if !numbered {
        return Err(ParseError::Missing("integrity.seq"));
    }
    event.integrity = Some(seal);
    Ok(())
}

fn read_id(value: Value<'_, '_>) -> Result<EventId, ParseError> {
    let id = Uuid::try_parse(text("event_id", value)?);
    id.map(EventId).map_err(|error| ParseError::invalid("event_id", error.to_string()))
}

fn read_time(field: &'static str, value: Value<'_, '_>) -> Result<i64, ParseError> {
    value.integer().ok_or(ParseError::Type { field, expected: "a whole number of microseconds since 1970" })
}

fn read_address(field: &'static str, value: Value<'_, '_>) -> Result<IpAddr, ParseError> {
    text(field, value)?.parse().map_err(|_| ParseError::invalid(field, "not an IPv4 or IPv6 address"))
}

fn object<'t, 'l>(field: &'static str, value: Value<'t, 'l>) -> Result<Members<'t, 'l>, ParseError> {
    value.members().ok_or(ParseError::Type { field, expected: "an object" })
}

fn put(target: &mut String, field: &'static str, value: Value<'_, '_>) -> Result<(), ParseError> {
    target.clear();
    target.push_str(text(field, value)?);
    Ok(())
}

fn text<'l>(field: &'static str, value: Value<'_, 'l>) -> Result<&'l str, ParseError> {
    value.text().ok_or(ParseError::Type { field, expected: "a string" })
}

fn number(field: &'static str, value: Value<'_, '_>) -> Result<f64, ParseError> {
    value.number().ok_or(ParseError::Type { field, expected: "a number" })
}

fn score(field: &'static str, value: Value<'_, '_>) -> Result<Option<f32>, ParseError> {
    if value.is_null() { Ok(None) } else { number(field, value).map(|score| Some(score as f32)) }
}

fn small<N: TryFrom<u64>>(field: &'static str, value: Value<'_, '_>, expected: &'static str) -> Result<N, ParseError> {
    let number = value.unsigned().and_then(|number| N::try_from(number).ok());
    number.ok_or(ParseError::Type { field, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonl;

    /// A line of our own writer with every kind of value in it.
    fn line() -> Vec<u8> {
        let mut event = Event { event_id: EventId::derive(7, &[b"x"]), start_us: 7, end_us: 9, ..Event::default() };
        event.node_id.push_str("node");
        event.flow.vlan = Some(12);
        event.app.host = Some("gr\u{fc}n.example".to_owned());
        event.scores.fast = Some(0.25);
        event.class.verdict = Some(Verdict::Benign);
        event.integrity = Some(Integrity { seq: 3, prev: "ab".to_owned(), mac: "cd".to_owned() });
        for (place, value) in event.features.0.iter_mut().enumerate() {
            *value = [f64::NAN, 0.0, 1500.0, 0.1 + place as f64, 1e-300, 2e18][place % 6];
        }
        let mut line = Vec::new();
        jsonl::write(&event, &mut line);
        line
    }

    fn same(one: &Event, other: &Event) -> bool {
        let written = |event: &Event| {
            let mut line = Vec::new();
            jsonl::write(event, &mut line);
            line
        };
        written(one) == written(other)
    }

    /// Both ways through a line must agree whatever happens to it: every byte left out, doubled or replaced.
    #[test]
    fn the_short_way_and_the_general_one_agree() {
        let (line, mut parser) = (line(), Parser::default());
        let (mut short, mut general) = (Event::default(), Event::default());
        assert!(own::read(&line, &mut Event::default()).is_some(), "the line is one for the short way");
        let mut agree = |line: &[u8]| {
            let outcomes = (parser.parse(line, &mut short), parser.parse_any(line, &mut general));
            assert_eq!(outcomes.0, outcomes.1, "{}", String::from_utf8_lossy(line));
            assert!(outcomes.0.is_err() || same(&short, &general), "{}", String::from_utf8_lossy(line));
        };
        agree(&line);
        for place in 0..line.len() {
            let (before, after) = line.split_at(place);
            agree(&[before, &after[1..]].concat());
            agree(&[before, &after[..1], after].concat());
            for byte in *b"0-.e\"\\{},: \xff" {
                agree(&[before, &[byte], &after[1..]].concat());
                agree(&[before, &[byte], after].concat());
            }
        }
    }
}
