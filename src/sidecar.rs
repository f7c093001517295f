//! `forebay sidecar`: watches receive buffers of running programs and shares one memory budget among them.

mod eyes;
mod once;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use forebay_predictor::actuate::host::Wish;
use forebay_predictor::advice::{Advisor, Listen, Token};
use forebay_predictor::control::Rules;
use forebay_predictor::metrics::Metrics;
use forebay_predictor::policy::{self, Policy};
use forebay_predictor::sidecar::{Control, Reread, Settings, Sidecar, run as run_loop};
use forebay_predictor::target::parse_targets;
use signal_hook::consts::SIGHUP;

use crate::config::{Config, Sidecar as Values};
use crate::stop;

/// Watch receive buffers of running programs and share one memory budget among them, until SIGINT or SIGTERM
///
/// What it changed it puts back when it ends, and at the next start if it was killed. SIGHUP reads the configuration anew.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Look for a second, tell what is there and what would be done, and change nothing
    #[arg(long)]
    once: bool,
    /// With --once: the report as one JSON object
    #[arg(long, requires = "once")]
    json: bool,
    /// Change nothing and log what would be done
    #[arg(long)]
    dry_run: bool,
}

/// `reread` gives the configuration as it is now, for SIGHUP.
pub(crate) fn run(args: &Args, config: &Config, reread: &dyn Fn() -> anyhow::Result<Config>) -> anyhow::Result<()> {
    let values = &config.sidecar;
    let settings = settings(values, args.dry_run || args.once)?;
    let arrivals = eyes::open(&values.interfaces, &settings.targets)?;
    let sidecar = Sidecar::start(&settings, policy(values)?, arrivals)?;
    if args.once {
        return once::run(sidecar, &settings, args.json);
    }
    let stop = stop::on_signal()?;
    let hangup = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP, Arc::clone(&hangup))?;
    let counts = serve(sidecar, &settings, values, || {
        if stop.load(Ordering::Relaxed) {
            return Control::Stop;
        }
        if hangup.swap(false, Ordering::Relaxed) { read_anew(reread, values) } else { Control::Go }
    })?;
    tracing::info!(counts = %serde_json::to_string(&counts)?, "stopped; what was changed is put back");
    Ok(())
}

/// Runs the loop with those who listen to it. Puts everything back, whatever ended the loop.
fn serve(
    mut sidecar: Sidecar,
    settings: &Settings,
    values: &Values,
    control: impl FnMut() -> Control,
) -> anyhow::Result<forebay_predictor::sidecar::Counts> {
    let mut metrics = Metrics::new();
    let listen = Listen {
        http: Some(values.listen),
        token: Token::new(&values.token),
        socket: (!values.socket.as_os_str().is_empty()).then(|| values.socket.clone()),
    };
    let started = Advisor::start(&listen, metrics.handle());
    let result = started.map_err(anyhow::Error::from).and_then(|(advisor, mut publisher)| {
        let address = advisor.address().map_or_else(String::new, |address| format!("http://{address}"));
        tracing::info!(
            address,
            budget_bytes = settings.budget_bytes,
            targets = settings.targets.len(),
            policy = values.policy,
            dry_run = settings.dry_run,
            "the sidecar runs"
        );
        let see = |sidecar: &Sidecar| {
            metrics.tick(sidecar.tick_took());
            if let Some(report) = publisher.offer(sidecar) {
                metrics.update(&report);
            }
        };
        Ok(run_loop(&mut sidecar, settings.tick, control, see)?)
    });
    let counts = sidecar.finish()?;
    result.map(|()| counts)
}

/// The configuration as it is now. What is wrong with it leaves the old one in force.
fn read_anew(reread: &dyn Fn() -> anyhow::Result<Config>, old: &Values) -> Control {
    let read = reread().and_then(|config| {
        let settings = settings(&config.sidecar, false)?;
        settings.check()?;
        Ok((settings, policy(&config.sidecar)?, config.sidecar))
    });
    match read {
        Ok((settings, policy, values)) => {
            tracing::info!(targets = settings.targets.len(), policy = values.policy, "the configuration was read anew");
            for name in only_at_start(old, &values) {
                tracing::warn!(setting = name, "was changed, and counts from the next start on");
            }
            Control::Reread(Box::new(Reread { settings, policy }))
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the configuration was not read anew; the old one stays");
            Control::Go
        }
    }
}

/// Settings that differ and can only be set at the start.
fn only_at_start(old: &Values, new: &Values) -> Vec<&'static str> {
    let differs = [
        ("sidecar.interfaces", old.interfaces != new.interfaces),
        ("sidecar.listen", old.listen != new.listen),
        ("sidecar.socket", old.socket != new.socket),
        ("sidecar.state_file", old.state_file != new.state_file),
        ("sidecar.token", old.token != new.token),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

fn settings(values: &Values, dry_run: bool) -> anyhow::Result<Settings> {
    Ok(Settings {
        targets: parse_targets(&values.targets).context("sidecar.targets")?,
        host: Wish::parse_list(&values.host).map_err(|reason| anyhow::anyhow!("sidecar.host: {reason}"))?,
        budget_bytes: values.budget_bytes,
        rules: Rules { hold_ms: values.hold_ms, changes_per_s: values.changes_per_s },
        tick: Duration::from_millis(values.tick_ms),
        state_file: values.state_file.clone(),
        dry_run,
    })
}

/// The rule that the configuration names.
fn policy(values: &Values) -> anyhow::Result<Box<dyn Policy>> {
    Ok(values.policy.parse::<policy::Kind>().context("sidecar.policy")?.build())
}
