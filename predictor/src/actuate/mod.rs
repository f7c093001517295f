//! The hands: they look at buffers of running programs, set their sizes, and put back what they changed.
//!
//! **Promise.** What was changed is written down, in a file that is replaced whole, before it is changed; it is put back when the
//! sidecar ends, when the target leaves the configuration, and at the next start if the sidecar was killed. Only a buffer that is
//! provably the same (socket cookie, or pipe inode in a process of the same start time) and still has a size that we gave
//! it is touched.
//!
//! **Layout.** [`buffer`] looks and sets, [`host`] does the same for settings of the machine, [`state_file`] is the file,
//! [`restore`] the ledger of what was changed and the way back.
//!
//! **Limits.** [`crate::limits`]. **Failure.** Each failure is one of [`HandleError`](crate::target::HandleError) and
//! counted by the caller.

pub mod buffer;
pub mod host;
pub mod restore;
pub mod state_file;
