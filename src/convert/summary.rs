//! What a conversion did, for people and scripts.

use std::collections::BTreeMap;
use std::io::{self, Write};

use forebay_event::source::{EventSource, Rejection, SourceError};
use serde::Serialize;

/// Reasons shown apart; the rest is counted together.
const REASONS_MAX: usize = 100;

/// What happened so far.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    pub(super) events: u64,
    pub(super) rejected: u64,
    rejected_by_reason: BTreeMap<String, u64>,
    counters: BTreeMap<&'static str, u64>,
    /// Inputs that could not be read to their end, and why.
    pub(super) damaged_inputs: Vec<(String, String)>,
    pub(super) stopped: bool,
}

impl Summary {
    pub(super) fn reject(&mut self, rejection: &Rejection) {
        if self.rejected == 0 {
            tracing::warn!(source = rejection.source, line = rejection.line, reason = rejection.reason, "not an event");
        }
        self.rejected += 1;
        let known =
            self.rejected_by_reason.len() < REASONS_MAX || self.rejected_by_reason.contains_key(&rejection.reason);
        let reason = if known { &rejection.reason } else { "other reasons" };
        *self.rejected_by_reason.entry(reason.to_owned()).or_default() += 1;
    }

    /// Whether nothing came out of the inputs, not even a count.
    pub(super) fn is_blank(&self) -> bool {
        self.events == 0 && self.rejected == 0 && self.counters.is_empty()
    }

    /// Takes the counters of a source that will not be read further.
    pub(super) fn count(&mut self, source: &dyn EventSource) {
        for (name, count) in source.counters() {
            *self.counters.entry(name).or_default() += count;
        }
    }

    pub(super) fn damaged(&mut self, input: String, error: &SourceError) {
        let text = error.to_string();
        // The message names the input first, and so does whoever shows this.
        let reason = text.strip_prefix(&format!("{input}: ")).unwrap_or(&text).to_owned();
        self.damaged_inputs.push((input, reason));
    }

    /// JSON goes to standard output where that is free, else it is the last line on standard error; words always go to
    /// standard error. That nothing was read at all is said in words in any case.
    pub(super) fn print(&self, json: bool, stdout_is_free: bool) -> anyhow::Result<()> {
        let mut err = io::stderr().lock();
        if self.events == 0 {
            writeln!(err, "forebay: warning: no event was read ({} items were rejected)", self.rejected)?;
        }
        match (json, stdout_is_free) {
            (true, true) => self.line(&mut io::stdout().lock()),
            (true, false) => self.line(&mut err),
            (false, _) => Ok(self.words(&mut err)?),
        }
    }

    fn line(&self, out: &mut impl Write) -> anyhow::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        Ok(writeln!(out)?)
    }

    fn words(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{} events, {} rejected", self.events, self.rejected)?;
        for (reason, count) in &self.rejected_by_reason {
            writeln!(out, "  rejected {count}: {reason}")?;
        }
        for (input, reason) in &self.damaged_inputs {
            writeln!(out, "  gave up {input}: {reason}")?;
        }
        for (name, count) in self.counters.iter().filter(|(_, count)| **count > 0) {
            writeln!(out, "  {name} {count}")?;
        }
        Ok(())
    }
}
