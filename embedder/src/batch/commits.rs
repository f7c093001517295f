//! Carries finished work to the disk on a thread of its own, while the job goes on, and then enters it into the manifest.
//!
//! **Promise.** Commits are done in the order they were asked for. The manifest never names what is not on the disk. After a
//! failed sync nothing is committed any more: the pages may be marked clean though they were never written.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::BatchError;
use super::files::sync_folder;
use super::limits::COMMITS_WAITING_MAX;
use super::manifest::{Manifest, Position, Totals};
use super::part::WrittenPart;

/// What shall be made durable, and what the manifest shall say then.
pub(super) struct Commit {
    pub(super) part: Option<WrittenPart>,
    /// Growing files that hold something new.
    pub(super) growing: Vec<fs_err::File>,
    pub(super) position: Position,
    pub(super) totals: Totals,
}

/// The thread, and the way to it.
pub(super) struct Commits {
    asked: Option<SyncSender<Commit>>,
    thread: Option<JoinHandle<Result<Kept, BatchError>>>,
}

/// What the thread leaves behind.
pub(super) struct Kept {
    /// As it stands in the folder.
    pub(super) manifest: Manifest,
    /// Time spent in syncing.
    pub(super) syncing: Duration,
}

impl Commits {
    /// Begins with `manifest` as it stands in `folder`.
    pub(super) fn begin(folder: PathBuf, manifest: Manifest) -> Self {
        let (asked, asks) = sync_channel(COMMITS_WAITING_MAX);
        let thread = std::thread::spawn(move || keep_all(&folder, manifest, &asks));
        Self { asked: Some(asked), thread: Some(thread) }
    }

    /// Asks for a commit; waits while too many are on their way, so that memory and lost work stay bounded.
    pub(super) fn ask(&mut self, commit: Commit) -> Result<(), BatchError> {
        let gone = match &self.asked {
            Some(asked) => asked.send(commit).is_err(),
            None => true,
        };
        // The thread ends early only because a commit failed; its error says why.
        if gone { self.settle().map(|_| ()) } else { Ok(()) }
    }

    /// Waits for everything asked for.
    pub(super) fn settle(&mut self) -> Result<Kept, BatchError> {
        self.asked = None;
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => {
                Err(BatchError::Io(std::io::Error::other("an earlier commit failed; nothing is committed after it")))
            }
        }
    }
}

impl Drop for Commits {
    /// The folder must not be given away while the thread works in it.
    fn drop(&mut self) {
        self.asked = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the thread that commits has panicked");
        }
    }
}

fn keep_all(folder: &std::path::Path, mut manifest: Manifest, asks: &Receiver<Commit>) -> Result<Kept, BatchError> {
    let mut syncing = Duration::ZERO;
    for commit in asks {
        let began = Instant::now();
        let part = commit.part.map(WrittenPart::keep).transpose()?;
        for file in &commit.growing {
            file.sync_data()?;
        }
        sync_folder(folder)?;
        manifest.parts.extend(part);
        manifest.position = commit.position;
        manifest.totals = commit.totals;
        manifest.write(folder)?;
        syncing += began.elapsed();
    }
    Ok(Kept { manifest, syncing })
}
