//! What other records said of a flow before its own record came.

use std::collections::{HashMap, VecDeque};

use crate::Class;

/// Flows remembered at a time. Suricata's own flow table holds as many by default, and a hint takes at most 600 bytes.
pub(crate) const HINTS_MAX: usize = 65_536;

/// What is known of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hint {
    /// Host name, from TLS, HTTP, DNS or QUIC.
    pub(crate) host: Option<String>,
    /// Application, by the kind of record.
    pub(crate) application: Option<&'static str>,
    /// From alerts; the gravest counts.
    pub(crate) class: Class,
}

/// Hints by flow id; the oldest makes room.
#[derive(Default)]
pub(crate) struct Hints {
    table: HashMap<u64, Hint>,
    order: VecDeque<u64>,
    evicted: u64,
}

impl Hints {
    /// The hint of a flow, made if there is none.
    pub(crate) fn entry(&mut self, flow: u64) -> &mut Hint {
        if !self.table.contains_key(&flow) {
            self.make_room();
            self.order.push_back(flow);
        }
        self.table.entry(flow).or_default()
    }

    /// Takes the hint of a flow that ended.
    pub(crate) fn take(&mut self, flow: u64) -> Option<Hint> {
        self.table.remove(&flow)
    }

    /// Hints that made room before their flow's record came.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Hints whose flow has not come yet.
    pub(crate) fn waiting(&self) -> u64 {
        self.table.len() as u64
    }

    fn make_room(&mut self) {
        while self.table.len() >= HINTS_MAX {
            // The order still names flows that were taken; removing those again does nothing.
            let Some(oldest) = self.order.pop_front() else { break };
            self.evicted += u64::from(self.table.remove(&oldest).is_some());
        }
        if self.order.len() >= 2 * HINTS_MAX {
            let table = &self.table;
            self.order.retain(|flow| table.contains_key(flow));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_is_counted() {
        let mut hints = Hints::default();
        for flow in 0..HINTS_MAX as u64 + 10 {
            hints.entry(flow);
        }
        assert_eq!((hints.evicted(), hints.waiting()), (10, HINTS_MAX as u64));
        assert!(hints.take(5).is_none() && hints.take(10).is_some());
    }

    #[test]
    fn flows_that_come_and_go_leave_nothing_behind() {
        let mut hints = Hints::default();
        for flow in 0..5 * HINTS_MAX as u64 {
            hints.entry(flow);
            hints.take(flow);
        }
        assert_eq!((hints.evicted(), hints.waiting()), (0, 0));
        assert!(hints.order.len() <= 2 * HINTS_MAX);
    }
}
