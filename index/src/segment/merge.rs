//! Merging segments into one, with no event changed.

use super::build::Building;
use super::ids::IdFile;
use super::text_index::TextIndex;
use super::{IDS_FILE, Segment, SegmentManifest, TEXT_DIR, VECTORS_FILE, VectorFile};
use crate::IndexError;

/// Rows of a merged segment whose stored event is read back and compared with its identifier.
const ROWS_CHECKED: u32 = 64;

/// Writes the rows of `parts`, one part after the other, as the segment `building`.
pub(crate) fn merge(building: Building, parts: &[&Segment]) -> Result<SegmentManifest, IndexError> {
    let dir = building.start()?;
    let texts: Vec<&TextIndex> = parts.iter().map(|part| part.text()).collect();
    TextIndex::merge(&dir.join(TEXT_DIR), &texts)?;
    let ids: Vec<u128> = parts.iter().flat_map(|part| (0..part.rows()).map(|row| part.id(row))).collect();
    IdFile::write(&dir.join(IDS_FILE), &ids)?;
    let numbers = parts.iter().map(|part| part.vectors().numbers());
    VectorFile::write(&dir.join(VECTORS_FILE), building.options.dimension, ids.len(), numbers)?;
    check_rows(&TextIndex::open(&dir.join(TEXT_DIR))?, &ids, &building.name)?;
    building.finish(&dir)
}

/// That tantivy put the documents where the promise "document number = row" says. Evenly spread rows, and both ends.
fn check_rows(text: &TextIndex, ids: &[u128], name: &str) -> Result<(), IndexError> {
    let damaged = |reason: String| IndexError::Damaged { place: format!("merged segment {name}"), reason };
    if text.rows() as usize != ids.len() {
        return Err(damaged(format!("{} rows of text for {} identifiers", text.rows(), ids.len())));
    }
    let Some(last) = text.rows().checked_sub(1) else { return Ok(()) };
    let step = (text.rows() / ROWS_CHECKED).max(1);
    for row in (0..last).step_by(step as usize).chain([last]) {
        if text.event(row)?.event_id.0.as_u128() != ids[row as usize] {
            return Err(damaged(format!("row {row} holds another event")));
        }
    }
    Ok(())
}
