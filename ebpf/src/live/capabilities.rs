//! Capabilities: which are needed, which are missing, and giving up those that are not needed any more.
//!
//! They belong to a thread (capabilities(7)): give them up before others are started. A thread that has given up a capability
//! cannot get it back, nor can a program that it runs.
#![allow(unsafe_code)]

use std::fmt;
use std::io;

/// One of the capabilities that the sidecar knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Loads programs and makes maps.
    Bpf,
    /// Lets the verifier accept programs that read the kernel's structures and use pointers freely.
    Perfmon,
    /// Attaches programs to interfaces, and raises receive buffers beyond `net.core.rmem_max`.
    NetAdmin,
    /// Looks into processes of other users: their namespaces and sockets.
    SysPtrace,
    /// Enters another network namespace.
    SysAdmin,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Bpf, Self::Perfmon, Self::NetAdmin, Self::SysPtrace, Self::SysAdmin];

    /// Its name, as systemd units and `setcap` write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bpf => "CAP_BPF",
            Self::Perfmon => "CAP_PERFMON",
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::SysPtrace => "CAP_SYS_PTRACE",
            Self::SysAdmin => "CAP_SYS_ADMIN",
        }
    }

    /// What it is needed for, and what works without it.
    fn without(self) -> &'static str {
        match self {
            Self::Bpf => {
                "loads the programs. Without it no live traffic is seen; capture files are read all the same (forebay meter)"
            }
            Self::Perfmon => {
                "lets the verifier accept them. Without it no live traffic is seen; capture files are read all the same"
            }
            Self::NetAdmin => {
                "attaches them to an interface. Without it no live traffic is seen; receive buffers can still be sized up to net.core.rmem_max"
            }
            Self::SysPtrace => {
                "opens the namespace of another user's process. Without it that of a name or path, or of one's own process, works"
            }
            Self::SysAdmin => {
                "enters another network namespace. Without it interfaces of our own namespace work, or start the program there (nsenter --net=...)"
            }
        }
    }

    /// Its number in `linux/capability.h`.
    fn bit(self) -> u32 {
        match self {
            Self::Bpf => 39,
            Self::Perfmon => 38,
            Self::NetAdmin => 12,
            Self::SysPtrace => 19,
            Self::SysAdmin => 21,
        }
    }
}

/// Capabilities that are needed and not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub Vec<Capability>);

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|one| one.name()).collect();
        write!(out, "missing {}", names.join(", "))?;
        for one in &self.0 {
            write!(out, "; {} {}", one.name(), one.without())?;
        }
        let set: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        write!(out, ". Run as root, or: setcap {}=ep FILE", set.join(","))
    }
}

/// Which of `needed` the calling thread does not have.
pub fn missing(needed: &[Capability]) -> io::Result<Vec<Capability>> {
    let sets = Sets::read()?;
    Ok(needed.iter().copied().filter(|one| sets.effective() & (1 << one.bit()) == 0).collect())
}

/// Gives up every capability of the calling thread but `kept`, for good, also over `exec`. Gives those of
/// [`Capability::ALL`] that went.
pub fn keep_only(kept: &[Capability]) -> io::Result<Vec<Capability>> {
    let sets = Sets::read()?;
    let mask = kept.iter().fold(0u64, |mask, one| mask | 1 << one.bit());
    let gone = Capability::ALL
        .into_iter()
        .filter(|one| sets.effective() & (1 << one.bit()) != 0 && mask & (1 << one.bit()) == 0)
        .collect();
    sets.masked(mask).write()?;
    // SAFETY: takes integers only, and touches no memory of ours.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(gone)
}

/// Gives up these capabilities of the calling thread and keeps all others. Gives those that went.
pub fn give_up(gone: &[Capability]) -> io::Result<Vec<Capability>> {
    let sets = Sets::read()?;
    let had: Vec<Capability> = gone.iter().copied().filter(|one| sets.effective() & (1 << one.bit()) != 0).collect();
    let mask = gone.iter().fold(u64::MAX, |mask, one| mask & !(1 << one.bit()));
    sets.masked(mask).write()?;
    Ok(had)
}

/// `_LINUX_CAPABILITY_VERSION_3`: two words of 32 bits per set.
const VERSION_3: u32 = 0x2008_0522;

/// `struct __user_cap_header_struct`; 0 is the calling thread.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Word {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

struct Sets([Word; 2]);

impl Sets {
    fn read() -> io::Result<Self> {
        let mut header = Header { version: VERSION_3, pid: 0 };
        let mut words = [Word::default(); 2];
        // SAFETY: header and two words are what version 3 reads and writes.
        let rc = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) };
        if rc == 0 { Ok(Self(words)) } else { Err(io::Error::last_os_error()) }
    }

    fn effective(&self) -> u64 {
        u64::from(self.0[0].effective) | u64::from(self.0[1].effective) << 32
    }

    fn masked(mut self, mask: u64) -> Self {
        for (word, mask) in self.0.iter_mut().zip([mask as u32, (mask >> 32) as u32]) {
            word.effective &= mask;
            word.permitted &= mask;
            word.inheritable &= mask;
        }
        self
    }

    fn write(&self) -> io::Result<()> {
        let mut header = Header { version: VERSION_3, pid: 0 };
        // SAFETY: header and two words are what version 3 reads.
        let rc = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, self.0.as_ptr()) };
        if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_capability_is_named_with_what_works_without_it() {
        let said = Missing(vec![Capability::Bpf, Capability::SysAdmin]).to_string();
        assert!(said.starts_with("missing CAP_BPF, CAP_SYS_ADMIN; CAP_BPF loads"), "{said}");
        assert!(
            said.contains("capture files are read all the same") && said.contains("setcap cap_bpf,cap_sys_admin=ep")
        );
    }

    #[test]
    fn what_is_not_named_stays() {
        std::thread::spawn(|| {
            let before = missing(&Capability::ALL).expect("capget works for everyone");
            give_up(&[Capability::Bpf]).expect("giving up needs no privilege");
            let after = missing(&Capability::ALL).expect("capget works for everyone");
            assert!(after.contains(&Capability::Bpf) && after.len() <= before.len() + 1);
        })
        .join()
        .expect("the thread's own assertions hold");
    }

    #[test]
    fn what_a_thread_gives_up_is_gone_for_it_alone() {
        let before = missing(&Capability::ALL).expect("capget works for everyone");
        std::thread::spawn(|| {
            keep_only(&[Capability::NetAdmin]).expect("giving up needs no privilege");
            let left = missing(&Capability::ALL).expect("capget works for everyone");
            assert!(left.contains(&Capability::Bpf) && left.contains(&Capability::SysAdmin));
        })
        .join()
        .expect("the thread's own assertions hold");
        assert_eq!(missing(&Capability::ALL).expect("capget works for everyone"), before);
    }
}
