//! The pcap format: a header of 24 bytes, then records of 16 bytes and a frame (draft-ietf-opsawg-pcap).
//!
//! Both byte orders, microseconds and nanoseconds. Files of versions before 2.3, which swapped the two lengths of a
//! record, are read as well.

use super::window::Window;
use super::{CaptureError, FRAME_BYTES_MAX, Head};

const HEADER_BYTES: usize = 24;
const RECORD_BYTES: usize = 16;
const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const US_PER_S: i64 = 1_000_000;

/// See the module.
pub(super) struct Pcap {
    big_endian: bool,
    nanoseconds: bool,
    lengths_swapped: bool,
    link_type: u32,
}

impl Pcap {
    /// Whether the file's first four bytes are those of a pcap file.
    pub(super) fn recognise(magic: &[u8]) -> Option<Self> {
        let magic: [u8; 4] = magic.get(..4)?.try_into().ok()?;
        let (big, little) = (u32::from_be_bytes(magic), u32::from_le_bytes(magic));
        let (big_endian, number) =
            if matches!(big, MICROSECONDS | NANOSECONDS) { (true, big) } else { (false, little) };
        matches!(number, MICROSECONDS | NANOSECONDS).then_some(Self {
            big_endian,
            nanoseconds: number == NANOSECONDS,
            lengths_swapped: false,
            link_type: 0,
        })
    }

    pub(super) fn read_header(&mut self, window: &mut Window) -> Result<(), CaptureError> {
        let header = window.peek(HEADER_BYTES)?;
        if header.len() < HEADER_BYTES {
            let offset = header.len() as u64;
            return Err(CaptureError::Damaged { offset, reason: "the file ends inside its header".to_owned() });
        }
        let major = u32::from(self.u16_at(header, 4));
        let minor = u32::from(self.u16_at(header, 6));
        self.lengths_swapped = major < 2 || (major == 2 && minor < 3);
        // The upper bits say whether frames end with a checksum; the IP length makes that plain.
        self.link_type = self.u32_at(header, 20) & 0xffff;
        window.consume(HEADER_BYTES);
        Ok(())
    }

    /// The next record; its length goes to `size`.
    pub(super) fn next(&self, window: &mut Window, size: &mut usize) -> Result<Option<Head>, CaptureError> {
        let offset = window.offset();
        let damaged = |reason: String| Err(CaptureError::Damaged { offset, reason });
        let record = window.peek(RECORD_BYTES)?;
        match record.len() {
            0 => return Ok(None),
            RECORD_BYTES => {}
            there => return damaged(format!("the file ends inside a record's header, after {there} bytes of it")),
        }
        let seconds = i64::from(self.u32_at(record, 0));
        let fraction = i64::from(self.u32_at(record, 4));
        let (mut captured, mut wire_bytes) = (self.u32_at(record, 8), self.u32_at(record, 12));
        if self.lengths_swapped {
            std::mem::swap(&mut captured, &mut wire_bytes);
        }
        if captured > FRAME_BYTES_MAX {
            return damaged(format!("a record claims {captured} bytes; {FRAME_BYTES_MAX} is the most"));
        }
        let whole = RECORD_BYTES + captured as usize;
        let there = window.peek(whole)?.len();
        if there < whole {
            return damaged(format!("the file ends inside a record, after {there} of {whole} bytes"));
        }
        *size = whole;
        let fraction = if self.nanoseconds { fraction / 1000 } else { fraction };
        Ok(Some(Head {
            time_us: seconds * US_PER_S + fraction,
            time_missing: false,
            link_type: self.link_type,
            wire_bytes,
            start: RECORD_BYTES,
            captured: captured as usize,
        }))
    }

    fn u32_at(&self, bytes: &[u8], at: usize) -> u32 {
        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }

    fn u16_at(&self, bytes: &[u8], at: usize) -> u16 {
        let word = [bytes[at], bytes[at + 1]];
        if self.big_endian { u16::from_be_bytes(word) } else { u16::from_le_bytes(word) }
    }
}
