//! The batch job on files of events, without an index: events a second by the clock and by processor time, and where the time
//! went. The output folder must not be there yet; it is removed again.
//!
//! `cargo run --release --example batch_throughput -- OUT FILE.jsonl...`
//!
//! `--parse-only FILE.jsonl` only reads and decodes, on one thread for each core: the limit that the job cannot pass. The last
//! line is JSON.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use forebay_embedder::batch::{Input, Job, NoObserver, Options, run};
use forebay_event::chunk::{Chunk, Decoder};
use forebay_event::source::{EventSource, Item};
use forebay_event::{Event, import};

/// Processor time is counted in these by `/proc/self/stat`: 1/100 s on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Lines taken from the file at a time.
const CHUNK_LINES: usize = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().ok_or("usage: batch_throughput OUT|--parse-only FILE...")?);
    if out == Path::new("--parse-only") {
        return parse_only(Path::new(&arguments.next().ok_or("--parse-only wants a file")?));
    }
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

fn parse_only(path: &Path) -> Result<(), Box<dyn Error>> {
    let (source, events) = (Mutex::new(import::open_path(path)?), AtomicU64::new(0));
    let (began, before) = (Instant::now(), processor_seconds());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| events.fetch_add(decode_share(&source), Ordering::Relaxed));
        }
    });
    let (seconds, processor) = (began.elapsed().as_secs_f64(), processor_seconds() - before);
    let events = events.into_inner() as f64;
    let (rate, cost) = (events / seconds, processor / events * 1e6);
    println!(
        r#"{{"events": {events}, "seconds": {seconds}, "events_per_second": {rate}, "cpu_us_per_event": {cost}}}"#
    );
    Ok(())
}

/// Takes lines from `source` and decodes them until there are no more; gives the events.
fn decode_share(source: &Mutex<Box<dyn EventSource>>) -> u64 {
    let (mut chunk, mut decoder, mut event, mut events) = (Chunk::default(), Decoder::default(), Event::default(), 0);
    loop {
        chunk.clear();
        let more = {
            let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
            source.chunks().and_then(|lines| lines.fill(&mut chunk, CHUNK_LINES, usize::MAX).ok())
        };
        for place in 0..chunk.len() {
            events += u64::from(decoder.read(&chunk, place, &mut event) == Item::Event);
        }
        if more != Some(true) {
            return events;
        }
    }
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
