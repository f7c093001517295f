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
use crate::live::layout::{RECENT_SETS, ROWS_OF_INTERFACE};
use crate::live::limits;
use crate::live::netns::Home;

/// The kernel programs, as `build.rs` made or found them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/live.bpf.o"));

/// The two programs that an interface carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) ingress: &'static str,
    pub(crate) egress: &'static str,
}

/// Follows flows, and counts.
pub(crate) const METER: Pair = Pair { ingress: "fb_ingress", egress: "fb_egress" };
/// Counts only.
pub(crate) const COUNT: Pair = Pair { ingress: "fb_count_ingress", egress: "fb_count_egress" };
/// Counts on an interface without a link header.
pub(crate) const COUNT_RAW: Pair = Pair { ingress: "fb_count_raw_ingress", egress: "fb_count_raw_egress" };
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

/// What hangs on one interface.
pub(crate) type Links = Vec<(&'static str, SchedClassifierLinkId)>;

/// Loaded, and where asked for attached.
pub(crate) struct Programs {
    pub(crate) ebpf: Ebpf,
    pub(crate) links: Links,
    pub(crate) hook: Hook,
    /// Where the interface lies.
    pub(crate) home: Home,
}

/// What is to be had of packets; room is made for no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Flows and counts.
    #[default]
    Flows,
    /// Counts.
    Counts,
    /// Nothing: packets are not looked at.
    Nothing,
}

/// What the programs are made for beside the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Purpose {
    /// The interface has no link header.
    pub(crate) is_raw: bool,
    /// Inode of the network namespace whose sockets are watched; 0 is all.
    pub(crate) netns: u32,
    /// Packets come from a file: time and length are those of the context.
    pub(crate) is_replay: bool,
    /// What is to be had of packets.
    pub(crate) wanted: Wanted,
}

/// Makes the maps; no program is loaded yet.
pub(crate) fn open(config: &LiveConfig, purpose: Purpose) -> Result<Ebpf, LiveError> {
    let limits = crate::meter::limits_of(&config.meter);
    let cpus = cpus()?;
    let flows_max = config.meter.flows_max.clamp(limits::FLOWS_MIN, limits::FLOWS_MAX) as u32;
    let ports_max = limits::ports_max(config.ports_max) as u32;
    let port_way = match config.port_direction {
        Direction::Ingress => 0u32,
        Direction::Egress => 1u32,
    };
    let (flows_max, records_bytes, recent_sets) = match purpose.wanted {
        Wanted::Flows => (flows_max, limits::RECORDS_BYTES, 1),
        Wanted::Counts => (1, limits::RECORDS_BYTES_MIN, RECENT_SETS),
        Wanted::Nothing => (1, limits::RECORDS_BYTES_MIN, 1),
    };
    EbpfLoader::new()
        .map_max_entries("flows", flows_max)
        .map_max_entries("recent", recent_sets)
        .map_max_entries("rows", (ROWS_OF_INTERFACE + ports_max) * cpus)
        .map_max_entries("row_totals", (ROWS_OF_INTERFACE + ports_max) * cpus)
        .map_max_entries("ports", ports_max)
        .map_max_entries("ended", records_bytes)
        .override_global("fb_idle_us", &limits.idle_us, true)
        .override_global("fb_active_us", &limits.active_us, true)
        .override_global("fb_activity_us", &limits.activity_us, true)
        .override_global("fb_cpus", &cpus, true)
        .override_global("fb_raw_link", &u32::from(purpose.is_raw), true)
        .override_global("fb_port_way", &port_way, true)
        .override_global("fb_netns", &purpose.netns, true)
        .override_global("fb_ordered_stores", &u32::from(cfg!(target_arch = "x86_64")), true)
        .override_global("fb_replay", &u32::from(purpose.is_replay), true)
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

/// Loads programs of the hooks by name.
pub(crate) fn load(ebpf: &mut Ebpf, names: &[&str]) -> Result<(), LiveError> {
    for name in names {
        classifier(ebpf, name).load().map_err(|error| LiveError::kernel("the meter", &error))?;
    }
    Ok(())
}

/// The program `name`, which is in the object.
pub(crate) fn classifier<'e>(ebpf: &'e mut Ebpf, name: &str) -> &'e mut SchedClassifier {
    let program = ebpf.program_mut(name).expect("the object holds this program");
    program.try_into().expect("its section makes it a classifier")
}

/// Attaches `pair` to the interface `name` of the thread's network namespace.
pub(crate) fn attach(
    ebpf: &mut Ebpf,
    name: &str,
    is_loopback: bool,
    pair: Pair,
    choice: HookChoice,
) -> Result<(Links, Hook), LiveError> {
    let choices: &[Hook] = match choice {
        HookChoice::Auto => &[Hook::Tcx, Hook::Clsact],
        HookChoice::Tcx => &[Hook::Tcx],
        HookChoice::Clsact => &[Hook::Clsact],
    };
    let ways = [(pair.ingress, TcAttachType::Ingress), (pair.egress, TcAttachType::Egress)];
    // A packet that leaves by the loopback comes back in: once is enough.
    let ways = if is_loopback { &ways[..1] } else { &ways };
    let mut refusal = None;
    for hook in choices {
        match attach_ways(ebpf, name, ways, *hook) {
            Ok(links) => return Ok((links, *hook)),
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
) -> Result<Links, LiveError> {
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
                detach_here(ebpf, links);
                return Err(LiveError::kernel("to attach the meter", &error));
            }
        }
    }
    Ok(links)
}

/// Takes programs off their interface, which lies in `home`. The interface may be gone, and its hooks with it.
pub(crate) fn detach(ebpf: &mut Ebpf, home: &Home, links: Links, hook: Hook) {
    if hook == Hook::Tcx {
        return detach_here(ebpf, links);
    }
    // A filter is found by the number of its interface, which means another one in another namespace.
    let mut links = Some(links);
    let entered = home.run(|| {
        detach_here(ebpf, links.take().unwrap_or_default());
        Ok(())
    });
    if entered.is_ok() {
        return;
    }
    // We may not go there any more: the filters stay, as after a kill, and are not looked for here.
    for (program, link) in links.unwrap_or_default() {
        if let Ok(link) = classifier(ebpf, program).take_link(link) {
            std::mem::forget(link);
        }
    }
}

fn detach_here(ebpf: &mut Ebpf, links: Links) {
    for (program, link) in links {
        let _ = classifier(ebpf, program).detach(link);
    }
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

/// Nanoseconds and runs of programs together.
pub(crate) fn run_time(ebpf: &mut Ebpf, names: &[&str]) -> Result<(u64, u64), LiveError> {
    let mut sums = (0, 0);
    for name in names {
        let info =
            classifier(ebpf, name).info().map_err(|error| LiveError::kernel("statistics of the meter", &error))?;
        sums = (sums.0 + info.run_time().as_nanos() as u64, sums.1 + info.run_count());
    }
    Ok(sums)
}

impl Programs {
    /// Takes the programs off the interface. When this returns no packet is being metered any more.
    pub(crate) fn detach(&mut self) {
        detach(&mut self.ebpf, &self.home, std::mem::take(&mut self.links), self.hook);
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        self.detach();
    }
}
