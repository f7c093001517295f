//! `forebay sidecar --once`: one look, and nothing is changed.

use std::io::{self, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use forebay_predictor::sidecar::{Report, Settings, Sidecar};
use forebay_predictor::target::{Finder, show_size};

use crate::shown::printable;

/// How long it looks: long enough to see what a steady load leaves in the queues.
const LOOK: Duration = Duration::from_secs(1);

/// Looks and prints.
pub(super) fn run(mut sidecar: Sidecar, settings: &Settings, is_json: bool) -> anyhow::Result<()> {
    let pass = Finder::new(settings.targets.clone()).pass()?;
    sidecar.take(pass, 0);
    let start = Instant::now();
    while start.elapsed() < LOOK {
        sidecar.tick(start.elapsed().as_millis() as u64);
        thread::sleep(settings.tick);
    }
    let report = sidecar.report();
    let mut out = io::stdout().lock();
    if is_json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        print(&mut out, &report)?;
    }
    Ok(())
}

fn print(out: &mut impl io::Write, report: &Report) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["target", "program", "pid", "kind", "port", "queued", "limit", "would be", "drops"]);
    for column in [2, 4, 5, 6, 7, 8] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for buffer in &report.buffers {
        table.add_row([
            printable(&buffer.target),
            printable(&buffer.program),
            buffer.pid.to_string(),
            format!("{:?}", buffer.kind).to_lowercase(),
            buffer.port.to_string(),
            show_size(buffer.queued_bytes),
            show_size(buffer.ceiling_bytes),
            show_size(buffer.recommended_bytes),
            buffer.dropped_packets.to_string(),
        ]);
    }
    writeln!(out, "{table}")?;
    for target in report.targets.iter().filter(|target| target.buffers == 0) {
        writeln!(out, "{}: nothing that runs is this target", printable(&target.name))?;
    }
    let (committed, budget) = (show_size(report.committed_bytes), show_size(report.budget_bytes));
    writeln!(out, "{committed} of {budget} would be given out by {}; nothing was changed", report.policy)
}
