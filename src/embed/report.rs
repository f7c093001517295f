//! What the batch job did, for people and as JSON.

use std::io::{self, Write as _};

use forebay_embedder::batch::Summary;
use serde::Serialize;

use super::index_sink::Counts;

/// The summary with what the index took.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    index_added: u64,
    index_duplicates: u64,
}

impl<'a> Report<'a> {
    pub(super) fn new(summary: &'a Summary, counts: &Counts) -> Self {
        Self { summary, index_added: counts.added(), index_duplicates: counts.duplicates() }
    }

    /// JSON goes to standard output, words to standard error.
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            let mut out = io::stdout().lock();
            serde_json::to_writer(&mut out, self)?;
            return Ok(writeln!(out)?);
        }
        Ok(self.words(&mut io::stderr().lock())?)
    }

    fn damage(&self, out: &mut impl io::Write) -> io::Result<()> {
        self.summary.damaged_inputs.iter().try_for_each(|(input, reason)| writeln!(out, "  gave up {input}: {reason}"))
    }

    fn words(&self, out: &mut impl io::Write) -> io::Result<()> {
        let s = self.summary;
        if s.already {
            writeln!(
                out,
                "{} is there already, from the same inputs and settings: {} events",
                s.out.display(),
                s.events
            )?;
            return self.damage(out);
        }
        let state = if s.complete { "" } else { " so far" };
        writeln!(
            out,
            "{}{state}: {} events in {} parts, {} bytes",
            s.out.display(),
            s.events,
            s.parts,
            s.bytes_written
        )?;
        if s.events_before > 0 {
            writeln!(out, "  {} of them by earlier runs", s.events_before)?;
        }
        if s.rejected_sum > 0 {
            writeln!(out, "  {} lines were no events and lie in dead-letters.jsonl:", s.rejected_sum)?;
        }
        for (reason, count) in &s.rejected {
            writeln!(out, "    {count}: {reason}")?;
        }
        self.damage(out)?;
        for (name, count) in s.source_counters.iter().filter(|(_, count)| **count > 0) {
            writeln!(out, "  {name} {count}")?;
        }
        if s.infinite_features > 0 {
            writeln!(out, "  {} feature values were too large and count as unknown", s.infinite_features)?;
        }
        if self.index_added + self.index_duplicates > 0 {
            writeln!(out, "  index: {} added, {} there before", self.index_added, self.index_duplicates)?;
        }
        let t = &s.times;
        writeln!(
            out,
            "  {:.1} s, {:.0} events/s; reading {:.1} s, embedding {:.1}, columns {:.1} (summed over threads), writing {:.1}, index {:.1}",
            s.seconds, s.events_per_second, t.reading, t.embedding, t.columns, t.writing, t.sink
        )
    }
}
