//! `forebay config`: prints the values the program would run with, and where each came from.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::config::Effective;

/// Options of `forebay config`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One JSON object instead of a TOML file with comments.
    #[arg(long)]
    json: bool,
}

/// One value, as a script reads it.
#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    value: toml::Value,
    origin: String,
    variable: String,
    flag: String,
    help: &'a str,
}

/// Prints; with `--json` as an array, otherwise as a TOML file that could be used as it is.
pub(crate) fn run(args: &Args, effective: &Effective) -> anyhow::Result<()> {
    let lines: Vec<Line> = effective
        .iter()
        .map(|(setting, value, origin)| Line {
            key: setting.key,
            value: setting.shown(value),
            origin: origin.to_string(),
            variable: setting.variable(),
            flag: format!("--{}", setting.flag()),
            help: setting.help,
        })
        .collect();
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &lines)?;
        writeln!(out)?;
        return Ok(());
    }
    match &effective.file {
        Some(path) => writeln!(out, "# read from {}", path.display())?,
        None => writeln!(out, "# no configuration file was found")?,
    }
    let mut section = "";
    for line in &lines {
        let (of, name) = line.key.split_once('.').expect("every key of the table has a section");
        if of != section {
            writeln!(out, "\n[{of}]")?;
            section = of;
        }
        writeln!(out, "{name} = {}  # {}; {}", line.value, line.origin, line.help)?;
    }
    Ok(())
}
