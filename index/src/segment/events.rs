//! The events of a segment as they are read back: everything but the features, which the columns hold.
//!
//! Layout: 8 bytes `FBEVT001`, rows as little-endian u32, zeros up to byte 16; for each row where its event ends, counted from
//! the first (u64); then the events one after the other, each as the envelope of `stored`. Not compressed: a hit is read in a
//! microsecond, and vectors take several times the room.

use std::io::{self, Write};
use std::path::Path;

use forebay_event::Event;

use super::bytes::{Bytes, damaged};
use super::stored;

const MAGIC: &[u8; 8] = b"FBEVT001";
const HEADER_BYTES: usize = 16;
const END_BYTES: usize = 8;

/// The events of a segment.
pub(crate) struct EventFile {
    bytes: Bytes,
    rows: usize,
}

impl EventFile {
    /// Maps a file and checks its length.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::of(Bytes::map(path)?, &path.display().to_string())
    }

    /// `events` in memory. Says which of them cannot be stored.
    pub(super) fn hold(events: &[Event]) -> Result<Self, (usize, String)> {
        let mut encoded = Vec::with_capacity(events.len() * 512);
        let mut ends = Vec::with_capacity(events.len());
        for (row, event) in events.iter().enumerate() {
            stored::encode_envelope(event, &mut encoded).map_err(|error| (row, error.to_string()))?;
            ends.push(encoded.len() as u64);
        }
        let mut bytes = header(events.len());
        bytes.extend_from_slice(bytemuck::cast_slice(&ends));
        bytes.extend_from_slice(&encoded);
        Ok(Self { bytes: Bytes::hold(&bytes), rows: events.len() })
    }

    /// The events of `parts`, one part after the other, in memory.
    pub(super) fn joined(parts: &[&Self]) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.bytes.all().len()).sum());
        Self::write(&mut bytes, parts)?;
        Self::of(Bytes::hold(&bytes), "events in memory")
    }

    /// Writes the events of `parts`, one part after the other.
    pub(super) fn write(out: &mut impl Write, parts: &[&Self]) -> io::Result<()> {
        out.write_all(&header(parts.iter().map(|part| part.rows).sum()))?;
        let mut before = 0u64;
        for part in parts {
            let ends: Vec<u64> = (0..part.rows).map(|row| before + part.end(row) as u64).collect();
            out.write_all(bytemuck::cast_slice(&ends))?;
            before = ends.last().copied().unwrap_or(before);
        }
        parts.iter().try_for_each(|part| out.write_all(part.encoded()))
    }

    fn of(bytes: Bytes, what: &str) -> io::Result<Self> {
        let all = bytes.all();
        if all.len() < HEADER_BYTES || &all[..8] != MAGIC {
            return Err(damaged(what, "not a file of events"));
        }
        let rows = u32::from_le_bytes([all[8], all[9], all[10], all[11]]) as usize;
        let file = Self { bytes, rows };
        let start = HEADER_BYTES + rows * END_BYTES;
        let end = rows.checked_sub(1).map_or(0, |last| file.end(last));
        if file.bytes.all().len().checked_sub(start) != Some(end) {
            return Err(damaged(what, "its length does not fit its header"));
        }
        Ok(file)
    }

    /// Gives back the room that its pages take.
    pub(super) fn page_out(&self) {
        self.bytes.page_out();
    }

    /// How many rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The event of a row, its features unknown, or what is wrong with it.
    pub(super) fn event(&self, row: usize) -> Result<Event, String> {
        let start = row.checked_sub(1).map_or(0, |before| self.end(before));
        let bytes = self.encoded().get(start..self.end(row)).ok_or("it does not lie inside")?;
        stored::decode_envelope(bytes)
    }

    fn encoded(&self) -> &[u8] {
        self.bytes.all().get(HEADER_BYTES + self.rows * END_BYTES..).unwrap_or_default()
    }

    /// Where the event of a row ends; 0 beyond the bytes.
    fn end(&self, row: usize) -> usize {
        let start = HEADER_BYTES + row * END_BYTES;
        let bytes = self.bytes.all().get(start..start + END_BYTES);
        bytes
            .and_then(|bytes| <[u8; END_BYTES]>::try_from(bytes).ok())
            .map_or(0, |end| u64::from_le_bytes(end) as usize)
    }
}

fn header(rows: usize) -> Vec<u8> {
    let mut header = vec![0; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&(rows as u32).to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sensor: &str) -> Event {
        Event { sensor: sensor.to_owned(), ..Event::default() }
    }

    #[test]
    fn events_come_back_from_joined_parts_and_changed_bytes_never_panic() {
        let parts = [vec![event("a"), event("")], vec![event("ccc")]].map(|events| EventFile::hold(&events).unwrap());
        let joined = EventFile::joined(&[&parts[0], &parts[1]]).unwrap();
        let sensors: Vec<String> = (0..joined.rows()).map(|row| joined.event(row).unwrap().sensor).collect();
        assert_eq!(sensors, ["a", "", "ccc"]);
        let good = joined.bytes.all().to_vec();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            if let Ok(file) = EventFile::of(Bytes::hold(&bad), "changed") {
                (0..file.rows()).for_each(|row| drop(file.event(row)));
            }
            assert!(EventFile::of(Bytes::hold(&good[..at]), "cut").is_err(), "cut at {at}");
        }
    }
}
