//! Loads the kernel programs and attaches them.
//!
//! **Promise.** With tcx the kernel takes the programs off the interface when this process ends, however it ends: a link lives as long
//! as its descriptor. Nothing is pinned. Where tcx is missing (before Linux 6.6), clsact filters serve; those stay behind a
//! process that is killed, so that this is told, and those of an earlier run are taken off first.

use aya::programs::tc::{self, NlOptions, SchedClassifierLinkId, TcAttachOptions};
use aya::programs::{BtfTracePoint, LinkOrder, SchedClassifier, TcAttachType};
use aya::{Btf, Ebpf, EbpfLoader, VerifierLogLevel};

use crate::live::config::{Direction, HookChoice, LiveConfig};
use crate::live::error::{LiveError, chain};
use crate::live::interface::Interface;
use crate::live::layout::ROWS_OF_INTERFACE;
use crate::live::limits;

/// The kernel programs, as `build.rs` made or found them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/live.bpf.o"));

const INGRESS: &str = "fb_ingress";
const EGRESS: &str = "fb_egress";
/// Takes flows out of the table; run, never attached.
pub(crate) const END_FLOWS: &str = "fb_end_flows";

/// Programs of drops and drains, and the tracepoint of each.
const TRACEPOINTS: [(&str, &str); 3] =
    [("fb_udp_drop", "udp_fail_queue_rcv_skb"), ("fb_drained", "sock_recv_length"), ("fb_given_up", "kfree_skb")];

/// Where the programs sit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// tcx (Linux 6.6): gone with the process.
    Tcx,
    /// A clsact filter: stays if the process is killed.
    Clsact,
}

impl Hook {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        }
    }
}

/// Loaded, and where asked for attached.
pub(crate) struct Programs {
    pub(crate) ebpf: Ebpf,
    links: Vec<(&'static str, SchedClassifierLinkId)>,
    pub(crate) hook: Hook,
}

/// Makes the maps; no program is loaded yet.
pub(crate) fn open(config: &LiveConfig, is_raw: bool, netns: u32, is_replay: bool) -> Result<Ebpf, LiveError> {
    let limits = crate::meter::limits_of(&config.meter);
    let cpus = cpus()?;
    let flows_max = config.meter.flows_max.clamp(limits::FLOWS_MIN, limits::FLOWS_MAX) as u32;
    let ports_max = limits::ports_max(config.ports_max) as u32;
    let port_way = match config.port_direction {
        Direction::Ingress => 0u32,
        Direction::Egress => 1u32,
    };
    EbpfLoader::new()
        .map_max_entries("flows", flows_max)
        .map_max_entries("rows", (ROWS_OF_INTERFACE + ports_max) * cpus)
        .map_max_entries("newest_ticks", (ROWS_OF_INTERFACE + ports_max) * cpus)
        .map_max_entries("ports", ports_max)
        .map_max_entries("ended", limits::RECORDS_BYTES)
        .override_global("fb_idle_us", &limits.idle_us, true)
        .override_global("fb_active_us", &limits.active_us, true)
        .override_global("fb_activity_us", &limits.activity_us, true)
        .override_global("fb_cpus", &cpus, true)
        .override_global("fb_raw_link", &u32::from(is_raw), true)
        .override_global("fb_port_way", &port_way, true)
        .override_global("fb_netns", &netns, true)
        .override_global("fb_ordered_stores", &u32::from(cfg!(target_arch = "x86_64")), true)
        .override_global("fb_replay", &u32::from(is_replay), true)
        .verifier_log_level(VerifierLogLevel::STATS)
        .load(OBJECT)
        .map_err(|error| LiveError::kernel("the maps of the meter", &error))
}

/// Possible CPUs: the number of rows that each ring of bins has.
pub(crate) fn cpus() -> Result<u32, LiveError> {
    match aya::util::nr_cpus() {
        Ok(count) => Ok(count as u32),
        Err((what, error)) => Err(LiveError::Map { what, error }),
    }
}

/// Loads the meter's programs.
pub(crate) fn load(ebpf: &mut Ebpf) -> Result<(), LiveError> {
    for name in [INGRESS, EGRESS, END_FLOWS] {
        classifier(ebpf, name).load().map_err(|error| LiveError::kernel("the meter", &error))?;
    }
    Ok(())
}

/// The program `name`, which is in the object.
pub(crate) fn classifier<'e>(ebpf: &'e mut Ebpf, name: &str) -> &'e mut SchedClassifier {
    let program = ebpf.program_mut(name).expect("the object holds this program");
    program.try_into().expect("its section makes it a classifier")
}

/// Attaches to `interface`, of the thread's network namespace.
pub(crate) fn attach(mut ebpf: Ebpf, interface: &Interface, config: &LiveConfig) -> Result<Programs, LiveError> {
    const WAYS: [(&str, TcAttachType); 2] = [(INGRESS, TcAttachType::Ingress), (EGRESS, TcAttachType::Egress)];
    let name = &config.interface;
    let choices: &[Hook] = match config.hook {
        HookChoice::Auto => &[Hook::Tcx, Hook::Clsact],
        HookChoice::Tcx => &[Hook::Tcx],
        HookChoice::Clsact => &[Hook::Clsact],
    };
    // A packet that leaves by the loopback comes back in: once is enough.
    let ways = if interface.is_loopback { &WAYS[..1] } else { &WAYS };
    let mut refusal = None;
    for hook in choices {
        match attach_ways(&mut ebpf, name, ways, *hook) {
            Ok(links) => return Ok(Programs { ebpf, links, hook: *hook }),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.expect("there is at least one choice, and each that is refused says why"))
}

fn attach_ways(
    ebpf: &mut Ebpf,
    interface: &str,
    ways: &[(&'static str, TcAttachType)],
    hook: Hook,
) -> Result<Vec<(&'static str, SchedClassifierLinkId)>, LiveError> {
    if hook == Hook::Clsact {
        // There already, most likely; where it cannot be made, attaching says why.
        let _ = tc::qdisc_add_clsact(interface);
    }
    let mut links = Vec::new();
    for (program, way) in ways {
        let options = match hook {
            Hook::Tcx => TcAttachOptions::TcxOrder(LinkOrder::default()),
            Hook::Clsact => {
                // What a killed run has left; nothing, most of the time.
                let _ = tc::qdisc_detach_program(interface, *way, program);
                TcAttachOptions::Netlink(NlOptions::default())
            }
        };
        match classifier(ebpf, program).attach_with_options(interface, *way, options) {
            Ok(link) => links.push((*program, link)),
            Err(error) => {
                for (program, link) in links {
                    // The attempt is given up; the error that counts is the one below.
                    let _ = classifier(ebpf, program).detach(link);
                }
                return Err(LiveError::kernel("to attach the meter", &error));
            }
        }
    }
    Ok(links)
}

/// Loads and attaches the programs of drops and drains. What cannot be had is said in words, and nothing else is lost by it.
pub(crate) fn attach_tracepoints(ebpf: &mut Ebpf) -> Vec<String> {
    let btf = match Btf::from_sys_fs() {
        Ok(btf) => btf,
        Err(error) => return vec![format!("no drop events and drains: the kernel has no BTF ({})", chain(&error))],
    };
    let mut notes = Vec::new();
    for (program, tracepoint) in TRACEPOINTS {
        let program = ebpf.program_mut(program).expect("the object holds this program");
        let program: &mut BtfTracePoint = program.try_into().expect("its section makes it one of a tracepoint");
        let done = program.load(tracepoint, &btf).and_then(|()| program.attach().map(|_| ()));
        if let Err(error) = done {
            notes.push(format!("nothing is known from tracepoint {tracepoint}: {}", chain(&error)));
        }
    }
    notes
}

/// Nanoseconds and runs of ingress and egress together.
pub(crate) fn run_time(ebpf: &mut Ebpf) -> Result<(u64, u64), LiveError> {
    let mut sums = (0, 0);
    for name in [INGRESS, EGRESS] {
        let info =
            classifier(ebpf, name).info().map_err(|error| LiveError::kernel("statistics of the meter", &error))?;
        sums = (sums.0 + info.run_time().as_nanos() as u64, sums.1 + info.run_count());
    }
    Ok(sums)
}

impl Programs {
    /// Takes the programs off the interface. When this returns no packet is being metered any more.
    pub(crate) fn detach(&mut self) {
        for (program, link) in self.links.drain(..) {
            // The interface may be gone, and its hooks with it.
            let _ = classifier(&mut self.ebpf, program).detach(link);
        }
    }
}
