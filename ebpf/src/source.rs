//! A capture as a source of events.
//!
//! Events come when their flow ends; what is open at the end of the capture comes last, by start. A damaged capture
//! gives every event of what stands before the damage, then the damage as an error.

use std::io::Read;
use std::path::Path;

use forebay_event::Event;
use forebay_event::source::{EventSource, Item, Progress, SourceError};

use crate::capture::{Capture, CaptureError};
use crate::counters::Counters;
use crate::emit;
use crate::meter::{Ended, Meter, MeterConfig};
use crate::packet::Packet;

/// Times further than this from 1970 (microseconds, 73,000 years) count as this, so that differences cannot overflow.
const TIME_US_MAX: i64 = 1 << 61;

/// Reads a capture through the meter. See the module.
pub struct CaptureSource {
    name: String,
    bytes_total: Option<u64>,
    config: MeterConfig,
    capture: Capture,
    meter: Meter,
    stage: Stage,
    failure: Option<CaptureError>,
}

enum Stage {
    /// Between two packets.
    Reading,
    /// A packet waits until the flows that are over by its time have been given.
    Waiting {
        packet: Packet,
        time_us: i64,
    },
    /// The capture is over: open flows by their start, the next one last.
    Flushing {
        slots: Vec<u32>,
    },
    Over,
}

impl CaptureSource {
    /// Opens the capture at `path`.
    pub fn open_path(path: impl AsRef<Path>, config: MeterConfig) -> Result<Self, SourceError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let opened = fs_err::File::open(path).and_then(|file| {
            let metadata = file.metadata()?;
            Ok((file, metadata.is_file().then_some(metadata.len())))
        });
        match opened {
            Ok((file, bytes_total)) => Self::from_reader(name, Box::new(file), bytes_total, config),
            Err(error) => Err(SourceError::Io { name, error }),
        }
    }

    /// Reads a capture from anywhere; `name` is for messages only.
    pub fn from_reader(
        name: impl Into<String>,
        reader: Box<dyn Read + Send>,
        bytes_total: Option<u64>,
        config: MeterConfig,
    ) -> Result<Self, SourceError> {
        let name = name.into();
        let capture = Capture::new(reader).map_err(|error| source_error(&name, error))?;
        let meter = Meter::new(&config);
        Ok(Self { name, bytes_total, config, capture, meter, stage: Stage::Reading, failure: None })
    }

    /// What has been counted so far.
    pub fn meter_counters(&self) -> &Counters {
        self.meter.counters()
    }

    /// The next flow that has ended; `None` when there are no more.
    fn next_ended(&mut self) -> Option<Ended> {
        loop {
            if let Some(ended) = self.meter.pop() {
                return Some(ended);
            }
            match &mut self.stage {
                Stage::Reading => self.read_packet(),
                Stage::Waiting { packet, time_us } => {
                    if let Some(ended) = self.meter.expire(*time_us) {
                        return Some(ended);
                    }
                    self.meter.push(packet, self.capture.frame().data, *time_us);
                    self.stage = Stage::Reading;
                }
                Stage::Flushing { slots } => match slots.pop() {
                    Some(slot) => return Some(self.meter.flush(slot)),
                    None => self.stage = Stage::Over,
                },
                Stage::Over => return None,
            }
        }
    }

    /// Moves to the next packet that is metered, or to the end.
    fn read_packet(&mut self) {
        match self.capture.advance() {
            Ok(true) => {
                let frame = self.capture.frame();
                let time_us = frame.time_us.clamp(-TIME_US_MAX, TIME_US_MAX);
                self.meter.counters_mut().time_missing += u64::from(frame.time_missing);
                if let Some(packet) = self.meter.accept(frame.link_type, frame.data, frame.wire_bytes, time_us) {
                    self.stage = Stage::Waiting { packet, time_us };
                }
                return;
            }
            Ok(false) => {}
            Err(error) => self.failure = Some(error),
        }
        let mut slots = self.meter.open_flows();
        slots.reverse();
        self.stage = Stage::Flushing { slots };
    }
}

impl EventSource for CaptureSource {
    fn read(&mut self, event: &mut Event) -> Result<Item, SourceError> {
        if let Some(ended) = self.next_ended() {
            emit::fill(event, &ended, &self.config);
            return Ok(Item::Event);
        }
        match self.failure.take() {
            Some(error) => Err(source_error(&self.name, error)),
            None => Ok(Item::End),
        }
    }

    fn progress(&self) -> Progress {
        Progress { bytes_read: self.capture.bytes_read(), bytes_total: self.bytes_total }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.meter.counters().named()
    }
}

fn source_error(name: &str, error: CaptureError) -> SourceError {
    let name = name.to_owned();
    match error {
        CaptureError::Io(error) => SourceError::Io { name, error },
        CaptureError::Unrecognised(reason) => SourceError::Unrecognised { name, reason },
        CaptureError::Damaged { offset, reason } => SourceError::Damaged { name, offset, reason },
    }
}
