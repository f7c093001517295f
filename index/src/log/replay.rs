//! Reading a log file back when an index is opened.

use std::path::Path;

use fs_err as fs;

use super::file::{file_name, header, is_header, path};
use super::frame::Batch;
use super::scan::scan;
use crate::stats::DamagedSegment;
use crate::{IndexError, Options};

/// What a log file gave back.
#[derive(Default)]
pub(crate) struct Replayed {
    /// Its batches.
    pub(crate) batches: Vec<Batch>,
    /// What was acknowledged and cannot be read.
    pub(crate) damaged: Vec<DamagedSegment>,
    /// Bytes of appends that a crash cut short.
    pub(crate) torn_bytes: u64,
}

/// Reads log file `number` of the index in `dir`.
pub(crate) fn replay(dir: &Path, number: u64, options: &Options) -> Result<Replayed, IndexError> {
    let bytes = fs::read(path(dir, number))?;
    let expected = header(&options.model_space, options.dimension);
    let name = format!("log {}", file_name(number));
    let whole = |reason: String, events| DamagedSegment { name: name.clone(), events, reason, aside: None };
    if bytes.len() < expected.len() {
        // The header is synced before the first frame is written, so nothing was acknowledged here.
        return Ok(Replayed { torn_bytes: bytes.len() as u64, ..Replayed::default() });
    }
    let mut damaged = Vec::new();
    if bytes[..expected.len()] != *expected {
        if is_header(&bytes) {
            let reason = format!("it is of another vector space than {:?}", options.model_space);
            return Ok(Replayed { damaged: vec![whole(reason, 0)], ..Replayed::default() });
        }
        damaged.push(whole("its header is damaged".to_owned(), 0));
    }
    let scanned = scan(&bytes, expected.len(), options.dimension);
    damaged.extend(scanned.damaged.into_iter().map(|bad| {
        let reason = format!("bytes {} to {}: {}", bad.at.start, bad.at.end, bad.reason);
        whole(reason, bad.events)
    }));
    Ok(Replayed { batches: scanned.batches, damaged, torn_bytes: scanned.torn_bytes })
}
