//! Capture files: pcap and pcapng, as they are or compressed with gzip or zstd, recognised by content.
//!
//! **Promise.** Every record before the first damage is given; the damage is then named with its place. A file read twice
//! gives the same records.
//!
//! **Layout.** [`open`] decompresses and counts what is read, [`window`] is the buffer in which records lie whole, [`pcap`] and
//! [`pcapng`] are the two formats, [`Capture`] is either.
//!
//! **Limits.** A record of at most [`FRAME_BYTES_MAX`] captured bytes; other pcapng blocks are passed over without being
//! held in memory, whatever their length; at most [`INTERFACES_MAX`] interfaces in one section.

mod open;
mod pcap;
mod pcapng;
mod window;

use crate::capture::open::Opened;
use crate::capture::pcap::Pcap;
use crate::capture::pcapng::Pcapng;
use crate::capture::window::Window;

pub(crate) use crate::capture::open::Origin;
pub use crate::capture::open::is_capture;

/// Most bytes of one frame that a record may hold (the largest snapshot length of libpcap).
pub const FRAME_BYTES_MAX: u32 = 262_144;

/// Most interfaces one pcapng section may describe.
pub const INTERFACES_MAX: usize = 65_536;

/// Why a capture cannot be read, or not further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The medium failed. Not the capture's fault.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is neither pcap nor pcapng. The user's fault.
    #[error("{0}")]
    Unrecognised(String),
    /// What follows `offset` cannot be told apart into records. The capture's fault.
    #[error("at byte {offset}: {reason}")]
    Damaged {
        /// Where, in bytes of the decompressed file.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
}

/// One frame as it lies in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its time, Unix epoch, microseconds; where the record has none, that of the record before.
    pub time_us: i64,
    /// Whether the record had no time of its own.
    pub time_missing: bool,
    /// A LINKTYPE number.
    pub link_type: u32,
    /// How long it was on the wire.
    pub wire_bytes: u32,
    /// What was captured of it.
    pub data: &'a [u8],
}

/// What a record says besides its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head {
    pub(crate) time_us: i64,
    pub(crate) time_missing: bool,
    pub(crate) link_type: u32,
    pub(crate) wire_bytes: u32,
    /// Where the frame begins in the window, and how long it is there.
    pub(crate) start: usize,
    pub(crate) captured: usize,
}

enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// A capture that is being read.
pub struct Capture {
    window: Window,
    format: Format,
    origin: Origin,
    head: Head,
    /// Bytes of the record in `head`, passed over when the next one is asked for.
    size: usize,
}

impl Capture {
    /// Recognises compression and format of `reader`.
    pub fn new(reader: Box<dyn std::io::Read + Send>) -> Result<Self, CaptureError> {
        let Opened { reader, origin } = open::open(reader)?;
        let mut window = Window::new(reader, origin.clone());
        let magic = window.peek(4)?;
        let format = match Pcap::recognise(magic) {
            Some(pcap) => Format::Pcap(pcap),
            None if magic == pcapng::SECTION => Format::Pcapng(Pcapng::new()),
            None => return Err(open::unrecognised(magic)),
        };
        let mut capture = Self { window, format, origin, head: Head::default(), size: 0 };
        if let Format::Pcap(pcap) = &mut capture.format {
            pcap.read_header(&mut capture.window)?;
        }
        Ok(capture)
    }

    /// Moves to the next frame; `false` at the end of the capture.
    pub fn advance(&mut self) -> Result<bool, CaptureError> {
        self.window.consume(self.size);
        self.size = 0;
        let head = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.window, &mut self.size)?,
            Format::Pcapng(pcapng) => pcapng.next(&mut self.window, &mut self.size, self.head.time_us)?,
        };
        self.head = head.unwrap_or_default();
        Ok(head.is_some())
    }

    /// The frame that [`Self::advance`] moved to.
    pub fn frame(&self) -> Frame<'_> {
        let Head { time_us, time_missing, link_type, wire_bytes, start, captured } = self.head;
        let data = &self.window.ready()[start..start + captured];
        Frame { time_us, time_missing, link_type, wire_bytes, data }
    }

    /// Bytes of the file read so far, as it lies on disk.
    pub fn bytes_read(&self) -> u64 {
        self.origin.bytes_read()
    }
}
