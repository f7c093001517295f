//! Which processes the targets name, remembered between passes so that not every name is read each time.
//!
//! A young process is read anew in each pass (a shell forks and becomes the program by exec), an older one every
//! [`OLD_PASSES`] passes. So a program is seen within one pass of its start, and one that execs late within a second.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use super::process::{self, matches};
use super::spec::{Selector, Spec};
use crate::limits::{OLD_PASSES, YOUNG};

/// What is known of all processes.
#[derive(Debug, Default)]
pub(super) struct Processes {
    known: HashMap<u32, Known>,
    pass: usize,
    numbers: Vec<u32>,
}

#[derive(Debug)]
struct Known {
    since: Instant,
    seen: usize,
    /// Places of the targets that name it.
    targets: Vec<usize>,
}

impl Processes {
    /// Forgets all that is known; for other targets.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// Looks at all processes; those that a target names, with the places of these targets.
    pub(super) fn pass(&mut self, specs: &[Spec], now: Instant) -> io::Result<impl Iterator<Item = (u32, &[usize])>> {
        self.pass += 1;
        let pass = self.pass;
        if specs.iter().any(|spec| names_programs(&spec.selector)) {
            process::all(&mut self.numbers)?;
        } else {
            self.numbers.clear();
        }
        let own = std::process::id();
        for &pid in self.numbers.iter().filter(|pid| **pid != own) {
            let known = self.known.entry(pid).or_insert_with(|| Known { since: now, seen: 0, targets: Vec::new() });
            let is_due = known.seen == 0
                || now.saturating_duration_since(known.since) < YOUNG
                || (pid as usize + pass).is_multiple_of(OLD_PASSES);
            known.seen = pass;
            if is_due {
                known.targets.clear();
                known.targets.extend((0..specs.len()).filter(|place| matches(pid, &specs[*place].selector)));
            }
        }
        self.known.retain(|_, known| known.seen == pass);
        Ok(self
            .known
            .iter()
            .filter(|(_, known)| !known.targets.is_empty())
            .map(|(pid, known)| (*pid, known.targets.as_slice())))
    }

    /// The processes that the last pass saw.
    pub(super) fn numbers(&mut self) -> io::Result<&[u32]> {
        if self.numbers.is_empty() {
            process::all(&mut self.numbers)?;
        }
        Ok(&self.numbers)
    }
}

fn names_programs(selector: &Selector) -> bool {
    !matches!(selector, Selector::Port(_) | Selector::Socket(_))
}
