//! The books at the end, for people and scripts.

use std::io::{self, Write};

use forebay_ebpf::live::Books;
use serde_json::{Map, Value};

use super::sink::Counts;

/// What happened.
pub(super) struct Summary {
    pub(super) books: Books,
    pub(super) delivered: Counts,
    /// It ended before it was told to.
    pub(super) stopped: bool,
}

impl Summary {
    /// JSON goes to standard output where that is free, else it is the last line on standard error; words always go to
    /// standard error.
    pub(super) fn print(&self, json: bool, stdout_is_free: bool) -> io::Result<()> {
        let mut err = io::stderr().lock();
        match (json, stdout_is_free) {
            (true, true) => self.line(&mut io::stdout().lock()),
            (true, false) => self.line(&mut err),
            (false, _) => self.words(&mut err),
        }
    }

    fn line(&self, out: &mut impl Write) -> io::Result<()> {
        let counters: Map<String, Value> =
            self.counters().map(|(name, count)| (name.to_owned(), Value::from(count))).collect();
        let whole = serde_json::json!({
            "packets_seen": self.books.seen,
            "packets_exported": self.books.exported,
            "packets_lost": self.books.lost_total(),
            "packets_open": self.books.open(),
            "balanced": self.books.open() == 0,
            "stopped": self.stopped,
            "counters": counters,
        });
        writeln!(out, "{whole}")
    }

    fn words(&self, out: &mut impl Write) -> io::Result<()> {
        let Books { seen, exported, events, .. } = self.books;
        let lost = self.books.lost_total();
        writeln!(out, "{seen} packets seen = {exported} in {events} events + {lost} counted as lost")?;
        for (name, count) in self.counters().filter(|(_, count)| *count > 0) {
            writeln!(out, "  {name} {count}")?;
        }
        Ok(())
    }

    fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.books.named().into_iter().chain(self.delivered.named())
    }
}
