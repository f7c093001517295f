//! From pieces to chips: lists joined by "or" become one chip, negations take their scope.
//!
//! 1. A *term* is a condition with the negations before it.
//! 2. Terms joined by "or", "and" or a comma become one chip where they are about the same thing, since no flow has
//!    two services or two destination ports: "ssh, telnet and ftp" lists alternatives. A negation before the first
//!    covers them all.
//! 3. An "or" left between conditions about different things joins the runs of conditions on its two sides. An "or"
//!    between a condition and a word cannot be a filter; the conditions next to it go back to the words.
//! 4. So do the conditions next to a negation that could not be applied (`stray`).

use std::ops::Range;

use super::item::{Cursor, Item, Slot, all, any_of};
use super::negation::{self, Negator};
use super::scan::{Piece, What};
use super::stray;
use super::token::Sep;
use crate::filter::{End, Filter};

/// A chip over tokens.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    pub(super) tokens: Range<usize>,
    pub(super) label: String,
    pub(super) filter: Filter,
    /// What it is about, where it is about one thing.
    slot: Option<Slot>,
    pub(super) negative: bool,
    /// Stretches of tokens that stay among the words.
    pub(super) echoes: Vec<Range<usize>>,
    pub(super) hints: Vec<String>,
}

/// A chip, or what stands between chips.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Chip(Chip),
    Or,
    /// A filler or an "and": conditions around it belong together.
    Link,
    /// A word: conditions around it are apart.
    Word,
    /// The end of a sentence.
    Stop,
}

/// What the pieces come to: chips in order, and the conditions that could not be made a filter.
pub(super) fn compose(c: &Cursor, pieces: &[Piece]) -> (Vec<Chip>, Vec<GivenUp>) {
    let mut parts = parts(c, pieces);
    let mut given_up = stray::give_back(c, pieces, &mut parts);
    let (chips, by_or) = join_across(parts.into_iter().map(|(part, _)| part).collect());
    given_up.extend(by_or.into_iter().map(|tokens| GivenUp { tokens, reason: BY_OR }));
    (chips, given_up)
}

/// A condition that went back to the words.
pub(super) struct GivenUp {
    pub(super) tokens: Range<usize>,
    pub(super) reason: &'static str,
}

const BY_OR: &str = "“or” joins this with words that are no condition, so it is not a filter";

/// Terms and lists, left to right, each with its pieces.
fn parts(c: &Cursor, pieces: &[Piece]) -> Vec<(Part, Range<usize>)> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(piece) = pieces.get(at) {
        if c.tokens[piece.at].sep == Sep::Stop {
            parts.push((Part::Stop, at..at));
        }
        if let Some((chip, next)) = list(c, pieces, at) {
            parts.push((Part::Chip(chip), at..next));
            at = next;
            continue;
        }
        let part = match piece.what {
            What::Or => Part::Or,
            What::And | What::Filler => Part::Link,
            _ => Part::Word,
        };
        parts.push((part, at..at + 1));
        at += 1;
    }
    parts
}

/// A term and what is listed with it.
fn list(c: &Cursor, pieces: &[Piece], at: usize) -> Option<(Chip, usize)> {
    let (mut chip, mut next) = term(c, pieces, at)?;
    let negative = chip.negative;
    let mut members = vec![chip.clone()];
    while let Some((is_or, after)) = joint(c, pieces, next, negative) {
        let Some((other, end)) = term(c, pieces, after) else { break };
        let alike =
            chip.slot.is_some() && chip.slot == other.slot && chip.slot.is_some_and(|slot| excludes(slot, is_or));
        // Under a negation "or" joins anything: "not from A or to B" wants neither.
        let joins = if negative { is_or || alike && !other.negative } else { alike && !other.negative };
        if !joins {
            break;
        }
        members.push(other);
        next = end;
    }
    if members.len() > 1 {
        chip = either(&members, negative);
    }
    Some((chip, next))
}

/// Whether "and" (or "or") between two conditions in `slot` can only list alternatives.
fn excludes(slot: Slot, is_or: bool) -> bool {
    is_or || !matches!(slot, Slot::Quantity | Slot::Flag | Slot::Time)
}

/// One chip that holds where any of `members` does; with `negative`, where none does.
fn either(members: &[Chip], negative: bool) -> Chip {
    let inner = |chip: &Chip| match (&chip.filter, negative && chip.negative) {
        (Filter::Not(inner), true) => (inner.as_ref().clone(), chip.label.trim_start_matches("not ").to_owned()),
        (filter, _) => (filter.clone(), chip.label.clone()),
    };
    let (filters, labels): (Vec<Filter>, Vec<String>) = members.iter().map(inner).unzip();
    let filter = any_of(filters);
    let label = shared_label(&labels);
    let start = members.first().map_or(0, |chip| chip.tokens.start);
    let end = members.last().map_or(0, |chip| chip.tokens.end);
    let slot = members.first().and_then(|chip| chip.slot);
    Chip {
        tokens: start..end,
        label: if negative { format!("not {label}") } else { label },
        filter: if negative { Filter::Not(Box::new(filter)) } else { filter },
        slot: slot.filter(|_| members.iter().all(|chip| chip.slot == slot)),
        negative,
        echoes: members.iter().filter(|_| !negative).flat_map(|chip| chip.echoes.clone()).collect(),
        hints: members.iter().flat_map(|chip| chip.hints.clone()).collect(),
    }
}

/// "port 80 or 443" instead of "port 80 or port 443".
fn shared_label(labels: &[String]) -> String {
    let head = labels.first().map_or("", |label| label.as_str());
    let prefix = [
        "destination port ",
        "source port ",
        "port ",
        "from or to ",
        "from ",
        "to ",
        "verdict ",
        "family ",
        "service ",
        "host under ",
        "host contains ",
    ]
    .into_iter()
    .find(|prefix| head.starts_with(prefix) && labels.iter().all(|label| label.starts_with(prefix)));
    match prefix {
        Some(prefix) => {
            let rest: Vec<String> = labels.iter().map(|label| label[prefix.len()..].to_owned()).collect();
            format!("{prefix}{}", super::item::listed(&rest))
        }
        None => super::item::listed(labels),
    }
}

/// What joins two terms of a list at `at`: whether it says "or", and where the next term starts.
fn joint(c: &Cursor, pieces: &[Piece], at: usize, negative: bool) -> Option<(bool, usize)> {
    let piece = pieces.get(at)?;
    let sep = c.tokens[piece.at].sep;
    if sep == Sep::Stop {
        return None;
    }
    match piece.what {
        What::Or => Some((true, at + 1)),
        What::Negator(_) if negative && c.tokens[piece.at].low == "nor" => Some((true, at + 1)),
        What::And if c.tokens[piece.at].low != "but" => Some((false, at + 1)),
        What::Item(_) if sep == Sep::Slash => Some((true, at)),
        What::Item(_) if sep == Sep::Comma => Some((false, at)),
        _ => None,
    }
}

/// Conditions that may hang on a negated one.
const HANGING_MAX: usize = 4;

/// A condition with its negations.
fn term(c: &Cursor, pieces: &[Piece], start: usize) -> Option<(Chip, usize)> {
    let mut at = start;
    let mut negations = 0;
    let mut wide = true;
    let mut fillers = 0;
    loop {
        let piece = pieces.get(at)?;
        if at > start && (parts_from_negation(c, piece.at) || negation::is_passive(c, piece.at)) {
            return None;
        }
        match &piece.what {
            What::Negator(Negator::After) => return None,
            What::Negator(negator) => {
                negations += 1;
                wide = *negator == Negator::Wide;
                fillers = 0;
            }
            What::Item(_) => break,
            _ if negations > 0 && negation::is_filler(&c.tokens[piece.at].low, fillers) && piece.len == 1 => {
                fillers += 1;
            }
            _ => return None,
        }
        at += 1;
    }
    let (item, piece) = item(pieces, at)?;
    let mut items = vec![(item, piece)];
    at += 1;
    let reach = if negations > 0 && wide { HANGING_MAX } else { 0 };
    for _ in 0..reach {
        // "hide dns traffic from 10.0.0.1"
        let noun = usize::from(pieces.get(at).is_some_and(|piece| is_noun(c, piece)));
        match item_after(c, pieces, at + noun) {
            Some(next) if hangs_on(items[0].0, next.0) => items.push(next),
            _ => break,
        }
        at += 1 + noun;
    }
    let negative = negations % 2 == 1;
    let end = items.last().map_or(start, |(_, piece)| piece.at + piece.len);
    Some((chip(pieces[start].at..end, &items, negative), at))
}

fn is_noun(c: &Cursor, piece: &Piece) -> bool {
    let token = &c.tokens[piece.at];
    let names = ["traffic", "flows", "connections", "sessions", "packets", "queries", "requests"];
    piece.len == 1 && token.sep == Sep::None && names.contains(&token.low.as_str())
}

/// Whether what stands before token `at` ends there: "No, show dns" does not mean "no dns".
fn parts_from_negation(c: &Cursor, at: usize) -> bool {
    let sep = c.tokens[at].sep;
    sep == Sep::Stop || (sep == Sep::Comma && at > 0 && c.tokens[at - 1].low == "no")
}

fn item(pieces: &[Piece], at: usize) -> Option<(&Item, &Piece)> {
    let piece = pieces.get(at)?;
    match &piece.what {
        What::Item(item) => Some((item, piece)),
        _ => None,
    }
}

fn item_after<'a>(c: &Cursor, pieces: &'a [Piece], at: usize) -> Option<(&'a Item, &'a Piece)> {
    item(pieces, at).filter(|(_, piece)| c.tokens[piece.at].sep == Sep::None)
}

/// Whether `next` belongs to what `first` negates: "dns to 10.0.0.53", "from A to B".
fn hangs_on(first: &Item, next: &Item) -> bool {
    match (first.slot, next.slot) {
        (Slot::Service | Slot::Protocol, Slot::Address(_)) => next.directed,
        (Slot::Service | Slot::Protocol, Slot::Port(_))
        | (Slot::Address(End::Src), Slot::Address(End::Dst))
        | (Slot::Address(End::Dst), Slot::Address(End::Src)) => true,
        _ => false,
    }
}

fn chip(tokens: Range<usize>, items: &[(&Item, &Piece)], negative: bool) -> Chip {
    let filter = all(items.iter().map(|(item, _)| item.filter.clone()).collect());
    let label = items.iter().map(|(item, _)| item.label.as_str()).collect::<Vec<_>>().join(" ");
    let echoes =
        items.iter().filter(|(item, _)| item.echo && !negative).map(|(_, piece)| piece.at..piece.at + piece.len);
    let (label, filter) = if negative { turned(&label, filter) } else { (label, filter) };
    Chip {
        tokens,
        label,
        filter,
        slot: (items.len() == 1).then(|| items[0].0.slot),
        negative,
        echoes: echoes.collect(),
        hints: items.iter().filter_map(|(item, _)| item.hint.clone()).collect(),
    }
}

/// A condition turned round; one that was a negation loses it.
fn turned(label: &str, filter: Filter) -> (String, Filter) {
    match (label.strip_prefix("not "), filter) {
        (Some(label), Filter::Not(inner)) => (label.to_owned(), *inner),
        (_, filter) => (format!("not {label}"), Filter::Not(Box::new(filter))),
    }
}

/// Resolves every "or" that is left between chips.
fn join_across(mut parts: Vec<Part>) -> (Vec<Chip>, Vec<Range<usize>>) {
    let mut given_up = Vec::new();
    while let Some(or) = parts.iter().position(|part| matches!(part, Part::Or)) {
        let left = run(&parts, (0..or).rev());
        let right = run(&parts, or + 1..parts.len());
        let far = nearest(&parts, (0..or).rev()).zip(nearest(&parts, or + 1..parts.len()));
        parts[or] = Part::Word;
        match (left.first(), right.first(), far) {
            (Some(_), Some(_), _) => merge(&mut parts, left, right),
            // "ssh guessing or telnet guessing", "ssh or a beacon on port 4444".
            (None, None, Some((one, other)))
                if both_topics(&parts, one, other) && slot(&parts, one) == slot(&parts, other) =>
            {
                merge(&mut parts, vec![one], vec![other]);
            }
            (Some(_), None, Some((one, other))) | (None, Some(_), Some((one, other)))
                if both_topics(&parts, one, other) =>
            {
                merge(&mut parts, vec![one], vec![other]);
            }
            // "ssh or something else": the condition would hide the other half.
            (Some(&near), None, _) | (None, Some(&near), _) => give_up(&mut parts, near, &mut given_up),
            (None, None, _) => {}
        }
    }
    let chips = parts.into_iter().filter_map(|part| match part {
        Part::Chip(chip) => Some(chip),
        _ => None,
    });
    (chips.collect(), given_up)
}

/// The chips met along `places` before a break or another "or", nearest first.
fn run(parts: &[Part], places: impl Iterator<Item = usize>) -> Vec<usize> {
    places
        .take_while(|&at| matches!(parts[at], Part::Chip(_) | Part::Link))
        .filter(|&at| matches!(parts[at], Part::Chip(_)))
        .collect()
}

/// The first chip met along `places` in the same sentence, words or not.
fn nearest(parts: &[Part], places: impl Iterator<Item = usize>) -> Option<usize> {
    places.take_while(|&at| !matches!(parts[at], Part::Stop | Part::Or)).find(|&at| matches!(parts[at], Part::Chip(_)))
}

fn slot(parts: &[Part], at: usize) -> Option<Slot> {
    match &parts[at] {
        Part::Chip(chip) => chip.slot,
        _ => None,
    }
}

/// Whether both chips say what kind of traffic is meant, rather than whose or when.
fn both_topics(parts: &[Part], one: usize, other: usize) -> bool {
    [one, other].iter().all(|&at| {
        matches!(
            slot(parts, at),
            Some(Slot::Service | Slot::Protocol | Slot::Port(_) | Slot::Host | Slot::Verdict | Slot::Family)
        )
    })
}

/// Joins the runs on both sides of an "or" into one chip. Neighbours of one kind join alone.
fn merge(parts: &mut [Part], left: Vec<usize>, right: Vec<usize>) {
    let neighbours = slot(parts, left[0]).is_some() && slot(parts, left[0]) == slot(parts, right[0]);
    let mut left = if neighbours { vec![left[0]] } else { left };
    let right = if neighbours { vec![right[0]] } else { right };
    left.reverse();
    let place = left[0];
    let side = |parts: &[Part], places: &[usize]| {
        let chips: Vec<Chip> = places
            .iter()
            .filter_map(|&at| match &parts[at] {
                Part::Chip(chip) => Some(chip.clone()),
                _ => None,
            })
            .collect();
        Chip {
            tokens: chips.first().map_or(0, |chip| chip.tokens.start)..chips.last().map_or(0, |chip| chip.tokens.end),
            label: chips.iter().map(|chip| chip.label.as_str()).collect::<Vec<_>>().join(" "),
            filter: all(chips.iter().map(|chip| chip.filter.clone()).collect()),
            slot: if let [only] = chips.as_slice() { only.slot } else { None },
            negative: false,
            echoes: chips.iter().flat_map(|chip| chip.echoes.clone()).collect(),
            hints: chips.iter().flat_map(|chip| chip.hints.clone()).collect(),
        }
    };
    let sides = [side(parts, &left), side(parts, &right)];
    let mut joined = either(&sides, false);
    // Words between the two sides stay words.
    joined.echoes.push(sides[0].tokens.end..sides[1].tokens.start);
    for &at in left.iter().chain(&right) {
        parts[at] = Part::Link;
    }
    parts[place] = Part::Chip(joined);
}

fn give_up(parts: &mut [Part], at: usize, given_up: &mut Vec<Range<usize>>) {
    if let Part::Chip(chip) = &parts[at] {
        given_up.push(chip.tokens.clone());
        parts[at] = Part::Word;
    }
}
