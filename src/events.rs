//! `forebay events show`: one event, whole.

use std::io::{self, Write};

use anyhow::bail;
use forebay_event::{Event, FEATURE_NAMES, jsonl};

use crate::config::Config;
use crate::shown::{duration, end, printable, service, time};
use crate::target::Target;

/// Look at single events
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show an event with all its features
    Show {
        /// The event's identifier, as a search gives it
        id: String,
        /// As one line of JSON
        #[arg(long)]
        json: bool,
        /// Ask a running server
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
}

pub(crate) fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    let Action::Show { id, json, url } = args.action;
    let Some(event) = Target::open(config, url.as_deref())?.event(&id)? else {
        bail!("there is no event {id} in this index");
    };
    let mut out = io::stdout().lock();
    if json {
        let mut line = Vec::new();
        jsonl::write(&event, &mut line);
        line.push(b'\n');
        return Ok(out.write_all(&line)?);
    }
    Ok(show(&event, &mut out)?)
}

fn show(event: &Event, out: &mut impl Write) -> io::Result<()> {
    for (name, value) in envelope(event) {
        if !value.is_empty() {
            writeln!(out, "{name:<14} {}", printable(&value))?;
        }
    }
    writeln!(out)?;
    for (name, value) in FEATURE_NAMES.iter().zip(&event.features.0) {
        if value.is_nan() {
            writeln!(out, "  {name:<24} unknown")?;
        } else {
            writeln!(out, "  {name:<24} {value}")?;
        }
    }
    Ok(())
}

fn envelope(event: &Event) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let score = |value: Option<f32>| value.map_or_else(String::new, |score| score.to_string());
    let flow = &event.flow;
    vec![
        ("event", event.event_id.to_string()),
        ("first packet", time(event.start_us)),
        ("last packet", time(event.end_us)),
        ("lasted", duration(event.end_us.saturating_sub(event.start_us) as f64)),
        ("from", end(flow.src_ip, flow.src_port)),
        ("to", end(flow.dst_ip, flow.dst_port)),
        ("protocol", flow.protocol.to_string()),
        ("service", service(event)),
        ("host", text(&event.app.host)),
        ("vlan", flow.vlan.map_or_else(String::new, |vlan| vlan.to_string())),
        ("community id", flow.community_id.clone()),
        ("verdict", event.class.verdict.map_or_else(String::new, |verdict| verdict.as_str().to_owned())),
        ("family", text(&event.class.family)),
        ("technique", text(&event.class.technique)),
        ("score", score(event.scores.r#final)),
        ("label", text(&event.label.truth)),
        ("seen by", [&event.sensor, &event.node_id].map(String::as_str).join(" ").trim().to_owned()),
        ("seen on", event.interface.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_time_between_two_packets_is_shown() {
        let event = Event { start_us: i64::MIN, end_us: i64::MAX, sensor: "a\u{1b}[2J".to_owned(), ..Event::default() };
        let mut out = Vec::new();
        show(&event, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("lasted         2562047788.0 h"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
