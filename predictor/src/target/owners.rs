//! Who has a socket open that is known by its inode only.
//!
//! The kernel tells inodes by port, not owners: for an inode not met before, the open files of all processes are looked at, at
//! most once a pass. One whose owner is not found (a socket of the kernel, or of a process we may not look into) is tried again after
//! [`RETRY`].

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use super::process;

/// How long an inode without an owner is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// What is known of owners.
#[derive(Debug, Default)]
pub(super) struct Owners {
    places: HashMap<u64, Place>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    At { pid: u32, fd: i32 },
    Nowhere { since: Instant },
}

impl Owners {
    /// The process and file number of each of `inodes` that has an owner. `numbers` are all processes, asked for only if needed.
    pub(super) fn find<'a>(
        &mut self,
        inodes: &[u64],
        now: Instant,
        numbers: impl FnOnce() -> io::Result<&'a [u32]>,
    ) -> io::Result<Vec<(u64, u32, i32)>> {
        self.places.retain(|inode, _| inodes.contains(inode));
        let is_known = |place: Option<&Place>, inode: u64| match place {
            Some(Place::At { pid, fd }) => process::file(*pid, *fd).is_some_and(|file| file.inode == inode),
            Some(Place::Nowhere { since }) => now.saturating_duration_since(*since) < RETRY,
            None => false,
        };
        let lost: Vec<u64> = inodes.iter().copied().filter(|inode| !is_known(self.places.get(inode), *inode)).collect();
        if !lost.is_empty() {
            self.search(&lost, now, numbers()?);
        }
        let places = inodes.iter().filter_map(|inode| match self.places.get(inode) {
            Some(Place::At { pid, fd }) => Some((*inode, *pid, *fd)),
            _ => None,
        });
        Ok(places.collect())
    }

    fn search(&mut self, lost: &[u64], now: Instant, numbers: &[u32]) {
        for inode in lost {
            self.places.insert(*inode, Place::Nowhere { since: now });
        }
        let own = std::process::id();
        for &pid in numbers.iter().filter(|pid| **pid != own) {
            // A process that ended, or that we may not look into, owns nothing for us.
            let _ = process::open_files(pid, |file| {
                if lost.contains(&file.inode) && !file.is_pipe {
                    self.places.insert(file.inode, Place::At { pid, fd: file.fd });
                }
            });
        }
    }
}
