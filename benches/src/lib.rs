//! What the benches share: real events, made by metering the bundled capture; the data set of the search comparison; times
//! and memory.

pub mod baseline;
pub mod dataset;
pub mod measure;
pub mod processor;
pub mod workloads;

use std::path::{Path, PathBuf};

use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::source::{EventSource, Item, SourceError};
use forebay_event::{Event, EventId};

/// The bundled capture.
pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab/sample/traffic.pcap.gz")
}

/// The events of the bundled capture.
pub fn sample_events() -> Result<Vec<Event>, SourceError> {
    let mut source = CaptureSource::open_path(sample(), MeterConfig::default())?;
    let mut events = Vec::new();
    let mut event = Event::default();
    loop {
        match source.read(&mut event)? {
            Item::Event => events.push(event.clone()),
            Item::Rejected(_) => {}
            Item::End => return Ok(events),
        }
    }
}

/// `count` events: those of the bundled capture over and over, each time with other identifiers and an hour later.
pub fn repeated(count: usize) -> Result<Vec<Event>, SourceError> {
    let sample = sample_events()?;
    let rounds = sample.iter().cycle().take(count).enumerate().map(|(place, event)| {
        let hours = (place / sample.len()) as i64;
        let mut event = event.clone();
        event.start_us += hours * 3_600_000_000;
        event.end_us += hours * 3_600_000_000;
        event.event_id = EventId::derive(event.start_us, &[&(place as u64).to_le_bytes()]);
        event
    });
    Ok(rounds.collect())
}
