//! The identifiers of a segment: by row, and rows by identifier.
//!
//! Layout: 8 bytes `FBIDS001`, rows as little-endian u32, 4 zero bytes; then for each row the 16 bytes of its identifier;
//! then the row numbers (little-endian u32) in ascending order of identifier. An identifier is found by halving.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use forebay_event::EventId;
use fs_err as fs;

use super::bytes::{Bytes, damaged};

const MAGIC: &[u8; 8] = b"FBIDS001";
const HEADER_BYTES: usize = 16;
const ID_BYTES: usize = 16;
const ROW_BYTES: usize = 4;

/// The identifiers of a segment.
pub(crate) struct IdFile {
    bytes: Bytes,
    rows: usize,
}

impl IdFile {
    /// Maps a file and checks its length.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::of(Bytes::map(path)?, &path.display().to_string())
    }

    /// The identifiers of rows 0, 1, 2 and so on, in memory.
    pub(super) fn hold(ids: &[u128]) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + ids.len() * (ID_BYTES + ROW_BYTES));
        write(&mut bytes, ids)?;
        Self::of(Bytes::hold(&bytes), "identifiers in memory")
    }

    fn of(bytes: Bytes, what: &str) -> io::Result<Self> {
        let all = bytes.all();
        if all.get(..8) != Some(MAGIC.as_slice()) || all.len() < HEADER_BYTES {
            return Err(damaged(what, "not a file of identifiers"));
        }
        let rows = u32::from_le_bytes([all[8], all[9], all[10], all[11]]) as usize;
        if all.len() != HEADER_BYTES + rows * (ID_BYTES + ROW_BYTES) {
            return Err(damaged(what, "its length does not fit its header"));
        }
        Ok(Self { bytes, rows })
    }

    /// Writes the identifiers of rows 0, 1, 2 and so on; the caller syncs.
    pub(crate) fn write(path: &Path, ids: &[u128]) -> io::Result<()> {
        let mut file = BufWriter::new(fs::File::create(path)?);
        write(&mut file, ids)?;
        file.flush()
    }

    /// The identifier of a row, as a number that orders like it.
    pub(crate) fn id(&self, row: u32) -> u128 {
        let start = HEADER_BYTES + row as usize * ID_BYTES;
        let mut bytes = [0; ID_BYTES];
        bytes.copy_from_slice(&self.bytes.all()[start..start + ID_BYTES]);
        u128::from_be_bytes(bytes)
    }

    /// The row of an identifier.
    pub(crate) fn find(&self, id: EventId) -> Option<u32> {
        let wanted = id.0.as_u128();
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low.midpoint(high);
            let row = self.nth(middle)?;
            match self.id(row).cmp(&wanted) {
                std::cmp::Ordering::Equal => return Some(row),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// How many rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The row with the `n`-th smallest identifier.
    fn nth(&self, n: usize) -> Option<u32> {
        let start = HEADER_BYTES + self.rows * ID_BYTES + n * ROW_BYTES;
        let bytes = self.bytes.all().get(start..start + ROW_BYTES)?;
        let row = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Some(row).filter(|row| (*row as usize) < self.rows)
    }
}

fn write(out: &mut impl Write, ids: &[u128]) -> io::Result<()> {
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    order.sort_unstable_by_key(|row| ids[*row as usize]);
    out.write_all(MAGIC)?;
    out.write_all(&(ids.len() as u32).to_le_bytes())?;
    out.write_all(&[0; 4])?;
    ids.iter().try_for_each(|id| out.write_all(&id.to_be_bytes()))?;
    order.iter().try_for_each(|row| out.write_all(&row.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_identifier_is_found_at_its_row(ids in prop::collection::hash_set(any::<u128>(), 0..100), other: u128) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("ids");
            let list: Vec<u128> = ids.iter().copied().collect();
            IdFile::write(&path, &list).unwrap();
            let file = IdFile::open(&path).unwrap();
            let find = |id: u128| file.find(EventId(uuid::Uuid::from_u128(id)));
            for (row, id) in (0u32..).zip(&list) {
                prop_assert_eq!(file.id(row), *id);
                prop_assert_eq!(find(*id), Some(row));
            }
            prop_assert_eq!(find(other).is_some(), ids.contains(&other));
        }
    }
}
