//! Network namespaces by name.

use std::fmt;
use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use rustix::net::Protocol;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::sys::netlink::Netlink;

/// A network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum NetNs {
    /// The one we run in.
    #[default]
    Own,
    /// That of a process, for example of a container.
    Pid(u32),
    /// One that `ip netns add` made.
    Named(String),
}

impl NetNs {
    /// `pid:1234`, or a name without slashes.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(pid) = text.strip_prefix("pid:") {
            return pid.parse().ok().map(Self::Pid);
        }
        let is_name = !text.is_empty() && !text.contains('/') && text != "." && text != "..";
        is_name.then(|| Self::Named(text.to_owned()))
    }

    /// A netlink socket of `protocol` in this namespace. Entering another needs `CAP_SYS_ADMIN`.
    pub fn netlink(&self, protocol: Option<Protocol>) -> io::Result<Netlink> {
        let path = match self {
            Self::Own => return Netlink::open(protocol),
            Self::Pid(pid) => PathBuf::from(format!("/proc/{pid}/ns/net")),
            Self::Named(name) => PathBuf::from("/run/netns").join(name),
        };
        let namespace = fs_err::File::open(path)?;
        // A thread of its own enters and ends there; a socket stays in the namespace it was made in.
        let thread = std::thread::Builder::new().name("netns".to_owned()).spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            Netlink::open(protocol)
        })?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that entered the namespace ended")))
    }
}

impl fmt::Display for NetNs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Pid(pid) => write!(f, "pid:{pid}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}
