//! `forebay import` and `forebay meter`: any input to events, written as JSON lines, `RAGLogger` JSON or Parquet.
//!
//! **Promise.** A file named by `--out` appears whole or not at all: it is written beside itself and renamed when the last
//! input has been read. Items that are no events are counted, shown by reason, and kept byte for byte where `--dead-letter`
//! says. No output may be an input. Where an input breaks off, standard output has got every event read until then, the dead
//! letters up to then are kept, and the counts are printed. Ctrl-C stops between two events in the same way.

mod dead_letters;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;
use forebay_event::Event;
use forebay_event::source::{EventSource, Item, SourceError};

use crate::config::{Config, Meter as MeterSettings};
use crate::input;
use crate::output::{self, Encoding, Output};
use crate::progress::Meter;
use crate::stop;
use dead_letters::DeadLetters;
use summary::Summary;

/// Options of `forebay import` and `forebay meter`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files to read; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Where to write; `-` is standard output
    #[arg(long, short, default_value = "-")]
    out: PathBuf,
    /// What to write; by default what the name of the output says, else JSON lines
    #[arg(long, value_enum)]
    format: Option<Encoding>,
    /// Keep what is no event in this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    dead_letter: Option<PathBuf>,
    /// Keep the events of a damaged input up to the damage, name it, and go on with the next; the output is written, and the
    /// exit code is 2 if any input was damaged
    #[arg(long)]
    keep_going: bool,
    /// Print the summary as one JSON object: on standard output, or, where the events go there, as the last line of standard
    /// error (only the message of an error follows it)
    #[arg(long)]
    json: bool,
}

/// Reads every input in turn and writes one output.
pub(crate) fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let mut outputs = vec![("--out", args.out.as_path())];
    outputs.extend(args.dead_letter.as_deref().map(|path| ("--dead-letter", path)));
    output::refuse_same(&args.inputs, &outputs)?;

    let stop = stop::on_signal()?;
    let encoding = args.format.unwrap_or_else(|| Encoding::of(&args.out));
    let mut conversion = Conversion {
        output: Output::create(&args.out, encoding)?,
        dead_letters: args.dead_letter.as_deref().map(DeadLetters::create).transpose()?,
        summary: Summary::default(),
        stop: &stop,
    };
    match conversion.inputs(args, &config.meter) {
        Ok(()) => conversion.finish(args),
        Err(Halt::Output(error)) => {
            // What went wrong is the way out; only the dead letters can still be saved.
            conversion.dead_letters.map_or(Ok(()), DeadLetters::break_off)?;
            Err(error)
        }
        Err(halt) => Err(conversion.break_off(args, &halt)),
    }
}

/// Inputs becoming one output.
struct Conversion<'s> {
    output: Output,
    dead_letters: Option<DeadLetters>,
    summary: Summary,
    stop: &'s AtomicBool,
}

/// Why the inputs were not read to their end.
enum Halt {
    /// An input failed.
    Input(SourceError),
    /// The output, or the dead letters, could not be written.
    Output(anyhow::Error),
    /// Somebody asked to stop.
    Stopped,
}

impl Conversion<'_> {
    fn inputs(&mut self, args: &Args, meter: &MeterSettings) -> Result<(), Halt> {
        for path in &args.inputs {
            match self.input(path, meter) {
                Err(Halt::Input(error)) if args.keep_going && input::is_damage(&error) => {
                    tracing::warn!(input = %path.display(), "given up: {error}");
                    self.summary.damaged(path.display().to_string(), &error);
                }
                other => other?,
            }
        }
        Ok(())
    }

    fn input(&mut self, path: &Path, meter: &MeterSettings) -> Result<(), Halt> {
        let mut source = input::open(path, meter).map_err(Halt::Input)?;
        let mut bar = Meter::new(&path.display().to_string());
        let read = self.events(&mut *source, &mut bar);
        bar.finish();
        self.summary.count(&*source);
        read
    }

    fn events(&mut self, source: &mut dyn EventSource, bar: &mut Meter) -> Result<(), Halt> {
        let mut event = Event::default();
        loop {
            match source.read(&mut event).map_err(Halt::Input)? {
                Item::Event => {
                    self.output.write(&event).map_err(Halt::Output)?;
                    self.summary.events += 1;
                }
                Item::Rejected(rejection) => {
                    if let Some(letters) = &mut self.dead_letters {
                        letters.keep(&rejection).map_err(|error| Halt::Output(error.into()))?;
                    }
                    self.summary.reject(&rejection);
                }
                Item::End => return Ok(()),
            }
            bar.item(|| source.progress());
            if self.stop.load(Ordering::Relaxed) {
                return Err(Halt::Stopped);
            }
        }
    }

    /// Every input was read, or given up as the user asked.
    fn finish(self, args: &Args) -> anyhow::Result<()> {
        self.output.finish()?;
        self.dead_letters.map_or(Ok(()), DeadLetters::finish)?;
        let damaged = self.summary.damaged_inputs.len();
        if damaged > 0 {
            input::tell_damaged(damaged, args.inputs.len());
        }
        self.summary.print(args.json, args.stdout_is_free())?;
        if damaged > 0 {
            input::exit_damaged();
        }
        Ok(())
    }

    /// Saves what can be saved, prints the counts, and gives the error to end with.
    fn break_off(mut self, args: &Args, halt: &Halt) -> anyhow::Error {
        self.summary.stopped = matches!(halt, Halt::Stopped);
        match self.save(args) {
            Ok((events, written)) => explain(args, halt, events, written),
            Err(error) => error,
        }
    }

    /// Gives the number of events, and whether they are written.
    fn save(self, args: &Args) -> anyhow::Result<(u64, bool)> {
        let written = self.output.break_off()?;
        self.dead_letters.map_or(Ok(()), DeadLetters::break_off)?;
        if self.summary.is_blank() && !args.json {
            return Ok((0, written));
        }
        self.summary.print(args.json, args.stdout_is_free())?;
        Ok((self.summary.events, written))
    }
}

impl Args {
    fn stdout_is_free(&self) -> bool {
        self.out != Path::new("-")
    }
}

fn explain(args: &Args, halt: &Halt, events: u64, written: bool) -> anyhow::Error {
    let state = if events == 0 {
        "no event was read before".to_owned()
    } else if written {
        format!("the {events} events read until then were written")
    } else {
        format!("stopped after {events} events; {} was not written", args.out.display())
    };
    match halt {
        Halt::Stopped => anyhow!("stopped by a signal; {state}. Run the same command again"),
        Halt::Input(error) if input::is_damage(error) && !args.keep_going => {
            anyhow!("{error}; {state}; {}", input::KEEP_GOING_HINT)
        }
        Halt::Input(error) => anyhow!("{error}; {state}"),
        Halt::Output(error) => anyhow!("{error:#}"),
    }
}
