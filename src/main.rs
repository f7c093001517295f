//! `forebay`: predictive buffering and search over network events, from the command line.
//!
//! One file per subcommand; each has `Args` and `run`. [`config`] says where values come from, [`input`] opens whatever file
//! it is given.

mod capture;
mod config;
mod config_command;
mod convert;
mod embed;
mod events;
mod heap;
mod index_command;
mod input;
mod logs;
mod output;
mod progress;
mod search;
mod serve;
mod shown;
mod sidecar;
mod stop;
mod target;
#[cfg(feature = "s3")]
mod tls;
mod top;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::{Config, Effective, SETTINGS};

/// Search and predictive buffering over network events.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
struct Cli {
    /// Configuration file [default: forebay.toml here, in ~/.config/forebay or in /etc/forebay]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Turn flow logs and captures of any known format into events
    Import(convert::Args),
    /// Turn packets of a capture into events with 83 features
    Meter(convert::Args),
    /// Meter the live traffic of an interface: events as lines of JSON, or straight to a server
    Capture(capture::Args),
    /// Turn inputs into events, vectors and an index on disk, resumable; `--index DIR` adds to an index elsewhere
    Embed(embed::Args),
    /// Serve search, ingest and the page over HTTP
    Serve(serve::Args),
    /// Ask a question in plain words
    Search(search::Args),
    /// Look after the index: what it holds, merging, dropping what is old, copies
    Index(index_command::Args),
    /// Look at single events
    Events(events::Args),
    /// Watch receive buffers of running programs and share one memory budget among them
    Sidecar(sidecar::Args),
    /// Look at what a running sidecar does
    Top(top::Args),
    /// Print the values in effect and where each came from
    Config(config_command::Args),
}

fn main() -> ExitCode {
    heap::bound();
    let flags = with_settings(Cli::command()).get_matches();
    let cli = match Cli::from_arg_matches(&flags) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match run(cli, &flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // The text may hold names of files and bytes of inputs, and a terminal obeys control characters.
            for line in format!("forebay: {error:#}").lines() {
                eprintln!("{}", shown::printable(line));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, flags: &clap::ArgMatches) -> anyhow::Result<()> {
    let read = || Effective::read(cli.config.as_deref(), &config::read_environment(), flags);
    let effective = read()?;
    let config = Config::from_effective(&effective)?;
    logs::start(&config.log)?;
    match cli.command {
        Command::Import(args) | Command::Meter(args) => convert::run(&args, &config),
        Command::Capture(args) => capture::run(&args, &config),
        Command::Embed(args) => embed::run(&args, &config),
        Command::Serve(args) => serve::run(args, &config),
        Command::Search(args) => search::run(args, &config),
        Command::Index(args) => index_command::run(args, &config),
        Command::Events(args) => events::run(args, &config),
        Command::Sidecar(args) => sidecar::run(&args, &config, &|| Config::from_effective(&read()?)),
        Command::Top(args) => top::run(&args, &config),
        Command::Config(args) => config_command::run(&args, &effective),
    }
}

/// Every setting as a flag of every subcommand, shown by `--help` and not by `-h`.
fn with_settings(command: clap::Command) -> clap::Command {
    SETTINGS.iter().fold(command, |command, setting| {
        let default = if setting.default.is_empty() { "empty" } else { setting.default };
        let flag = Arg::new(setting.key)
            .long(setting.flag())
            .global(true)
            .value_name("VALUE")
            .hide_short_help(true)
            .help_heading("Settings (also in the configuration file and the environment)")
            .help(format!("{} [{}] [default: {default}]", setting.help, setting.variable()));
        command.arg(flag)
    })
}

/// Whether the reader of our output went away (`forebay ... | head`), which is no fault.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
