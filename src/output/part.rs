//! A file that appears whole or not at all: written under another name in the same folder, then renamed.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Names tried for one file; a name is taken only where a process of the same number died before us.
const NAMES_MAX: u32 = 100;

/// A file under its temporary name; dropped before it is kept, it is removed.
pub(crate) struct Part {
    written: PathBuf,
    wanted: PathBuf,
    kept: bool,
}

impl Part {
    /// Begins the file that shall be called `path`. `events.jsonl` is written as `.events.jsonl.<process>-<try>.part`, so that
    /// two runs never write into one file. Where `path` is a link, what it points to will be replaced, not the link.
    pub(crate) fn create(path: &Path) -> anyhow::Result<(Self, fs_err::File)> {
        let wanted = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let Some(name) = wanted.file_name().filter(|_| !wanted.is_dir()) else {
            bail!("{} is a folder; name a file to write", path.display());
        };
        let name = name.to_string_lossy();
        for attempt in 0..NAMES_MAX {
            let written = wanted.with_file_name(format!(".{name}.{}-{attempt}.part", std::process::id()));
            match fs_err::OpenOptions::new().write(true).create_new(true).open(&written) {
                Ok(file) => return Ok((Self { written, wanted, kept: false }, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        bail!("{}: {NAMES_MAX} unfinished files lie beside it; remove `.{name}.*.part`", path.display());
    }

    /// Carries the file to the disk and gives it its name. Where the renaming fails, the whole file stays and is named.
    pub(crate) fn keep(mut self) -> anyhow::Result<()> {
        fs_err::File::open(&self.written)?.sync_all()?;
        self.kept = true;
        fs_err::rename(&self.written, &self.wanted).with_context(|| {
            format!(
                "everything is written, but {} could not be renamed; it is whole, rename it yourself",
                self.written.display()
            )
        })?;
        let folder = self.wanted.parent().filter(|folder| !folder.as_os_str().is_empty());
        Ok(fs_err::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing to be done where even this fails; the name says what it is.
            let _ = fs_err::remove_file(&self.written);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs_err::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn two_parts_of_one_name_do_not_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let (first, mut first_file) = Part::create(&path).unwrap();
        let (second, mut second_file) = Part::create(&path).unwrap();
        first_file.write_all(b"first").unwrap();
        second_file.write_all(b"second, longer").unwrap();
        second.keep().unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"second, longer");
        first.keep().unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn a_part_that_is_not_kept_goes_and_one_that_cannot_be_renamed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        drop(Part::create(&path).unwrap());
        assert!(names(folder.path()).is_empty());

        let (part, mut file) = Part::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        fs_err::create_dir(&path).unwrap();
        let error = format!("{:#}", part.keep().unwrap_err());
        let left = names(folder.path());
        assert!(left[0].starts_with(".out.") && error.contains(&left[0]), "{error}");
        assert_eq!(fs_err::read(folder.path().join(&left[0])).unwrap(), b"whole");
    }

    #[test]
    fn a_folder_is_refused_and_a_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Part::create(folder.path()).is_err());
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs_err::write(&real, "old").unwrap();
        fs_err::os::unix::fs::symlink(&real, &link).unwrap();
        Part::create(&link).unwrap().0.keep().unwrap();
        assert!(fs_err::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs_err::read(&real).unwrap(), b"");
    }
}
