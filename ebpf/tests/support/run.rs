//! A capture through the meter, to its end.

use std::collections::BTreeMap;
use std::io::Cursor;

use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::Event;
use forebay_event::source::{EventSource, Item, SourceError};

/// Everything a capture gave.
pub struct Run {
    pub events: Vec<Event>,
    pub counters: BTreeMap<&'static str, u64>,
    pub failure: Option<SourceError>,
}

pub fn meter(bytes: Vec<u8>, config: MeterConfig) -> Run {
    let total = Some(bytes.len() as u64);
    let source = CaptureSource::from_reader("test", Box::new(Cursor::new(bytes)), total, config);
    match source {
        Ok(source) => drain(source),
        Err(failure) => Run { events: Vec::new(), counters: BTreeMap::new(), failure: Some(failure) },
    }
}

pub fn drain(mut source: CaptureSource) -> Run {
    let mut events = Vec::new();
    let mut event = Event::default();
    let failure = loop {
        match source.read(&mut event) {
            Ok(Item::Event) => events.push(event.clone()),
            Ok(Item::End) => break None,
            Ok(Item::Rejected(rejection)) => panic!("a capture rejects nothing as an item: {rejection:?}"),
            Err(error) => break Some(error),
        }
    };
    Run { events, counters: source.counters().into_iter().collect(), failure }
}
