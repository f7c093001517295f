//! How far the meter agrees, flow by flow, with two meters of others: prints the tables of `docs/meter.md`.
//!
//! `cargo run -p forebay-ebpf --example agreement [-- --differences FEATURE]`
//!
//! Reads `../shared/data/pcaps` and what nfstream and the corrected `CICFlowMeter` printed for them (`../shared/data/reference`). A flow is
//! *cut alike* where both name the same ends in the same direction, the same first and last packet time and the same number of
//! packets; only these are compared. Where a tool has another unit or estimator, ours is converted to it, and the table says so; a value agrees
//! if it differs by at most 0.1 %, or by the tool's clock tick (nfstream: 1 ms).

#[path = "agreement/rows.rs"]
mod rows;

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::Event;
use forebay_event::source::{EventSource, Item, SourceError};

use rows::{CICFLOWMETER, NFSTREAM, Row, Tool};

const TOLERANCE: f64 = 0.001;

type Failure = Box<dyn std::error::Error>;

/// Capture, source, destination, protocol and start in the tool's ticks.
type Key = (String, String, String, u8, i64);

fn main() -> Result<(), Failure> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !data.join("reference").is_dir() {
        eprintln!("SKIPPED: ../shared/data/reference is absent, there is nothing to compare with");
        return Ok(());
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let shown = match arguments.as_slice() {
        [flag, feature] if flag == "--differences" => Some(feature.as_str()),
        _ => None,
    };
    for tool in [&NFSTREAM, &CICFLOWMETER] {
        let ours = metered(&data.join("pcaps"), tool)?;
        compare(&data.join("reference").join(tool.file), tool, ours, shown)?;
    }
    Ok(())
}

/// The events of every capture, by key; several with one key stay in their order.
fn metered(folder: &Path, tool: &Tool) -> Result<HashMap<Key, Vec<Event>>, Failure> {
    let mut paths: Vec<PathBuf> =
        fs_err::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
    let mut events: HashMap<Key, Vec<Event>> = HashMap::new();
    for path in paths {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let config = MeterConfig { active_timeout_us: tool.active_timeout_us, ..MeterConfig::default() };
        for event in read(CaptureSource::open_path(&path, config)?)? {
            events.entry(key(&name, &event, tool)).or_default().push(event);
        }
    }
    Ok(events)
}

fn read(mut source: CaptureSource) -> Result<Vec<Event>, SourceError> {
    let mut events = Vec::new();
    let mut event = Event::default();
    while source.read(&mut event)? != Item::End {
        events.push(event.clone());
    }
    Ok(events)
}

fn key(capture: &str, event: &Event, tool: &Tool) -> Key {
    let flow = &event.flow;
    let end = |ip: std::net::IpAddr, port: u16| format!("{ip} {port}");
    let (src, dst) = (end(flow.src_ip, flow.src_port), end(flow.dst_ip, flow.dst_port));
    (capture.to_owned(), src, dst, flow.protocol, event.start_us.div_euclid(tool.tick_us))
}

#[derive(Default)]
struct Tally {
    compared: u64,
    equal: u64,
}

/// Host names, of flows cut alike.
#[derive(Default)]
struct Hosts {
    both: u64,
    equal: u64,
    ours: u64,
    theirs: u64,
}

impl Hosts {
    fn add(&mut self, ours: &str, theirs: &str, shown: Option<&str>) {
        match (ours.is_empty(), theirs.is_empty()) {
            (true, true) => {}
            (false, true) => self.ours += 1,
            (true, false) => self.theirs += 1,
            (false, false) => {
                self.both += 1;
                self.equal += u64::from(theirs.eq_ignore_ascii_case(ours));
            }
        }
        if shown == Some("app.host") && !theirs.eq_ignore_ascii_case(ours) {
            println!("app.host: ours {ours:?}, theirs {theirs:?}");
        }
    }
}

fn compare(path: &Path, tool: &Tool, mut ours: HashMap<Key, Vec<Event>>, shown: Option<&str>) -> Result<(), Failure> {
    let mut text = String::new();
    MultiGzDecoder::new(fs_err::File::open(path)?).read_to_string(&mut text)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns: HashMap<String, usize> =
        reader.headers()?.iter().enumerate().map(|(place, name)| (name.to_owned(), place)).collect();
    let mut tallies: Vec<Tally> = tool.rows.iter().map(|_| Tally::default()).collect();
    let (mut flows, mut begun, mut alike) = (0u64, 0u64, 0u64);
    let mut hosts = Hosts::default();
    let mut otherwise: HashMap<String, u64> = HashMap::new();
    for record in reader.records() {
        let record = record?;
        let field = |name: &str| record.get(columns[name]).unwrap_or_default();
        flows += 1;
        let Some((theirs, end_ticks)) = (tool.key)(&field) else { continue };
        let packets: f64 = tool.packets.iter().filter_map(|column| field(column).parse::<f64>().ok()).sum();
        let same_cut =
            |event: &Event| event.end_us.div_euclid(tool.tick_us) == end_ticks && rows::packets(event) == packets;
        let Some(candidates) = ours.get_mut(&theirs) else { continue };
        begun += 1;
        let Some(place) = candidates.iter().position(same_cut) else {
            *otherwise.entry(theirs.0).or_default() += 1;
            continue;
        };
        let event = candidates.remove(place);
        alike += 1;
        for (row, tally) in tool.rows.iter().zip(&mut tallies) {
            count(row, tally, &event, field(row.column), tool, shown);
        }
        if let Some(column) = tool.host {
            hosts.add(event.app.host.as_deref().unwrap_or_default(), field(column), shown);
        }
    }
    if shown.is_none() {
        print(tool, [flows, begun, alike], &tallies, &hosts);
        let worst = otherwise.iter().max_by_key(|(_, count)| **count);
        if let Some((capture, count)) = worst {
            let all: u64 = otherwise.values().sum();
            println!("Of the {all} flows that begin alike and are cut otherwise, {count} are in `{capture}`.\n");
        }
    }
    Ok(())
}

fn count(row: &Row, tally: &mut Tally, event: &Event, text: &str, tool: &Tool, shown: Option<&str>) {
    let (Some(ours), Ok(theirs)) = ((row.ours)(event), text.parse::<f64>()) else { return };
    let slack = if row.is_time { tool.slack } else { 0.0 };
    tally.compared += 1;
    if (ours - theirs).abs() <= TOLERANCE * ours.abs().max(theirs.abs()) + slack + 1e-9 {
        tally.equal += 1;
    } else if shown == Some(row.feature) {
        println!("{}: ours {ours}, theirs {theirs} in {:?} from {}", row.feature, event.flow, event.start_us);
    }
}

fn print(tool: &Tool, [flows, begun, alike]: [u64; 3], tallies: &[Tally], hosts: &Hosts) {
    println!("### {}\n", tool.name);
    let (begun_share, alike_share) = (share(begun, flows), share(alike, flows));
    println!("{flows} flows: {begun} ({begun_share}) begin alike, {alike} ({alike_share}) are cut alike.\n");
    println!("| feature | its column | compared as | flows | equal | why not |");
    println!("|---|---|---|---|---|---|");
    for (row, tally) in tool.rows.iter().zip(tallies) {
        let why = if tally.equal == tally.compared { "" } else { row.why_not };
        let share = share(tally.equal, tally.compared);
        println!("| {} | {} | {} | {} | {share} | {why} |", row.feature, row.column, row.how, tally.compared);
    }
    if let Some(column) = tool.host {
        let equal = share(hosts.equal, hosts.both);
        println!("| app.host | {column} | where both give one | {} | {equal} | {} |", hosts.both, tool.host_why_not);
    }
    println!();
    if tool.host.is_some() {
        println!("Only ours gives a host for {} flows, only theirs for {}.\n", hosts.ours, hosts.theirs);
    }
}

fn share(part: u64, whole: u64) -> String {
    if part == whole { "100 %".to_owned() } else { format!("{:.2} %", 100.0 * part as f64 / whole as f64) }
}
