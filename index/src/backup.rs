//! A copy of the index at one moment, made while it goes on.
//!
//! **Promise.** The copy holds everything that was acknowledged before it was asked for, opens as an index of its own, and
//! stays as it is whatever happens to the original. Its folder appears whole, under its name, or not at all.
//!
//! Files of segments never change, so they are linked (hard links; copied where the file system cannot, as across two of
//! them). The log is copied as far as it is synced. Appends and searches do not notice; sealing, merging and dropping wait
//! while the links are made and the log is copied.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Serialize;

use crate::manifest::IndexManifest;
use crate::segment::SEGMENTS_DIR;
use crate::shared::Shared;
use crate::writer::Writer;
use crate::{IndexError, durable, log};

/// What a copy consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Segments.
    pub segments: usize,
    /// Bytes of files that are linked and take no room of their own.
    pub linked_bytes: u64,
    /// Bytes that were copied: the log, and what could not be linked.
    pub copied_bytes: u64,
}

impl Writer {
    /// Makes a copy of the index as the folder `to`, which must not be there yet.
    pub(crate) fn copy_to(&self, shared: &Shared, to: &Path) -> Result<Copied, IndexError> {
        if to.symlink_metadata().is_ok() {
            let reason = format!("{}: is there already; a copy goes into a new folder", to.display());
            return Err(IndexError::Io(io::Error::new(io::ErrorKind::AlreadyExists, reason)));
        }
        let partial = partial(to)?;
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        let copied = self.copy_parts(shared, &partial).inspect_err(|_| {
            // What is left of a copy that failed is in nobody's way but the next copy's, which removes it.
            let _ = fs::remove_dir_all(&partial);
        })?;
        fs::rename(&partial, to)?;
        if let Some(parent) = to.parent() {
            durable::sync_dir(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
        }
        Ok(copied)
    }

    fn copy_parts(&self, shared: &Shared, to: &Path) -> Result<Copied, IndexError> {
        let mut copied = Copied::default();
        fs::create_dir_all(to.join(SEGMENTS_DIR))?;
        fs::create_dir_all(to.join(log::LOG_DIR))?;
        let catalog = self.catalog();
        for listed in &catalog.segments {
            let part = Path::new(SEGMENTS_DIR).join(&listed.name);
            link_folder(&shared.dir.join(&part), &to.join(&part), &mut copied)?;
            copied.segments += 1;
        }
        self.copy_log(shared, &catalog, to, &mut copied)?;
        durable::sync_dir(&to.join(SEGMENTS_DIR))?;
        durable::sync_dir(&to.join(log::LOG_DIR))?;
        catalog.write(to)?;
        Ok(copied)
    }

    /// Copies the log files that count, as far as they are synced. The caller holds the catalog, so none is removed.
    fn copy_log(
        &self,
        shared: &Shared,
        catalog: &IndexManifest,
        to: &Path,
        copied: &mut Copied,
    ) -> Result<(), IndexError> {
        let (current, synced) = {
            let mut state = self.hot.lock();
            (state.current().log, state.log_synced)
        };
        for number in log::numbers(&shared.dir)?.into_iter().filter(|number| *number >= catalog.first_log) {
            let name = Path::new(log::LOG_DIR).join(log::file_name(number));
            let limit = match number.cmp(&current) {
                std::cmp::Ordering::Less => u64::MAX,
                std::cmp::Ordering::Equal => synced,
                // Begun since; what it holds was acknowledged later.
                std::cmp::Ordering::Greater => continue,
            };
            let mut from = fs::File::open(shared.dir.join(&name))?.take(limit);
            let mut file = fs::File::create(to.join(&name))?;
            copied.copied_bytes += io::copy(&mut from, &mut file)?;
            file.sync_all()?;
        }
        Ok(())
    }
}

/// Where a copy is put together.
fn partial(to: &Path) -> Result<PathBuf, IndexError> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, format!("{}: names no folder", to.display()));
    let mut name = to.file_name().ok_or_else(invalid)?.to_owned();
    name.push(".partial");
    Ok(to.with_file_name(name))
}

/// Links every file below `from` into `to`.
fn link_folder(from: &Path, to: &Path, copied: &mut Copied) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link_folder(&entry.path(), &target, copied)?;
            continue;
        }
        let bytes = entry.metadata()?.len();
        if fs::hard_link(entry.path(), &target).is_ok() {
            copied.linked_bytes += bytes;
        } else {
            fs::copy(entry.path(), &target)?;
            fs::File::open(&target)?.sync_all()?;
            copied.copied_bytes += bytes;
        }
    }
    durable::sync_dir(to)
}
