//! One target, as the configuration writes it.
//!
//! ```text
//! port:514                                        every UDP socket bound to port 514
//! process:rsyslogd min=256k max=64M weight=2      every UDP socket of a program of this name
//! unit:nfcapd.service kinds=udp,tcp,pipe          and TCP sockets and pipes, by systemd unit
//! pid:4711; socket:123456; cgroup:/docker/abc     several on one line
//! process:collector mode=advise                   only recommended, never touched
//! port:2055 netns=lab  # in a namespace of `ip netns`
//! ```

use std::fmt;

use super::netns::NetNs;
use super::size::parse_size;
use crate::limits::{CEILING_MAX_BYTES, CEILING_MIN_BYTES, TARGETS_BYTES_MAX, TARGETS_MAX};

/// What a target is named by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// A local port.
    Port(u16),
    /// A process, as long as it lives.
    Pid(u32),
    /// Every process whose name (`comm`) or whose program file is called this.
    Process(String),
    /// Every process of a systemd unit.
    Unit(String),
    /// Every process of a control group, or of one below it.
    Cgroup(String),
    /// The socket with this inode.
    Socket(u64),
}

/// Which buffers of a target count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// UDP sockets.
    pub udp: bool,
    /// TCP sockets that listen, and connections.
    pub tcp: bool,
    /// Pipes.
    pub pipe: bool,
}

/// Whether a target is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Its buffers are set.
    Apply,
    /// Its buffers are only recommended a size.
    Advise,
}

/// What is done with a receive buffer that its program set by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// The program's size is the least it gets.
    Floor,
    /// It is left alone.
    Leave,
}

/// One target.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// What it is named by.
    pub selector: Selector,
    /// The name in reports: as written, unless `name=` gives another.
    pub name: String,
    /// Which buffers count.
    pub kinds: Kinds,
    /// The least each buffer gets, in bytes.
    pub min_bytes: u64,
    /// The most each buffer gets, in bytes.
    pub max_bytes: u64,
    /// What a byte dropped here costs, in bytes dropped elsewhere.
    pub weight: f64,
    /// Whether it is changed.
    pub mode: Mode,
    /// What is done where the program set its buffer by itself.
    pub locked: Locked,
    /// Where a port is looked for. Processes are found in any namespace.
    pub netns: NetNs,
}

/// Least size where a target does not say: the kernel's default for a socket (`net.core.rmem_default`) with its usual value.
const MIN_BYTES: u64 = 212_992;

/// Largest size where a target does not say.
const MAX_BYTES: u64 = 256 << 20;

/// What is wrong with a list of targets. The fault of whoever wrote it.
#[derive(Debug, thiserror::Error)]
#[error("target {place} (`{text}`): {reason}")]
pub struct SpecError {
    place: usize,
    text: String,
    reason: String,
}

/// Reads a list of targets, one a line or separated by `;`, with `#` before remarks.
pub fn parse_targets(list: &str) -> Result<Vec<Spec>, SpecError> {
    let wrong = |place: usize, text: &str, reason: String| SpecError { place, text: text.to_owned(), reason };
    if list.len() > TARGETS_BYTES_MAX {
        return Err(wrong(0, "", format!("the list is longer than {TARGETS_BYTES_MAX} bytes")));
    }
    let mut specs: Vec<Spec> = Vec::new();
    let lines = list.lines().map(|line| line.split('#').next().unwrap_or(""));
    for (place, text) in lines.flat_map(|line| line.split(';')).map(str::trim).filter(|t| !t.is_empty()).enumerate() {
        let spec = Spec::parse(text).map_err(|reason| wrong(place + 1, text, reason))?;
        if specs.iter().any(|other| other.name == spec.name) {
            return Err(wrong(place + 1, text, "there is another target of this name; give one a `name=`".to_owned()));
        }
        specs.push(spec);
        if specs.len() > TARGETS_MAX {
            return Err(wrong(place + 1, text, format!("there are more than {TARGETS_MAX} targets")));
        }
    }
    Ok(specs)
}

impl Spec {
    fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        let mut spec = Self {
            selector: Selector::parse(first)?,
            name: first.to_owned(),
            kinds: Kinds { udp: true, tcp: false, pipe: false },
            min_bytes: MIN_BYTES,
            max_bytes: MAX_BYTES,
            weight: 1.0,
            mode: Mode::Apply,
            locked: Locked::Floor,
            netns: NetNs::Own,
        };
        let mut has_min = false;
        for word in words {
            let Some((key, value)) = word.split_once('=') else {
                return Err(format!("`{word}` is no option; options are written key=value"));
            };
            has_min |= key == "min";
            spec.set(key, value)?;
        }
        if !has_min {
            spec.min_bytes = spec.min_bytes.min(spec.max_bytes);
        }
        if spec.min_bytes > spec.max_bytes {
            return Err(format!("min={} is more than max={}", spec.min_bytes, spec.max_bytes));
        }
        Ok(spec)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "min" => self.min_bytes = size(key, value)?,
            "max" => self.max_bytes = size(key, value)?,
            "weight" => {
                self.weight = value
                    .parse()
                    .ok()
                    .filter(|weight| (0.01..=100.0).contains(weight))
                    .ok_or_else(|| format!("weight={value} is not a number from 0.01 to 100"))?;
            }
            "kinds" => self.kinds = Kinds::parse(value)?,
            "name" if !value.is_empty() => value.clone_into(&mut self.name),
            "netns" => {
                self.netns = NetNs::parse(value).ok_or_else(|| format!("netns={value} is neither a name nor pid:N"))?;
            }
            "mode" => {
                self.mode = match value {
                    "apply" => Mode::Apply,
                    "advise" => Mode::Advise,
                    _ => return Err(format!("mode={value} is neither apply nor advise")),
                };
            }
            "locked" => {
                self.locked = match value {
                    "floor" => Locked::Floor,
                    "leave" => Locked::Leave,
                    _ => return Err(format!("locked={value} is neither floor nor leave")),
                };
            }
            _ => {
                return Err(format!(
                    "`{key}` is no option; there are min, max, weight, kinds, name, netns, mode, locked"
                ));
            }
        }
        Ok(())
    }
}

impl Selector {
    fn parse(text: &str) -> Result<Self, String> {
        let (kind, value) = text.split_once(':').unwrap_or((text, ""));
        let number = || format!("`{value}` is not a number that a {kind} can have");
        match kind {
            _ if value.is_empty() => Err(format!(
                "`{text}` is not a target; write port:N, pid:N, process:NAME, unit:NAME, cgroup:PATH or socket:INODE"
            )),
            "port" => value.parse().ok().filter(|port| *port > 0).map(Self::Port).ok_or_else(number),
            "pid" => {
                value.parse().ok().filter(|pid| (1..=i32::MAX as u32).contains(pid)).map(Self::Pid).ok_or_else(number)
            }
            "socket" => value.parse().ok().filter(|inode| *inode > 0).map(Self::Socket).ok_or_else(number),
            "process" => Ok(Self::Process(value.to_owned())),
            "unit" if value.contains('.') => Ok(Self::Unit(value.to_owned())),
            "unit" => Ok(Self::Unit(format!("{value}.service"))),
            "cgroup" => Ok(Self::Cgroup(format!("/{}", value.trim_matches('/')))),
            _ => Err(format!(
                "`{kind}` is not what a target is named by; there are port, pid, process, unit, cgroup, socket"
            )),
        }
    }
}

impl Kinds {
    fn parse(list: &str) -> Result<Self, String> {
        let mut kinds = Self { udp: false, tcp: false, pipe: false };
        for word in list.split(',') {
            match word {
                "udp" => kinds.udp = true,
                "tcp" => kinds.tcp = true,
                "pipe" => kinds.pipe = true,
                _ => return Err(format!("`{word}` is no kind of buffer; there are udp, tcp, pipe")),
            }
        }
        Ok(kinds)
    }
}

fn size(key: &str, value: &str) -> Result<u64, String> {
    parse_size(value)
        .filter(|bytes| (CEILING_MIN_BYTES..=CEILING_MAX_BYTES).contains(bytes))
        .ok_or_else(|| format!("{key}={value} is not a size from 16k to 1G; write bytes, or a number with k, M or G"))
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_its_options() {
        let list =
            "port:514 min=256k max=64M # syslog\n\n process:nfcapd weight=2 kinds=udp,pipe;unit:rsyslog mode=advise";
        let specs = parse_targets(list).unwrap();
        assert_eq!(specs[0].selector, Selector::Port(514));
        assert_eq!((specs[0].min_bytes, specs[0].max_bytes), (256 << 10, 64 << 20));
        assert_eq!(specs[1].kinds, Kinds { udp: true, tcp: false, pipe: true });
        assert_eq!(specs[2].selector, Selector::Unit("rsyslog.service".to_owned()));
        assert_eq!((specs[2].mode, specs[2].name.as_str()), (Mode::Advise, "unit:rsyslog"));
    }

    #[test]
    fn each_mistake_is_told_with_its_place() {
        for (list, says) in [
            ("rsyslogd", "write port:N"),
            ("port:99999", "not a number"),
            ("port:1;port:2;prot:3", "target 3 (`prot:3`)"),
            ("port:1 max=1", "from 16k to 1G"),
            ("port:1 min=2M max=1M", "more than max"),
            ("port:1 colour=red", "no option"),
            ("port:1 weight=NaN", "weight"),
            ("port:1\nport:1", "another target"),
            ("port:1 netns=../x", "netns"),
            ("pid:0", "not a number"),
        ] {
            let error = parse_targets(list).unwrap_err().to_string();
            assert!(error.contains(says), "{list}: {error}");
        }
        assert!(parse_targets(" ; \n # nothing \n").unwrap().is_empty());
    }

    #[test]
    fn a_small_maximum_lowers_the_default_minimum() {
        assert_eq!(parse_targets("port:1 max=64k").unwrap()[0].min_bytes, 64 << 10);
    }
}
