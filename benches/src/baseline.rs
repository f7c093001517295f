//! How many instructions each piece of work took when it was last recorded, and why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Growth that fails unless it is recorded with its reason. Hash seeds and allocation move a count by less than a third.
pub const GROWTH_MAX: f64 = 0.03;

/// The file `benches/instructions.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// By name of the work.
    pub work: BTreeMap<String, Recorded>,
}

/// One count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Instructions that callgrind counted.
    pub instructions: u64,
    /// Why the count is what it is: what changed it last.
    pub reason: String,
}

/// How a count compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within the bounds.
    Same,
    /// Fewer by more than the bound: worth recording.
    Fewer,
    /// More by more than the bound: fails.
    More,
    /// Never recorded: fails.
    Unknown,
}

impl Baseline {
    /// Where it is kept.
    pub fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json")
    }

    /// Reads the file; empty where there is none.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        match fs_err::read_to_string(path) {
            Ok(text) => Ok(serde_json::from_str(&text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(fs_err::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// How `instructions` compares with what is recorded of `name`, and the change as a share.
    pub fn judge(&self, name: &str, instructions: u64) -> (Verdict, f64) {
        let Some(recorded) = self.work.get(name) else { return (Verdict::Unknown, 0.0) };
        let change = instructions as f64 / recorded.instructions as f64 - 1.0;
        let (now, then) = (instructions as f64, recorded.instructions as f64);
        let verdict = match now {
            _ if now > then * (1.0 + GROWTH_MAX) => Verdict::More,
            _ if now < then * (1.0 - GROWTH_MAX) => Verdict::Fewer,
            _ => Verdict::Same,
        };
        (verdict, change)
    }

    /// Records what is new or has changed by more than the bound; small changes keep the old count, so that many small
    /// steps cannot pass unseen.
    pub fn record(&mut self, name: &str, instructions: u64, reason: &str) {
        if self.judge(name, instructions).0 != Verdict::Same {
            self.work.insert(name.to_owned(), Recorded { instructions, reason: reason.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_judged_against_what_was_recorded() {
        let mut baseline = Baseline::default();
        assert_eq!(baseline.judge("work", 100).0, Verdict::Unknown);
        baseline.record("work", 1_000, "first");
        assert_eq!(baseline.judge("work", 1_030).0, Verdict::Same);
        assert_eq!(baseline.judge("work", 1_031).0, Verdict::More);
        assert_eq!(baseline.judge("work", 969).0, Verdict::Fewer);
        baseline.record("work", 1_020, "a small step");
        assert_eq!(baseline.work["work"].instructions, 1_000);
        baseline.record("work", 1_100, "checks checksums now");
        assert_eq!(baseline.work["work"].reason, "checks checksums now");
    }
}
