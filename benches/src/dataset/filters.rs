//! The filters of the comparison, as fields that our index filters by and as numbers that a rival's bitmap is made of.
//!
//! Each event is drawn a source port of [`DRAWS`] equally likely ones, whatever it is: the filters that have nothing to do
//! with a question are ranges of it. Each event's destination address names the group of its vector, so the filters that go
//! with a question (or against it) are the networks of the groups nearest to it (or farthest from it).

use std::net::Ipv4Addr;

use forebay_event::Event;
use forebay_index::Filter;
use forebay_index::filter::End;
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use super::clusters::{CLUSTERS, Clusters};
use super::random::Random;

/// Source ports that are drawn from.
pub const DRAWS: u16 = 10_000;
const FIRST_PORT: u16 = 50_000;
/// Most groups that one filter names; what is far from every question is spread over many small groups.
const GROUPS_MAX: usize = 100;
const GROUP_PREFIX_BITS: u8 = 16;

/// One line of the comparison.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// For tables: the share that passes, and whether it lies near the question or far from it.
    pub name: String,
    /// What passes.
    pub rule: Rule,
}

/// What passes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Everything: no filter is given.
    All,
    /// Events whose draw is below this number.
    DrawBelow(u16),
    /// Events of the groups listed for each question, by set of questions.
    Groups {
        /// For each question in words.
        text: Vec<Vec<u16>>,
        /// For each held-out event.
        event: Vec<Vec<u16>>,
    },
}

/// The fields of an event that filters look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Uniform in `0..DRAWS`.
    pub draw: u16,
    /// The group of the vector.
    pub group: u16,
}

impl Fields {
    /// The draw of `row`.
    pub fn draw(seed: u64, row: u64) -> u16 {
        Random::new(seed, row ^ 0xd7a3_0000_0000_0000).below(usize::from(DRAWS)) as u16
    }

    /// Writes the fields into `event`, which must have been embedded before.
    pub fn stamp(self, event: &mut Event) {
        event.flow.src_port = FIRST_PORT + self.draw;
        let [_, _, low_1, low_2] = match event.flow.dst_ip {
            std::net::IpAddr::V4(ip) => ip.octets(),
            std::net::IpAddr::V6(ip) => [0, 0, ip.octets()[14], ip.octets()[15]],
        };
        event.flow.dst_ip = Ipv4Addr::new(10, self.group as u8, low_1, low_2).into();
    }
}

impl Rule {
    /// The filter for question `place` of the set called `set`.
    pub fn filter(&self, set: &str, place: usize) -> Filter {
        match self {
            Self::All => Filter::And(Vec::new()),
            Self::DrawBelow(end) => Filter::Port { end: End::Src, from: FIRST_PORT, to: FIRST_PORT + end - 1 },
            Self::Groups { text, event } => {
                let groups = if set == "text" { &text[place] } else { &event[place] };
                Filter::Or(groups.iter().map(|group| Filter::Ip { end: End::Dst, net: network(*group) }).collect())
            }
        }
    }
}

/// All lines. `text` and `event` are the questions, `groups` the group of every event.
pub fn lines(clusters: &Clusters, dimension: usize, text: &[f32], event: &[f32], groups: &[u16]) -> Vec<Line> {
    let mut sizes = [0usize; CLUSTERS];
    for group in groups {
        sizes[usize::from(*group)] += 1;
    }
    let mut lines = vec![Line { name: "100 %".to_owned(), rule: Rule::All }];
    for (name, below) in [("50 %", 5_000), ("10 %", 1_000), ("1 %", 100), ("0.1 %", 10), ("0.01 %", 1)] {
        lines.push(Line { name: name.to_owned(), rule: Rule::DrawBelow(below) });
    }
    for (name, share, far) in
        [("near 10 %", 0.1, false), ("near 1 %", 0.01, false), ("far 10 %", 0.1, true), ("far 1 %", 0.01, true)]
    {
        let wanted = (groups.len() as f64 * share) as usize;
        let of = |vectors: &[f32]| {
            vectors.chunks_exact(dimension).map(|vector| chosen(clusters, vector, far, &sizes, wanted)).collect()
        };
        lines.push(Line { name: name.to_owned(), rule: Rule::Groups { text: of(text), event: of(event) } });
    }
    lines
}

/// The groups nearest to `vector` (or farthest from it) that together hold `wanted` events or a little more.
fn chosen(clusters: &Clusters, vector: &[f32], far: bool, sizes: &[usize], wanted: usize) -> Vec<u16> {
    let mut order = clusters.by_nearness(vector);
    if far {
        order.reverse();
    }
    let mut held = 0;
    let mut chosen = Vec::new();
    for group in order {
        if held >= wanted || chosen.len() == GROUPS_MAX {
            break;
        }
        if sizes[usize::from(group)] > 0 {
            held += sizes[usize::from(group)];
            chosen.push(group);
        }
    }
    chosen
}

fn network(group: u16) -> IpNet {
    let address = Ipv4Addr::new(10, group as u8, 0, 0);
    IpNet::V4(Ipv4Net::new_assert(address, GROUP_PREFIX_BITS))
}

const _: () = assert!(CLUSTERS <= 256, "a group is one byte of an address");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stamped_passes_its_filter_and_no_other() {
        let mut event = Event::default();
        Fields { draw: 99, group: 7 }.stamp(&mut event);
        assert!(Rule::DrawBelow(100).filter("text", 0).matches(&event));
        assert!(!Rule::DrawBelow(99).filter("text", 0).matches(&event));
        let rule = |group| Rule::Groups { text: vec![vec![group, 9]], event: vec![vec![]] };
        assert!(rule(7).filter("text", 0).matches(&event));
        assert!(!rule(8).filter("text", 0).matches(&event));
        assert!(!rule(7).filter("event", 0).matches(&event));
    }
}
