//! Many values of a hash map in one system call, which aya does not offer.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use crate::core::FlowKey;
use crate::live::layout::Slot;

/// `BPF_MAP_LOOKUP_BATCH` of `linux/bpf.h`.
const LOOKUP_BATCH: libc::c_long = 24;

/// The part of `union bpf_attr` that batches use.
#[repr(C)]
#[derive(Default)]
struct BatchAttr {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// A walk over the flow table, a batch at a time.
#[derive(Debug)]
pub(crate) struct Walk {
    cursor: Option<u32>,
    keys: Vec<FlowKey>,
    slots: Vec<Slot>,
    filled: usize,
}

impl Walk {
    /// Batches of at most `batch` flows.
    pub(crate) fn new(batch: usize) -> Self {
        Self { cursor: None, keys: vec![FlowKey::default(); batch], slots: vec![Slot::default(); batch], filled: 0 }
    }

    /// Begins again with the next batch.
    pub(crate) fn restart(&mut self) {
        self.cursor = None;
    }

    /// Reads the next batch of `map`; `false` when that was the last one. A flow that comes or goes meanwhile may be missed,
    /// and one that is being changed may be half old, half new: these are candidates, and `fb_end_flows` decides.
    pub(crate) fn step(&mut self, map: BorrowedFd<'_>) -> io::Result<bool> {
        let mut next = 0u32;
        let cursor = self.cursor;
        let mut attr = BatchAttr {
            in_batch: cursor.as_ref().map_or(0, |cursor| std::ptr::from_ref(cursor) as u64),
            out_batch: (&raw mut next) as u64,
            keys: self.keys.as_mut_ptr() as u64,
            values: self.slots.as_mut_ptr() as u64,
            count: self.keys.len() as u32,
            map_fd: map.as_raw_fd() as u32,
            ..BatchAttr::default()
        };
        // SAFETY: `attr` is as long as said; its pointers are to memory of ours that lives over the call, with room for
        // `count` keys and values of the sizes that the map has (asserted in `layout`).
        let rc = unsafe { libc::syscall(libc::SYS_bpf, LOOKUP_BATCH, &raw mut attr, size_of::<BatchAttr>()) };
        let error = (rc < 0).then(io::Error::last_os_error);
        self.filled = (attr.count as usize).min(self.slots.len());
        match error {
            None => {
                self.cursor = Some(next);
                Ok(true)
            }
            // The end of the table; what was filled before it counts.
            Some(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                self.cursor = None;
                Ok(false)
            }
            Some(error) => {
                self.filled = 0;
                Err(error)
            }
        }
    }

    /// What the last step read.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots[..self.filled]
    }
}
