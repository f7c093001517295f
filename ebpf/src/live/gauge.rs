//! What sockets in hand hold, read of all of them at once.
//!
//! **Promise.** A socket that was taken in hand is in every reading until it is closed or let go: what is queued, its limit, and its
//! drops, as `SO_MEMINFO` has them (and, once closed, for the few milliseconds until the kernel frees it). Sockets of any network namespace; nothing is kept open, so that a port is free as soon as
//! its program ends.
//!
//! One reading costs three system calls, however many sockets there are (about four calls for each socket otherwise). A mark of
//! eight bytes is stored with each socket (`BPF_MAP_TYPE_SK_STORAGE`) and goes with it; a program walks over the marks
//! (`bpf_iter`). Needs Linux 5.8 with BTF, `CAP_BPF` and `CAP_PERFMON` to load; nothing
//! afterwards.
#![allow(unsafe_code)]

use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use aya::maps::{Map, MapData, SkStorage};
use aya::programs::Iter;
use aya::{Btf, Ebpf};

use crate::live::capabilities::{Capability, Missing, missing};
use crate::live::config::LiveConfig;
use crate::live::error::LiveError;
use crate::live::layout::{KernelHeld, value_of};
use crate::live::program::{self, Purpose, Wanted};

/// `BPF_LINK_CREATE` and `BPF_ITER_CREATE` of `linux/bpf.h`, which aya offers only for iterators over no map, once.
const LINK_CREATE: libc::c_long = 28;
/// See [`LINK_CREATE`].
const ITER_CREATE: libc::c_long = 33;
/// `BPF_TRACE_ITER`.
const TRACE_ITER: u32 = 28;

const PROGRAM: &str = "fb_tell_held";

/// Bytes read at once: the kernel gives out at most 32 KiB a call.
const READ_BYTES: usize = 32 * 1024;

/// What one socket holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// What it was taken in hand as.
    pub id: u64,
    /// Bytes charged to the receive queue, in truesize.
    pub queued_bytes: u32,
    /// The limit of the receive queue.
    pub limit_bytes: u32,
    /// Packets dropped by it since it was made. Wraps.
    pub drops: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Gauge {
    hands: SkStorage<MapData, u64>,
    link: OwnedFd,
    buffer: Vec<u8>,
    /// Keeps the program.
    _ebpf: Ebpf,
}

impl Gauge {
    /// Loads the program.
    pub fn open() -> Result<Self, LiveError> {
        let gone = missing(&[Capability::Bpf, Capability::Perfmon]).map_err(LiveError::map("our capabilities"))?;
        if !gone.is_empty() {
            return Err(LiveError::Capabilities(Missing(gone)));
        }
        let refused = |error: &dyn std::error::Error| LiveError::kernel("to read sockets all at once", error);
        let config = LiveConfig { ports_max: 1, ..LiveConfig::of("") };
        let mut ebpf = program::open(&config, Purpose { wanted: Wanted::Nothing, ..Purpose::default() })?;
        let btf = Btf::from_sys_fs().map_err(|error| refused(&error))?;
        let iter: &mut Iter = ebpf
            .program_mut(PROGRAM)
            .expect("the object holds this program")
            .try_into()
            .expect("its section makes it an iterator");
        iter.load("bpf_sk_storage_map", &btf).map_err(|error| refused(&error))?;
        let program = iter.fd().map_err(|error| refused(&error))?.as_fd().as_raw_fd();
        let Some(Map::SkStorage(data)) = ebpf.take_map("hands") else { unreachable!("the object makes it that") };
        let link = link(program, data.fd().as_fd()).map_err(LiveError::map("to attach the iterator over sockets"))?;
        let hands = SkStorage::try_from(Map::SkStorage(data)).map_err(|error| refused(&error))?;
        Ok(Self { hands, link, buffer: vec![0; READ_BYTES], _ebpf: ebpf })
    }

    /// Takes a socket in hand as `id`; what it was before is forgotten.
    pub fn hold(&mut self, socket: BorrowedFd<'_>, id: u64) -> Result<(), LiveError> {
        let held = self.hands.insert(&socket.as_raw_fd(), id, 0);
        held.map_err(|error| LiveError::kernel("to take a socket in hand", &error))
    }

    /// Lets a socket go. Gives whether it was in hand.
    pub fn let_go(&mut self, socket: BorrowedFd<'_>) -> bool {
        self.hands.remove(&socket.as_raw_fd()).is_ok()
    }

    /// Reads all sockets in hand, in no order.
    pub fn read(&mut self, each: &mut dyn FnMut(Held)) -> io::Result<()> {
        let mut file = std::fs::File::from(iterate(self.link.as_fd())?);
        loop {
            let bytes = file.read(&mut self.buffer)?;
            if bytes == 0 {
                return Ok(());
            }
            for record in self.buffer[..bytes].chunks_exact(size_of::<KernelHeld>()) {
                if let Some(held) = value_of::<KernelHeld>(record) {
                    let KernelHeld { id, queued_bytes, limit_bytes, drops, .. } = held;
                    each(Held { id, queued_bytes, limit_bytes, drops });
                }
            }
        }
    }
}

/// The part of `union bpf_attr` that makes a link of an iterator.
#[repr(C)]
struct LinkAttr {
    program: u32,
    target: u32,
    kind: u32,
    flags: u32,
    info: u64,
    info_bytes: u32,
    unused: u32,
}

fn link(program: i32, map: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let map = map.as_raw_fd() as u32;
    let info = (&raw const map) as u64;
    let attr = LinkAttr {
        program: program as u32,
        target: 0,
        kind: TRACE_ITER,
        flags: 0,
        info,
        info_bytes: size_of::<u32>() as u32,
        unused: 0,
    };
    // SAFETY: `attr` is as long as said; its pointer is to a word of ours that lives over the call.
    descriptor(unsafe { libc::syscall(libc::SYS_bpf, LINK_CREATE, &raw const attr, size_of::<LinkAttr>()) })
}

fn iterate(link: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let attr: [u32; 2] = [link.as_raw_fd() as u32, 0];
    // SAFETY: two words, as this call reads them.
    descriptor(unsafe { libc::syscall(libc::SYS_bpf, ITER_CREATE, attr.as_ptr(), size_of_val(&attr)) })
}

fn descriptor(answer: libc::c_long) -> io::Result<OwnedFd> {
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and is nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(answer as i32) })
}
