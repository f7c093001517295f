//! Figures and plots of the proving ground and of the levitation scenario.
//!
//! ```text
//! plots proving RUNS.jsonl OUT.svg       from what `prove.sh` wrote: a panel for each setting and priority
//! plots levitation OUT.svg [SEEDS]       runs the scenario, in virtual time (10 seeds, some seconds a core)
//! ```
//! Tables go to standard output, as in `docs/sidecar.md`.

use std::error::Error;

use forebay_predictor::levitation::{fair, published};
use forebay_predictor::plot::{Panel, Series, Spread, draw};
use serde_json::Value;

/// What a program takes a second, in the fair scenario: a little less than the burst brings, and much less.
const DRAINS_PPS: [f64; 3] = [40_000.0, 45_000.0, 48_000.0];

/// When the first sample may have been taken in the published form, in microseconds.
const FIRST_SAMPLES_US: [f64; 4] = [160.0, 440.0, 5_000.0, 500_000.0];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["proving", runs, out] => proving(&fs_err::read_to_string(runs)?, out),
        ["levitation", out] => levitation(out, 10),
        ["levitation", out, seeds] => levitation(out, seeds.parse()?),
        _ => Err("usage: plots proving RUNS.jsonl OUT.svg | plots levitation OUT.svg [SEEDS]".into()),
    }
}

fn proving(lines: &str, out: &str) -> Result<(), Box<dyn Error>> {
    let runs: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let text = |run: &Value, name: &str| run[name].as_str().unwrap_or_default().to_owned();
    let mut panels: Vec<Panel> = Vec::new();
    let mut waits: Vec<(String, String, f64)> = Vec::new();
    for run in &runs {
        let title = format!("{}, {} priority", text(run, "setting"), text(run, "priority"));
        let place = panels.iter().position(|panel| panel.title == title).unwrap_or_else(|| {
            let (x_label, y_label) = ("mean of all limits, MB".to_owned(), "datagrams lost, %".to_owned());
            panels.push(Panel { title: title.clone(), x_label, y_label, series: Vec::new() });
            panels.len() - 1
        });
        let megabytes = run["mean_limits_bytes"].as_f64().ok_or("a run without mean_limits_bytes")? / 1e6;
        let lost = run["lost_percent"].as_f64().ok_or("a run without lost_percent")?;
        push(&mut panels[place].series, &text(run, "policy"), (megabytes, lost));
        if let Some(wait_ms) = run["longest_wait_ms"].as_f64() {
            waits.push((title, text(run, "policy"), wait_ms));
        }
    }
    panels.iter().for_each(table);
    println!("\nLongest wait, ms (least to most)\n");
    for panel in &panels {
        for series in &panel.series {
            let own = waits.iter().filter(|(title, name, _)| *title == panel.title && *name == series.name);
            let wait = Spread::of(own.map(|(_, _, wait_ms)| *wait_ms));
            println!("{}: {} {:.0} ({:.0} to {:.0})", panel.title, series.name, wait.mean, wait.least, wait.most);
        }
    }
    fs_err::write(out, draw(&panels, 3))?;
    Ok(())
}

fn levitation(out: &str, seeds: u64) -> Result<(), Box<dyn Error>> {
    println!("As published (no queue), 30 s, {seeds} seeds: drops counted, those of the first sample\n");
    println!("| first sample after | reactive | predictive |\n|---|---|---|");
    for first_us in FIRST_SAMPLES_US {
        let cell = |rule| {
            let runs: Vec<published::Outcome> = (1..=seeds).map(|seed| published::run(rule, seed, first_us)).collect();
            let drops = Spread::of(runs.iter().map(|run| run.drops as f64));
            let first = Spread::of(runs.iter().map(published::Outcome::first_percent));
            format!("{:.0}, {:.0} %", drops.mean, first.mean)
        };
        println!(
            "| {} | {} | {} |",
            time(first_us),
            cell(published::Rule::Reactive),
            cell(published::Rule::Predictive)
        );
    }
    let mut panels = Vec::new();
    for drain_pps in DRAINS_PPS {
        for has_ramp in [true, false] {
            let mut panel = Panel {
                title: format!(
                    "{} ramp, program takes {:.0}k a second",
                    if has_ramp { "with" } else { "without" },
                    drain_pps / 1e3
                ),
                x_label: "mean limit, MB".to_owned(),
                y_label: "packets lost, %".to_owned(),
                series: Vec::new(),
            };
            for sizing in fair::Sizing::all() {
                for seed in 1..=seeds {
                    let outcome = fair::run(sizing, seed, has_ramp, drain_pps);
                    push(&mut panel.series, sizing.name(), (outcome.mean_limit_bytes / 1e6, outcome.lost_percent()));
                }
            }
            table(&panel);
            panels.push(panel);
        }
    }
    fs_err::write(out, draw(&panels, 2))?;
    Ok(())
}

fn time(us: f64) -> String {
    if us < 1_000.0 { format!("{us:.0} us") } else { format!("{:.0} ms", us / 1_000.0) }
}

fn push(series: &mut Vec<Series>, name: &str, run: (f64, f64)) {
    match series.iter_mut().find(|series| series.name == name) {
        Some(series) => series.runs.push(run),
        None => series.push(Series { name: name.to_owned(), runs: vec![run] }),
    }
}

fn table(panel: &Panel) {
    println!(
        "\n{}\n\n| rule | {} (least to most) | {} (least to most) | runs |\n|---|---|---|---|",
        panel.title, panel.y_label, panel.x_label
    );
    for series in &panel.series {
        let lost = Spread::of(series.runs.iter().map(|run| run.1));
        let held = Spread::of(series.runs.iter().map(|run| run.0));
        println!(
            "| {} | {:.2} ({:.2} to {:.2}) | {:.2} ({:.2} to {:.2}) | {} |",
            series.name,
            lost.mean,
            lost.least,
            lost.most,
            held.mean,
            held.least,
            held.most,
            series.runs.len()
        );
    }
}
