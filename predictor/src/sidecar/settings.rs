//! What a deployment decides, and what is refused before anything is touched.

use std::path::PathBuf;
use std::time::Duration;

use crate::actuate::host::Wish;
use crate::actuate::state_file::StateError;
use crate::budget::BudgetError;
use crate::control::Rules;
use crate::target::Spec;

/// How the sidecar runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is watched.
    pub targets: Vec<Spec>,
    /// Settings of the machine that are raised while it runs.
    pub host: Vec<Wish>,
    /// The memory that all buffers share, in bytes.
    pub budget_bytes: u64,
    /// How soon ceilings move.
    pub rules: Rules,
    /// How often it looks.
    pub tick: Duration,
    /// Where it writes down what it changed.
    pub state_file: PathBuf,
    /// Whether nothing is changed.
    pub dry_run: bool,
}

/// Why the sidecar does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// No targets. The operator's to say.
    #[error(
        "there is nothing to watch: sidecar.targets is empty. Name some, for example sidecar.targets = \"port:514; \
         process:nfcapd\""
    )]
    NoTargets,
    /// The minima of the targets do not fit, even with one buffer each. The operator's fault.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The state file cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The machine would not give a thread, a signal or `/proc`.
    #[error("the sidecar cannot run here: {0}")]
    System(#[from] std::io::Error),
}

impl Settings {
    /// Refuses what cannot work.
    pub fn check(&self) -> Result<(), SidecarError> {
        if self.targets.is_empty() {
            return Err(SidecarError::NoTargets);
        }
        let needed_bytes = self.targets.iter().map(|target| target.min_bytes).fold(0, u64::saturating_add);
        if needed_bytes > self.budget_bytes {
            let (budget_bytes, buffers) = (self.budget_bytes, self.targets.len());
            return Err(BudgetError::BelowMinima { budget_bytes, needed_bytes, buffers }.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::parse_targets;

    fn settings(targets: &str, budget_bytes: u64) -> Settings {
        Settings {
            targets: parse_targets(targets).unwrap(),
            host: Vec::new(),
            budget_bytes,
            rules: Rules::default(),
            tick: Duration::from_millis(10),
            state_file: PathBuf::from("state"),
            dry_run: false,
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_what_to_do() {
        let error = settings("", 1 << 20).check().unwrap_err().to_string();
        assert!(error.contains("sidecar.targets"), "{error}");
        let error = settings("port:1 min=1M; port:2 min=1M", 2_000_000).check().unwrap_err().to_string();
        assert!(error.contains("2097152") && error.contains("2000000"), "{error}");
        assert!(settings("port:1 min=1M; port:2 min=1M", 2 << 20).check().is_ok());
    }
}
