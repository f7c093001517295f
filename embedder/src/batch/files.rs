//! Files that are there whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

/// Writes `bytes` to `name` in `folder` under another name, syncs, renames, and syncs the folder.
pub(super) fn write_atomically(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = folder.join(format!("{name}{ASIDE}"));
    let mut file = fs_err::File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs_err::rename(&aside, folder.join(name))?;
    sync_folder(folder)
}

/// Carries the entries of `folder` to the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    fs_err::File::open(folder)?.sync_all()
}

/// Ends the name of a file that is being written.
pub(super) const ASIDE: &str = ".tmp";
