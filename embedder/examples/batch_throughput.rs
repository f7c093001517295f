//! The batch job on files of events, without an index: events a second by the clock and by processor time, and where the time
//! went. The output folder must not be there yet; it is removed again.
//!
//! `cargo run --release --example batch_throughput -- OUT FILE.jsonl...`

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use forebay_embedder::batch::{Input, Job, NoObserver, Options, run};
use forebay_event::import;

/// Processor time is counted in these by `/proc/self/stat`: 1/100 s on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().ok_or("usage: batch_throughput OUT FILE...")?);
    let inputs = arguments.map(|file| input(Path::new(&file))).collect::<Result<Vec<_>, _>>()?;
    let model = forebay_embedder::models::event(None)?;
    let job = Job { inputs, out: out.clone(), model: &model, options: Options::default(), sink: None };
    let before = processor_seconds();
    let summary = run(job, &AtomicBool::new(false), &mut NoObserver)?;
    let seconds = processor_seconds() - before;
    fs_err::remove_dir_all(out)?;
    let events = summary.events as f64;
    println!("{events} events, {} bytes read, {} written", summary.bytes_read, summary.bytes_written);
    println!("{:.0} events/s by the clock ({:.2} s)", summary.events_per_second, summary.seconds);
    println!("{:.0} events per processor second ({:.2} us each)", events / seconds, seconds / events * 1e6);
    println!("{:#?}", summary.times);
    Ok(())
}

fn input(path: &Path) -> std::io::Result<Input> {
    let owned = path.to_owned();
    Input::file(path, move || import::open_path(&owned))
}

/// User and system time of this process (proc(5), fields 14 and 15 of its `stat`).
fn processor_seconds() -> f64 {
    let text = fs_err::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field may hold spaces, and ends with the last parenthesis.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}
