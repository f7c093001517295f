//! The folder a job works in, and the one it becomes.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::BatchError;
use super::files::{ASIDE, sync_folder};
use super::manifest::{Identity, Manifest};
use super::part;

const LOCK: &str = "lock";

/// Where a job that shall become `out` works: `OUT.incomplete`.
pub fn incomplete_path(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".incomplete");
    out.with_file_name(name)
}

/// A folder that no other process works in.
pub(super) struct Folder {
    out: PathBuf,
    work: PathBuf,
    /// The lock goes when this is dropped.
    _lock: File,
}

/// What was found where the output shall be.
pub(super) enum Found {
    /// The output of this very job.
    Done(Box<Manifest>),
    /// A job to be done, from the start or from where its manifest says.
    Work(Folder, Box<Manifest>),
}

/// Looks at `out` and its unfinished folder, and takes hold of the latter for the job `asked`.
pub(super) fn open(out: &Path, asked: &Identity) -> Result<Found, BatchError> {
    if out.file_name().is_none() {
        return Err(BatchError::Occupied(out.to_owned()));
    }
    if let Some(manifest) = finished(out, asked)? {
        return Ok(Found::Done(manifest));
    }
    let work = incomplete_path(out);
    fs_err::create_dir_all(&work)?;
    let lock = lock(&work)?;
    let folder = Folder { out: out.to_owned(), work, _lock: lock };
    // Another process may have finished between the first look and the lock.
    if let Some(manifest) = finished(out, asked)? {
        folder.abandon()?;
        return Ok(Found::Done(manifest));
    }
    let manifest = match Manifest::read(&folder.work)? {
        None => folder.begin(asked)?,
        Some(manifest) => folder.resume(manifest, asked)?,
    };
    Ok(Found::Work(folder, Box::new(manifest)))
}

/// The manifest of `out` where it is the finished output of the job `asked`; none where there is nothing.
fn finished(out: &Path, asked: &Identity) -> Result<Option<Box<Manifest>>, BatchError> {
    let mut entries = match fs_err::read_dir(out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if out.is_file() => return Err(BatchError::Occupied(out.to_owned())),
        other => other?,
    };
    if entries.next().is_none() {
        // An empty folder is as good as none: a rename replaces it.
        return Ok(None);
    }
    let Some(manifest) = Manifest::read(out)? else {
        return Err(BatchError::Occupied(out.to_owned()));
    };
    let other = |difference| BatchError::OtherJob { folder: out.to_owned(), difference };
    if let Some(difference) = manifest.job.difference(asked) {
        return Err(other(difference));
    }
    if let Some(stream) = stream_of(asked) {
        return Err(other(format!("{stream} cannot be compared with what was read then")));
    }
    Ok(Some(Box::new(manifest)))
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.work
    }

    /// Gives the folder its final name.
    pub(super) fn publish(self) -> Result<(), BatchError> {
        fs_err::remove_file(self.work.join(LOCK))?;
        sync_folder(&self.work)?;
        fs_err::rename(&self.work, &self.out)?;
        let parent = self.out.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(sync_folder(parent.unwrap_or(Path::new(".")))?)
    }

    /// Removes the folder where no part, no rejection and no place in the inputs was ever committed: there is nothing to go on
    /// from, and an empty folder would only ask what it is.
    pub(super) fn abandon_if_blank(self) {
        let work = self.work.clone();
        let blank = Manifest::read(&work).ok().flatten().is_some_and(|manifest| manifest.is_blank());
        if blank && let Err(error) = self.abandon() {
            tracing::warn!(folder = %work.display(), "an empty folder could not be removed: {error}");
        }
    }

    fn abandon(self) -> Result<(), BatchError> {
        Ok(fs_err::remove_dir_all(&self.work)?)
    }

    fn begin(&self, asked: &Identity) -> Result<Manifest, BatchError> {
        let strangers = self.entries()?.iter().any(|path| !path.ends_with(LOCK) && !is_aside(path));
        if strangers {
            // Nothing of ours is ever there before the manifest.
            return Err(BatchError::Occupied(self.work.clone()));
        }
        let manifest = Manifest::new(asked.clone());
        manifest.write(&self.work)?;
        Ok(manifest)
    }

    fn resume(&self, manifest: Manifest, asked: &Identity) -> Result<Manifest, BatchError> {
        if let Some(difference) = manifest.job.difference(asked) {
            return Err(BatchError::OtherJob { folder: self.work.clone(), difference });
        }
        if let Some(input) = stream_of(asked).filter(|_| !manifest.complete) {
            return Err(BatchError::NotResumable { folder: self.work.clone(), input: input.to_owned() });
        }
        self.sweep(&manifest)?;
        for part in &manifest.parts {
            let file = self.work.join(&part.file);
            let bytes = fs_err::metadata(&file)?.len();
            if bytes != part.bytes {
                let reason = format!("{bytes} bytes, but {} were finished", part.bytes);
                return Err(BatchError::Damaged { file, reason });
            }
        }
        Ok(manifest)
    }

    /// Removes what a crash left: files that were being written, and parts that no manifest took in.
    fn sweep(&self, manifest: &Manifest) -> Result<(), BatchError> {
        for path in self.entries()? {
            let listed = manifest.parts.iter().any(|part| path.ends_with(&part.file));
            if is_aside(&path) || (part::is_name(&path) && !listed) {
                tracing::info!(file = %path.display(), "removing what an earlier run left unfinished");
                fs_err::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn entries(&self) -> io::Result<Vec<PathBuf>> {
        fs_err::read_dir(&self.work)?.map(|entry| Ok(entry?.path())).collect()
    }
}

/// The first input that cannot be read again.
fn stream_of(asked: &Identity) -> Option<&str> {
    asked.inputs.iter().find(|(_, fingerprint)| fingerprint.is_none()).map(|(name, _)| name.as_str())
}

fn is_aside(path: &Path) -> bool {
    path.to_string_lossy().ends_with(ASIDE)
}

fn lock(work: &Path) -> Result<File, BatchError> {
    let path = work.join(LOCK);
    let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(&path)?.into_parts().0;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BatchError::Locked(work.to_owned())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unfinished_folder_stands_beside_the_output() {
        assert_eq!(incomplete_path(Path::new("/data/out")), Path::new("/data/out.incomplete"));
        assert_eq!(incomplete_path(Path::new("out.d")), Path::new("out.d.incomplete"));
    }
}
