//! Opening an index: the lock, the manifest, leftovers of a crash, damaged segments.
//!
//! After a crash there may be half-written segments in `building/` and whole ones in `segments/` that the manifest does
//! not list: an append that was not acknowledged, or segments already merged into another. Both are removed. What the
//! manifest lists is verified; what is damaged is moved to `aside/` and remembered. Then the log is read.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;

use crate::known::Known;
use crate::limits::VERIFY_AT_OPEN_BYTES;
use crate::log::LOG_DIR;
use crate::manifest::{INDEX_FORMAT, INDEX_MANIFEST, IndexManifest, Listed, Recovered, names};
use crate::segment::{ASIDE_DIR, BUILDING_DIR, Fault, SEGMENTS_DIR, verify};
use crate::stats::DamagedSegment;
use crate::{IndexError, Options, durable, recovery};

/// File whose lock says that the index is in use.
const LOCK_FILE: &str = "lock";

/// An index as it was opened.
pub(crate) struct Opened {
    /// Held as long as the index is open.
    pub(crate) lock: File,
    /// The manifest, as it is on the disk.
    pub(crate) manifest: IndexManifest,
    /// The live segments.
    pub(crate) segments: Vec<Arc<Known>>,
    /// What the log gave back.
    pub(crate) recovered: recovery::Recovered,
    /// Segments that could not be looked at. They stay listed, and are tried again when the index is next opened.
    pub(crate) unreadable: Vec<DamagedSegment>,
    /// Folders of a crash that were removed.
    pub(crate) leftovers: u64,
}

/// Opens the index in `dir`, or makes it there.
pub(crate) fn open(dir: &Path, options: &Options) -> Result<Opened, IndexError> {
    for folder in ["", SEGMENTS_DIR, BUILDING_DIR, ASIDE_DIR, LOG_DIR].map(|name| dir.join(name)) {
        fs::create_dir_all(folder)?;
    }
    let lock = lock(dir)?;
    let Recovered { mut manifest, broken } = IndexManifest::read(dir, options)?;
    let mut leftovers = remove_all(&dir.join(BUILDING_DIR), |_| true)?;
    let before = manifest.clone();
    manifest.format = INDEX_FORMAT;
    for (name, reason) in broken {
        manifest.damaged.push(set_aside(dir, Listed { name, events: 0 }, reason)?);
    }
    let listed = |name: &str| manifest.segments.iter().any(|segment| segment.name == name);
    leftovers += remove_all(&dir.join(SEGMENTS_DIR), |name| !listed(name))?;

    let mut budget = VERIFY_AT_OPEN_BYTES;
    let (mut segments, mut unreadable, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for entry in std::mem::take(&mut manifest.segments) {
        match verify(dir, &entry.name, options, &mut budget) {
            Ok(segment) => {
                segments.push(Arc::new(Known::new(Arc::new(segment))));
                kept.push(entry);
            }
            Err(Fault::Damaged(reason)) => manifest.damaged.push(set_aside(dir, entry, reason)?),
            Err(Fault::Unreadable(error)) => {
                tracing::error!(segment = entry.name, %error, "a segment cannot be read and does not serve");
                let (name, reason) = (entry.name.clone(), error.to_string());
                unreadable.push(DamagedSegment { name, events: entry.events, reason, aside: None });
                kept.push(entry);
            }
        }
    }
    manifest.segments = kept;
    let recovered = recovery::recover(dir, &mut manifest, &segments, options)?;
    if manifest != before || !dir.join(INDEX_MANIFEST).exists() {
        manifest.write(dir)?;
    }
    Ok(Opened { lock, manifest, segments, recovered, unreadable, leftovers })
}

fn lock(dir: &Path) -> Result<File, IndexError> {
    let path = dir.join(LOCK_FILE);
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path)?.into_parts().0;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(IndexError::Locked { path }),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Moves a damaged segment out of the way, keeping whatever is left of it for a person to look at.
pub(crate) fn set_aside(dir: &Path, entry: Listed, reason: String) -> Result<DamagedSegment, IndexError> {
    let from = dir.join(SEGMENTS_DIR).join(&entry.name);
    let aside = if from.exists() {
        let to = dir.join(ASIDE_DIR).join(&entry.name);
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        fs::rename(&from, &to)?;
        durable::sync_dir(&dir.join(ASIDE_DIR))?;
        durable::sync_dir(&dir.join(SEGMENTS_DIR))?;
        Some(PathBuf::from(ASIDE_DIR).join(&entry.name))
    } else {
        None
    };
    tracing::error!(segment = entry.name, events = entry.events, reason, "a segment is damaged and was set aside");
    Ok(DamagedSegment { name: entry.name, events: entry.events, reason, aside })
}

/// Removes the folders in `dir` that `which` names; how many there were.
fn remove_all(dir: &Path, which: impl Fn(&str) -> bool) -> Result<u64, IndexError> {
    let mut removed = 0;
    for name in names(dir)?.into_iter().filter(|name| which(name)) {
        fs::remove_dir_all(dir.join(&name))?;
        removed += 1;
    }
    Ok(removed)
}
