//! The header of the columns: what lies where.

use std::ops::Range;

use super::{COLUMN_COUNT, number, place};

const MAGIC: &[u8; 8] = b"FBCOL001";

/// Bytes before the table of columns.
const TABLE_START: usize = 64;

const ENTRY_BYTES: usize = 24;

/// Columns begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// Bytes before the first column.
pub(super) const HEADER_BYTES: usize = (TABLE_START + COLUMN_COUNT * ENTRY_BYTES).next_multiple_of(ALIGNMENT);

/// One column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// How numbers are kept; 0 for every other column.
    pub(crate) kind: u32,
    /// First byte.
    pub(crate) start: usize,
    /// How many.
    pub(crate) length: usize,
}

impl Entry {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.start + self.length
    }
}

/// The entries for columns of these kinds and lengths, and the length of the whole.
pub(super) fn plan(columns: &[(u32, usize)]) -> (Vec<Entry>, usize) {
    let mut start = HEADER_BYTES;
    let entries = columns.iter().map(|(kind, length)| {
        let entry = Entry { kind: *kind, start, length: *length };
        start = (start + length).next_multiple_of(ALIGNMENT);
        entry
    });
    (entries.collect(), start)
}

/// The header of a file with these columns.
pub(super) fn header(rows: usize, entries: &[Entry]) -> Vec<u8> {
    let mut header = vec![0; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&(rows as u32).to_le_bytes());
    header[12..16].copy_from_slice(&(entries.len() as u32).to_le_bytes());
    for (entry, bytes) in entries.iter().zip(header[TABLE_START..].chunks_exact_mut(ENTRY_BYTES)) {
        bytes[..4].copy_from_slice(&entry.kind.to_le_bytes());
        bytes[8..16].copy_from_slice(&(entry.start as u64).to_le_bytes());
        bytes[16..].copy_from_slice(&(entry.length as u64).to_le_bytes());
    }
    header
}

/// Reads a header: the rows, and where each column lies. Every column is inside, aligned, and as long as the rows need.
pub(super) fn entries(bytes: &[u8]) -> Result<(usize, Vec<Entry>), String> {
    let header = bytes.get(..HEADER_BYTES).ok_or("shorter than its header")?;
    if &header[..8] != MAGIC {
        return Err("not a file of columns".to_owned());
    }
    let (rows, count) = (u32_at(header, 8) as usize, u32_at(header, 12) as usize);
    if count != COLUMN_COUNT {
        return Err(format!("{count} columns, this version knows {COLUMN_COUNT}"));
    }
    let mut entries = Vec::with_capacity(COLUMN_COUNT);
    for (place, entry) in header[TABLE_START..].chunks_exact(ENTRY_BYTES).take(COLUMN_COUNT).enumerate() {
        let (start, length) = (u64_at(entry, 8), u64_at(entry, 16));
        let end = start.checked_add(length).ok_or("a column that ends nowhere")?;
        if !start.is_multiple_of(ALIGNMENT as u64) || end > bytes.len() as u64 {
            return Err(format!("column {place} does not lie inside"));
        }
        let entry = Entry { kind: u32_at(entry, 0), start: start as usize, length: length as usize };
        if !fits(place, entry, rows) {
            return Err(format!("column {place} has {length} bytes for {rows} rows"));
        }
        entries.push(entry);
    }
    Ok((rows, entries))
}

/// Whether the length of a column goes with its kind and the number of rows.
fn fits(place: usize, entry: Entry, rows: usize) -> bool {
    let each = |bytes: usize| entry.length == rows * bytes;
    let whole = |bytes: usize| entry.length.is_multiple_of(bytes);
    match place {
        place::SEQ | place::START => each(8),
        place::SRC_PORT | place::DST_PORT | place::SERVICE => each(2),
        place::PROTOCOL | place::VERDICT => each(1),
        place::SRC_IP | place::DST_IP => each(4),
        place::ADDRESSES => whole(16),
        // No row has a word: then there is no column either.
        place::FAMILY | place::HOST => each(4) || entry.length == 0,
        place::FAMILY_ENDS | place::HOST_ENDS => whole(4),
        place::FAMILY_WORDS | place::HOST_WORDS => true,
        _ => number::length(entry.kind, rows) == Some(entry.length),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
