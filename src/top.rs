//! `forebay top`: what a running sidecar does, on a terminal.
//!
//! [`source`] asks the sidecar over HTTP, [`model`] remembers what came to draw arrivals over time, [`view`] draws. It only reads.

mod model;
mod source;
mod view;

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::bail;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use crate::config::Config;
use model::Model;
use source::Source;

/// How often it asks. Four times a second is what an eye follows, and 5 KB for 100 buffers over a slow line.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// Look at what a running sidecar does
///
/// Asks the sidecar at sidecar.listen. Keys: q ends, arrows or j and k choose a buffer.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address of the sidecar instead of sidecar.listen
    #[arg(long, value_name = "ADDRESS")]
    at: Option<SocketAddr>,
}

pub(crate) fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let source = Source::new(args.at.unwrap_or(config.sidecar.listen), &config.sidecar.token)?;
    // Asked before the terminal is taken over, so that a missing sidecar is an error in plain words.
    let mut model = Model::default();
    model.take(source.ask()?);
    if !io::stdout().is_terminal() {
        bail!(
            "`forebay top` draws on a terminal; for programs there is `forebay sidecar --once --json` and GET /v1/buffers"
        );
    }
    let mut terminal = ratatui::try_init()?;
    let result = watch(&mut terminal, &source, &mut model);
    ratatui::restore();
    result
}

fn watch(terminal: &mut ratatui::DefaultTerminal, source: &Source, model: &mut Model) -> anyhow::Result<()> {
    let mut asked = Instant::now();
    loop {
        terminal.draw(|frame| view::draw(frame, model))?;
        let wait = ASK_EVERY.saturating_sub(asked.elapsed());
        if event::poll(wait)?
            && let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
        {
            match key.code {
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
                KeyCode::Down | KeyCode::Char('j') => model.choose(1),
                KeyCode::Up | KeyCode::Char('k') => model.choose(-1),
                _ => {}
            }
        }
        if asked.elapsed() >= ASK_EVERY {
            asked = Instant::now();
            match source.ask() {
                Ok(report) => model.take(report),
                Err(error) => model.lost(format!("{error:#}")),
            }
        }
    }
}
