//! Bringing bytes to the disk so that they are there after a power cut.
//!
//! A file is there when its bytes are synced *and* the folder that names it is synced. A replacement is written aside,
//! synced and renamed, so that a reader sees the old or the new, never half of one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;

/// Files synced at the same time: the file system joins their flushes into few.
const SYNCS_AT_ONCE: usize = 8;

/// Syncs files that were written before.
pub(crate) fn sync_files(paths: &[PathBuf]) -> io::Result<()> {
    for some in paths.chunks(SYNCS_AT_ONCE) {
        std::thread::scope(|scope| {
            let syncs: Vec<_> = some.iter().map(|path| scope.spawn(move || fs::File::open(path)?.sync_all())).collect();
            syncs.into_iter().try_for_each(|sync| {
                sync.join().unwrap_or_else(|_| Err(io::Error::other("the thread that synced a file panicked")))
            })
        })?;
    }
    Ok(())
}

/// Syncs a folder: the names in it.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Writes a new file and syncs its bytes (its name is the caller's to sync).
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Replaces the file `name` in `dir` by `bytes`, whole or not at all, and returns once that is on the disk.
pub(crate) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = dir.join(format!("{name}.new"));
    write_file(&aside, bytes)?;
    fs::rename(&aside, dir.join(name))?;
    sync_dir(dir)
}
