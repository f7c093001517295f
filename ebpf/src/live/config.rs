//! What live metering is told.

use crate::live::limits;
use crate::live::netns::Netns;
use crate::meter::MeterConfig;

/// Which interface is metered, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveConfig {
    /// Name of the interface.
    pub interface: String,
    /// The network namespace it lies in; ours, where there is none.
    pub netns: Option<Netns>,
    /// Timeouts, the size of the table, and what is written into every event. `interface` of it is not looked at.
    pub meter: MeterConfig,
    /// Ports that can be watched at a time, at most 1,024; each takes 16 KiB a CPU.
    pub ports_max: u16,
    /// In which direction packets reach the watched ports: ingress, unless the interface is the host's end of a container's.
    pub port_direction: Direction,
    /// What is attached to.
    pub hook: HookChoice,
    /// Whether drop events and drains are wanted (tracepoints of the whole machine).
    pub drops: bool,
}

/// A direction, seen from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into it.
    Ingress,
    /// Out of it.
    Egress,
}

/// What is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookChoice {
    /// tcx, or clsact where the kernel has no tcx; which one is told.
    Auto,
    /// tcx or nothing.
    Tcx,
    /// clsact.
    Clsact,
}

impl LiveConfig {
    /// Everything of `interface`, with the limits that the module names.
    pub fn of(interface: impl Into<String>) -> Self {
        let meter =
            MeterConfig { flows_max: limits::FLOWS_DEFAULT, sensor: "live".to_owned(), ..MeterConfig::default() };
        Self {
            interface: interface.into(),
            netns: None,
            meter,
            ports_max: 128,
            port_direction: Direction::Ingress,
            hook: HookChoice::Auto,
            drops: true,
        }
    }
}
