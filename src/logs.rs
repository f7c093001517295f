//! Log lines: for people on a terminal, one JSON object a line otherwise, always on standard error.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Starts logging for the whole process; once.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(&log.level).with_context(|| format!("log.level: `{}` is not a filter", log.level))?;
    let for_people = match log.format.as_str() {
        "human" => true,
        "json" => false,
        _ => std::io::stderr().is_terminal(),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if for_people {
        subscriber.with_target(false).init();
    } else {
        subscriber.json().flatten_event(true).init();
    }
    Ok(())
}
