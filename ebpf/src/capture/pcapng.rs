//! The pcapng format (draft-ietf-opsawg-pcapng): blocks of a type, a length, a body and the length again.
//!
//! Read: section headers (either byte order, any number), interface descriptions with `if_tsresol` and `if_tsoffset`,
//! enhanced, simple and obsolete packet blocks. Everything else is passed over by its length.

use super::window::Window;
use super::{CaptureError, FRAME_BYTES_MAX, Head, INTERFACES_MAX};

/// The type of a section header, the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE_TYPE: u32 = 1;
const OBSOLETE_PACKET_TYPE: u32 = 2;
const SIMPLE_PACKET_TYPE: u32 = 3;
const ENHANCED_PACKET_TYPE: u32 = 6;

const BYTE_ORDER_MAGIC: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];
/// Type and length before the body, and the length after it.
const FRAME_BYTES: usize = 12;
/// Longest packet or interface block that is held: a frame and a generous room for its options.
const BLOCK_BYTES_MAX: usize = FRAME_BYTES_MAX as usize + 65_536;

const OPTION_TSRESOL: u16 = 9;
const OPTION_TSOFFSET: u16 = 14;

/// Times beyond this many microseconds from 1970 (146,000 years) count as this, so that differences cannot overflow.
const TIME_US_MAX: i128 = 1 << 62;

/// See the module.
pub(super) struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy)]
struct Interface {
    link_type: u32,
    snap: u32,
    /// Units of a timestamp in one second.
    units_per_s: u64,
    offset_s: i64,
}

impl Pcapng {
    pub(super) fn new() -> Self {
        Self { big_endian: false, interfaces: Vec::new() }
    }

    /// The next packet; the length of its block goes to `size`. `before` is the time of the packet before it.
    pub(super) fn next(
        &mut self,
        window: &mut Window,
        size: &mut usize,
        before: i64,
    ) -> Result<Option<Head>, CaptureError> {
        // Bounded by the file: every turn consumes a block or returns.
        loop {
            let offset = window.offset();
            let damaged = |reason: String| CaptureError::Damaged { offset, reason };
            let start = window.peek(FRAME_BYTES)?;
            if start.is_empty() {
                return Ok(None);
            }
            if start.len() < FRAME_BYTES {
                return Err(damaged(format!("the file ends inside a block's header, after {} bytes", start.len())));
            }
            if start[..4] == SECTION {
                self.begin_section(start).map_err(damaged)?;
            }
            let (kind, length) = (self.u32_at(start, 0), self.u32_at(start, 4) as usize);
            if length < FRAME_BYTES || length % 4 != 0 {
                return Err(damaged(format!("a block claims to be {length} bytes long")));
            }
            let is_read =
                matches!(kind, INTERFACE_TYPE | OBSOLETE_PACKET_TYPE | SIMPLE_PACKET_TYPE | ENHANCED_PACKET_TYPE);
            if !is_read {
                if !window.skip(length as u64)? {
                    return Err(damaged(format!("the file ends inside a block of {length} bytes")));
                }
                continue;
            }
            if length > BLOCK_BYTES_MAX {
                return Err(damaged(format!("a packet block claims {length} bytes; {BLOCK_BYTES_MAX} is the most")));
            }
            let block = window.peek(length)?;
            if block.len() < length {
                return Err(damaged(format!("the file ends inside a block, after {} of {length} bytes", block.len())));
            }
            if self.u32_at(block, length - 4) as usize != length {
                return Err(damaged("the two lengths of a block differ".to_owned()));
            }
            let body = &block[8..length - 4];
            if kind == INTERFACE_TYPE {
                self.add_interface(body).map_err(damaged)?;
                window.consume(length);
                continue;
            }
            let head = self.packet(kind, body, before).map_err(damaged)?;
            *size = length;
            return Ok(Some(head));
        }
    }

    /// A section has its own byte order and its own interfaces.
    fn begin_section(&mut self, start: &[u8]) -> Result<(), String> {
        self.big_endian = match &start[8..12] {
            magic if *magic == BYTE_ORDER_MAGIC => true,
            magic if magic.iter().rev().eq(&BYTE_ORDER_MAGIC) => false,
            magic => return Err(format!("a section header has the byte-order mark {magic:02x?}")),
        };
        self.interfaces.clear();
        Ok(())
    }

    fn add_interface(&mut self, body: &[u8]) -> Result<(), String> {
        if body.len() < 8 {
            return Err("an interface description is too short".to_owned());
        }
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err(format!("a section describes more than {INTERFACES_MAX} interfaces"));
        }
        let mut interface = Interface {
            link_type: self.u16_at(body, 0).into(),
            snap: self.u32_at(body, 4),
            units_per_s: 1_000_000,
            offset_s: 0,
        };
        let mut options = &body[8..];
        while options.len() >= 4 {
            let (code, length) = (self.u16_at(options, 0), usize::from(self.u16_at(options, 2)));
            let Some(value) = options.get(4..4 + length) else { break };
            match (code, value) {
                (0, _) => break,
                (OPTION_TSRESOL, [resolution]) => interface.units_per_s = units_per_s(*resolution)?,
                (OPTION_TSOFFSET, value) if value.len() == 8 => {
                    let (first, second) = (self.u32_at(value, 0), self.u32_at(value, 4));
                    let (high, low) = if self.big_endian { (first, second) } else { (second, first) };
                    interface.offset_s = (u64::from(high) << 32 | u64::from(low)) as i64;
                }
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn packet(&self, kind: u32, body: &[u8], before: i64) -> Result<Head, String> {
        let header = if kind == SIMPLE_PACKET_TYPE { 4 } else { 20 };
        if body.len() < header {
            return Err("a packet block is too short".to_owned());
        }
        let place = match kind {
            ENHANCED_PACKET_TYPE => self.u32_at(body, 0) as usize,
            OBSOLETE_PACKET_TYPE => self.u16_at(body, 0).into(),
            _ => 0,
        };
        let Some(interface) = self.interfaces.get(place) else {
            return Err(format!("a packet is of interface {place}, which is not described"));
        };
        let there = body.len() - header;
        let (captured, wire_bytes) = if kind == SIMPLE_PACKET_TYPE {
            let wire = self.u32_at(body, 0);
            let snap = if interface.snap == 0 { u32::MAX } else { interface.snap };
            ((wire.min(snap) as usize).min(there), wire)
        } else {
            (self.u32_at(body, 12) as usize, self.u32_at(body, 16))
        };
        if captured > there || captured > FRAME_BYTES_MAX as usize {
            return Err(format!("a packet claims {captured} bytes where {there} are"));
        }
        let time_missing = kind == SIMPLE_PACKET_TYPE;
        let time_us = if time_missing {
            before
        } else {
            let units = u64::from(self.u32_at(body, 4)) << 32 | u64::from(self.u32_at(body, 8));
            interface.microseconds(units)
        };
        Ok(Head { time_us, time_missing, link_type: interface.link_type, wire_bytes, start: 8 + header, captured })
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

impl Interface {
    fn microseconds(&self, units: u64) -> i64 {
        if self.units_per_s == 1_000_000 && self.offset_s == 0 && units < 1 << 62 {
            return units as i64;
        }
        let us = i128::from(units) * 1_000_000 / i128::from(self.units_per_s) + i128::from(self.offset_s) * 1_000_000;
        us.clamp(-TIME_US_MAX, TIME_US_MAX) as i64
    }
}

/// A power of ten, or of two where the upper bit is set.
fn units_per_s(resolution: u8) -> Result<u64, String> {
    let exponent = u32::from(resolution & 0x7f);
    let units = if resolution & 0x80 == 0 { 10u64.checked_pow(exponent) } else { 1u64.checked_shl(exponent) };
    units.ok_or_else(|| format!("an interface has a time resolution of 2^-64 s or finer ({resolution:#04x})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_of_both_kinds_become_microseconds() {
        let at = |resolution, offset_s, units| {
            let units_per_s = units_per_s(resolution).unwrap();
            Interface { link_type: 1, snap: 0, units_per_s, offset_s }.microseconds(units)
        };
        assert_eq!(at(6, 0, 1_234_567), 1_234_567);
        assert_eq!(at(9, 0, 1_234_567_999), 1_234_567);
        assert_eq!(at(3, 10, 1_500), 11_500_000);
        assert_eq!(at(0x8a, 0, 1024 + 512), 1_500_000);
        assert_eq!(at(0, i64::MAX, u64::MAX), TIME_US_MAX as i64);
        assert!(units_per_s(20).is_err());
    }
}
