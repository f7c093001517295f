//! `forebay capture`: live traffic of an interface as events, into lines of JSON or straight to a running server.
//!
//! **Promise.** Every packet that passes the interface is in one event or counted under the reason why not; at the end, also
//! after Ctrl-C, open flows are given and the books are printed. What this process may do beyond reading is given up once it is
//! attached. A server that is away is tried again with a bounded queue behind it; what falls out of that is counted.

mod sink;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use forebay_ebpf::MeterConfig;
use forebay_ebpf::live::capabilities::{Capability, keep_only};
use forebay_ebpf::live::{Hook, HookChoice, LiveConfig, LiveMeter, LiveSource, Netns};
use forebay_event::Event;
use forebay_event::source::{EventSource as _, Item};

use crate::config::{Config, Meter};
use crate::stop;
use sink::Sink;
use summary::Summary;

const MICROSECONDS: i64 = 1_000_000;

/// Options of `forebay capture`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The interface whose traffic is metered
    #[arg(long, short, value_name = "IF")]
    interface: String,
    /// The network namespace it lies in: a name of `ip netns`, a path, or the number of a process (of a container) in it
    #[arg(long, value_name = "NETNS")]
    netns: Option<String>,
    /// Stop after this long; without it, at Ctrl-C
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Where lines are written, as flows end; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Store the events on this server instead, for example `http://127.0.0.1:8787`
    #[arg(long, value_name = "URL", conflicts_with = "output")]
    to: Option<String>,
    /// Flows followed at a time, in kernel memory of a fixed size (about 450 bytes each)
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(16..=4_194_304))]
    table: u32,
    /// What the programs are attached to
    #[arg(long, value_enum, default_value_t = HookArg::Auto)]
    hook: HookArg,
    /// Print the books as one JSON object: on standard output, or, where the events go there, as the last line of standard error
    #[arg(long)]
    json: bool,
}

/// What the programs are attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum HookArg {
    /// tcx, or clsact where the kernel has no tcx
    Auto,
    /// tcx (Linux 6.6) or nothing
    Tcx,
    /// clsact: filters that stay if this process is killed
    Clsact,
}

/// Meters until it is told to stop.
pub(crate) fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let time = args.seconds.map(Duration::try_from_secs_f64).transpose().context("--seconds")?;
    let stop = stop::on_signal()?;
    let mut sink = Sink::open(args.to.as_deref(), &args.output, config)?;
    let meter = LiveMeter::attach(&live_config(args, &config.meter))?;
    for note in meter.notes() {
        tracing::warn!("{note}");
    }
    // Nothing has been started yet that would keep them. Reading needs none, and tcx lets go by itself; filters of clsact have to be
    // taken off.
    let kept: &[Capability] = match meter.hook() {
        Hook::Tcx => &[],
        Hook::Clsact => &[Capability::NetAdmin, Capability::SysAdmin],
    };
    let gone = keep_only(kept).context("giving up capabilities")?;
    tracing::debug!(hook = meter.hook().name(), ?gone, "attached");
    eprintln!("forebay: metering {} by {}; Ctrl-C ends", args.interface, meter.hook().name());
    let name = format!("interface {}", args.interface);
    let mut source = LiveSource::new(meter, name, Arc::clone(&stop), time);
    let read = copy(&mut source, &mut sink);
    let delivered = sink.finish();
    let summary = Summary { books: source.books()?, delivered: delivered.counts, stopped: read.is_err() };
    summary.print(args.json, args.to.is_some() || args.output != Path::new("-"))?;
    read?;
    match delivered.error {
        Some(error) => Err(error),
        None if summary.books.open() != 0 => {
            bail!(
                "the books do not balance: {} packets are neither in an event nor counted; please report this",
                summary.books.open()
            )
        }
        None => Ok(()),
    }
}

/// Every event until the end, which is an error where the interface has gone.
fn copy(source: &mut LiveSource, sink: &mut Sink) -> anyhow::Result<()> {
    let mut event = Event::default();
    loop {
        while !source.is_ready() {
            sink.flush()?;
            source.step()?;
        }
        match source.read(&mut event)? {
            Item::Event => sink.write(&event)?,
            // A meter rejects nothing: packets that are in no event are in the books.
            Item::Rejected(_) => {}
            Item::End => return Ok(()),
        }
    }
}

fn live_config(args: &Args, meter: &Meter) -> LiveConfig {
    LiveConfig {
        netns: args.netns.as_deref().map(Netns::parse),
        meter: MeterConfig {
            idle_timeout_us: meter.idle_timeout_s as i64 * MICROSECONDS,
            active_timeout_us: meter.active_timeout_s as i64 * MICROSECONDS,
            activity_timeout_us: meter.activity_timeout_s as i64 * MICROSECONDS,
            flows_max: args.table as usize,
            node_id: meter.node_id.clone(),
            sensor: meter.sensor.clone(),
            interface: args.interface.clone(),
        },
        ports_max: 1,
        hook: match args.hook {
            HookArg::Auto => HookChoice::Auto,
            HookArg::Tcx => HookChoice::Tcx,
            HookArg::Clsact => HookChoice::Clsact,
        },
        drops: false,
        ..LiveConfig::of(args.interface.as_str())
    }
}
