//! Joining segments into one, with no event changed: on the disk, or in memory before they go there.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use fs_err as fs;

use super::build::Building;
use super::columns::{Fields, Joined};
use super::events::EventFile;
use super::ids::IdFile;
use super::text_index::TextIndex;
use super::{COLUMNS_FILE, EVENTS_FILE, IDS_FILE, Segment, SegmentManifest, TEXT_DIR, VECTORS_FILE, VectorFile};
use crate::IndexError;

/// Rows of a merged segment whose event is read back and compared with its identifier.
const ROWS_CHECKED: u32 = 64;

/// Writes the rows of `parts`, one part after the other, as the segment `building`. Either all parts are in memory or
/// all are on the disk.
pub(crate) fn merge(building: Building, parts: &[&Segment]) -> Result<SegmentManifest, IndexError> {
    let dir = building.start()?;
    let texts: Vec<&TextIndex> = parts.iter().map(|part| part.text()).collect();
    TextIndex::write(&dir.join(TEXT_DIR), &texts)?;
    let columns: Vec<&dyn Fields> = parts.iter().map(|part| part.columns() as &dyn Fields).collect();
    write_file(&dir.join(COLUMNS_FILE), |file| Joined::new(&columns).write(file))?;
    let events: Vec<&EventFile> = parts.iter().map(|part| part.events()).collect();
    write_file(&dir.join(EVENTS_FILE), |file| EventFile::write(file, &events))?;
    let ids: Vec<u128> = parts.iter().flat_map(|part| (0..part.rows()).map(|row| part.id(row))).collect();
    IdFile::write(&dir.join(IDS_FILE), &ids)?;
    let numbers = parts.iter().map(|part| part.vectors().numbers());
    VectorFile::write(&dir.join(VECTORS_FILE), building.options.dimension, ids.len(), numbers)?;
    check_rows(&dir, &ids, &building.name)?;
    building.finish(&dir)
}

fn write_file(path: &Path, write: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    write(&mut file)?;
    file.flush()
}

/// That every file has the rows of the others in the same order. Evenly spread rows, and both ends.
fn check_rows(dir: &Path, ids: &[u128], name: &str) -> Result<(), IndexError> {
    let damaged = |reason: String| IndexError::Damaged { place: format!("merged segment {name}"), reason };
    let text = TextIndex::open(&dir.join(TEXT_DIR))?;
    let events = EventFile::open(&dir.join(EVENTS_FILE))?;
    if text.rows() as usize != ids.len() || events.rows() != ids.len() {
        return Err(damaged(format!("{} texts, {} events, {} identifiers", text.rows(), events.rows(), ids.len())));
    }
    let Some(last) = text.rows().checked_sub(1) else { return Ok(()) };
    let step = (text.rows() / ROWS_CHECKED).max(1);
    for row in (0..last).step_by(step as usize).chain([last]) {
        let event = events.event(row as usize).map_err(damaged)?;
        if event.event_id.0.as_u128() != ids[row as usize] {
            return Err(damaged(format!("row {row} holds another event")));
        }
    }
    Ok(())
}
