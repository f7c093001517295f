//! Choosing how a segment is compared with a vector.
//!
//! An engine says what comparing all matching rows costs and what its own way costs, for so many hits under a filter that
//! so many rows pass. The cheaper way is taken. The estimates come from constants measured on one machine and from what
//! was measured on the segment when it was built (`engine::cells`); where they are wrong the answer is slower, not worse:
//! the index stops by what it finds, and a scan is exact.

use crate::engine::{Cost, VectorEngine};

/// How a segment is compared with a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planned {
    /// All that match.
    Scan,
    /// What the index finds.
    Index,
}

/// A choice and its reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) planned: Planned,
    /// What it is thought to cost.
    pub(crate) cost: Cost,
    /// What the other way is thought to cost; absent where there is none.
    pub(crate) other: Option<Cost>,
}

impl Choice {
    /// The reason in words.
    pub(crate) fn why(&self, matching: u64) -> String {
        let us = |cost: Cost| cost.ns / 1e3;
        let (chosen, left) = match self.planned {
            Planned::Scan => ("comparing all", "the index"),
            Planned::Index => ("the index", "comparing all"),
        };
        match self.other {
            Some(other) => {
                format!("{matching} match: {chosen} at about {:.0} us, {left} at {:.0} us", us(self.cost), us(other))
            }
            None => {
                format!("{matching} match: {chosen} at about {:.0} us, and there is no index to ask", us(self.cost))
            }
        }
    }
}

/// Chooses for `k` hits among `matching` rows.
pub(crate) fn plan(engine: &dyn VectorEngine, matching: u64, k: usize) -> Choice {
    let costs = engine.costs(matching, k);
    match costs.index {
        Some(index) if index.ns < costs.scan.ns => {
            Choice { planned: Planned::Index, cost: index, other: Some(costs.scan) }
        }
        other => Choice { planned: Planned::Scan, cost: costs.scan, other },
    }
}
