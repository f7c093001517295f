//! Settings of the machine that bound what reaches a socket at all, raised while the sidecar runs.
//!
//! ```text
//! net.core.netdev_max_backlog=5000              packets that wait for a CPU
//! net.ipv4.udp_mem=600000,800000,1200000        pages that all UDP sockets share (low, pressure, most)
//! pfifo:eth0=2000                               packets in the queue of an interface
//! ```
//! They are fixed values, not policies: each is set once at start and put back at the end. Only these are known; the sidecar is no general
//! tool for `sysctl`.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use crate::sys::netlink::Netlink;
use crate::sys::qdisc;

/// Which setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// `net.core.netdev_max_backlog`.
    NetdevMaxBacklog,
    /// `net.ipv4.udp_mem`.
    UdpMem,
    /// The limit of the `pfifo` that is the root queue of an interface of our namespace.
    Pfifo(String),
}

/// A setting and what it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which.
    pub setting: Setting,
    /// The value as the kernel writes it.
    pub value: String,
}

/// Largest value of a single number.
const VALUE_MAX: u64 = i32::MAX as u64;

impl Wish {
    /// Reads a list such as that above, one a line or separated by `;`.
    pub fn parse_list(list: &str) -> Result<Vec<Self>, String> {
        let lines = list.lines().map(|line| line.split('#').next().unwrap_or(""));
        lines.flat_map(|line| line.split(';')).map(str::trim).filter(|text| !text.is_empty()).map(Self::parse).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is no setting; write NAME=VALUE"))?;
        let (name, value) = (name.trim(), value.trim());
        let (setting, count) = match name.split_once(':') {
            None if name == "net.core.netdev_max_backlog" => (Setting::NetdevMaxBacklog, 1),
            None if name == "net.ipv4.udp_mem" => (Setting::UdpMem, 3),
            Some(("pfifo", interface)) if is_interface(interface) => (Setting::Pfifo(interface.to_owned()), 1),
            _ => {
                return Err(format!(
                    "`{name}` is not a setting the sidecar knows; there are net.core.netdev_max_backlog, \
                     net.ipv4.udp_mem and pfifo:INTERFACE"
                ));
            }
        };
        let numbers: Vec<u64> = value.split(',').filter_map(|number| number.trim().parse().ok()).collect();
        let is_ascending = numbers.is_sorted() && numbers.iter().all(|number| (1..=VALUE_MAX).contains(number));
        if numbers.len() != count || value.split(',').count() != count || !is_ascending {
            return Err(format!("{name}={value}: {count} whole number(s) from 1 to {VALUE_MAX} are wanted, ascending"));
        }
        let value = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join("\t");
        Ok(Self { setting, value })
    }
}

/// Nothing that could lead out of a folder of `/sys`.
fn is_interface(name: &str) -> bool {
    (1..16).contains(&name.len()) && name.chars().all(|c| c.is_ascii_graphic() && c != '/') && !name.starts_with('.')
}

impl Setting {
    /// What it is now.
    pub fn read(&self) -> io::Result<String> {
        match self {
            Self::Pfifo(interface) => {
                let (mut netlink, index) = reach(interface)?;
                pfifo(&mut netlink, index, interface).map(|(_, limit)| limit.to_string())
            }
            _ => Ok(fs_err::read_to_string(self.path())?.trim().to_owned()),
        }
    }

    /// Makes it `value`.
    pub fn write(&self, value: &str) -> io::Result<()> {
        let Self::Pfifo(interface) = self else {
            return fs_err::write(self.path(), value);
        };
        let limit = value.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a limit is a number"))?;
        let (mut netlink, index) = reach(interface)?;
        let (qdisc, _) = pfifo(&mut netlink, index, interface)?;
        qdisc::set_limit(&mut netlink, index, &qdisc, limit)
    }

    const fn path(&self) -> &'static str {
        match self {
            Self::UdpMem => "/proc/sys/net/ipv4/udp_mem",
            _ => "/proc/sys/net/core/netdev_max_backlog",
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetdevMaxBacklog => f.write_str("net.core.netdev_max_backlog"),
            Self::UdpMem => f.write_str("net.ipv4.udp_mem"),
            Self::Pfifo(interface) => write!(f, "pfifo:{interface}"),
        }
    }
}

/// A way to the queues of `interface`, and its index.
fn reach(interface: &str) -> io::Result<(Netlink, u32)> {
    let netlink = Netlink::open(None)?;
    // Asked of the kernel by name and not of /sys, which may show another namespace.
    let any = rustix::net::socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::DGRAM, None)?;
    Ok((netlink, rustix::net::netdevice::name_to_index(&any, interface)?))
}

fn pfifo(netlink: &mut Netlink, index: u32, interface: &str) -> io::Result<(qdisc::Qdisc, u32)> {
    let found = qdisc::root(netlink, index)?;
    match found {
        Some(qdisc) if qdisc.limit.is_some() => {
            let limit = qdisc.limit.expect("just checked");
            Ok((qdisc, limit))
        }
        other => {
            let kind = other.map_or_else(|| "none".to_owned(), |qdisc| qdisc.kind);
            Err(io::Error::other(format!("the root queue of {interface} is {kind} and not pfifo")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_mistakes_are_told() {
        let list = "net.core.netdev_max_backlog=5000; net.ipv4.udp_mem = 1,2,3 # pages\npfifo:eth0=2000";
        let wishes = Wish::parse_list(list).unwrap();
        assert_eq!(wishes[1], Wish { setting: Setting::UdpMem, value: "1\t2\t3".to_owned() });
        assert_eq!(wishes[2].setting, Setting::Pfifo("eth0".to_owned()));
        for wrong in [
            "kernel.panic=1",
            "net.ipv4.udp_mem=3,2,1",
            "net.ipv4.udp_mem=1",
            "pfifo:../x=1",
            "pfifo:eth0=0",
            "net.core.netdev_max_backlog",
            "net.core.netdev_max_backlog=99999999999",
        ] {
            assert!(Wish::parse_list(wrong).is_err(), "{wrong}");
        }
    }
}
