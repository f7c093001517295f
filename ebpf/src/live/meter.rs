//! One metered interface: everything that is read of it.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, BorrowedFd};

use aya::Ebpf;
use aya::maps::{Array, Map, MapData, MapError, PerCpuArray, RingBuf};
use forebay_event::Event;

use crate::emit;
use crate::live::bins::{self, Bin, Bins, Progress, Row, RowTotals};
use crate::live::books::Books;
use crate::live::capabilities::{Capability, Missing, missing};
use crate::live::clock;
use crate::live::config::LiveConfig;
use crate::live::drops::{DropEvent, Drops, PortTotals};
use crate::live::error::LiveError;
use crate::live::interface::Interface;
use crate::live::layout::{REQUESTS, Request};
use crate::live::limits;
use crate::live::mapped::Mapped;
use crate::live::netns::Home;
use crate::live::ports::{Ports, Watched};
use crate::live::program::{self, END_FLOWS, Hook, METER, Programs, Purpose};
use crate::live::table::Table;
use crate::meter::{Ended, MeterConfig};

/// What loading and attaching need.
pub(crate) const NEEDED: [Capability; 3] = [Capability::Bpf, Capability::Perfmon, Capability::NetAdmin];

/// What is told where tcx could not be had.
pub(crate) const CLSACT_TOLD: &str =
    "attached by clsact, not tcx: if this process is killed its filters stay until the next run";

/// See the module.
pub struct LiveMeter {
    programs: Programs,
    table: Table,
    bins: Bins,
    ports: Ports,
    drops: Drops,
    drops_missed: Mapped,
    interface: Interface,
    meter: MeterConfig,
    notes: Vec<String>,
    ended: VecDeque<Ended>,
    is_over: bool,
}

/// The maps that are read, taken out of what was loaded.
pub(crate) struct Maps {
    pub(crate) table: Table,
    pub(crate) bins: Bins,
    pub(crate) ports: Ports,
    pub(crate) drops: Drops,
    pub(crate) drops_missed: Mapped,
}

impl LiveMeter {
    /// Loads the programs and attaches them to the interface.
    pub fn attach(config: &LiveConfig) -> Result<Self, LiveError> {
        let gone = missing(&NEEDED).map_err(LiveError::map("our capabilities"))?;
        if !gone.is_empty() {
            return Err(LiveError::Capabilities(Missing(gone)));
        }
        let open = || {
            Interface::open(&config.interface).map_err(|error| LiveError::Interface {
                name: config.interface.clone(),
                place: config.netns.as_ref().map(|_| " of that network namespace".to_owned()).unwrap_or_default(),
                error,
            })
        };
        let home = Home::open(config.netns.as_ref())?;
        let interface = home.run(open)?;
        let purpose = Purpose { is_raw: interface.is_raw, netns: home.inode, ..Purpose::default() };
        let mut ebpf = program::open(config, purpose)?;
        program::load(&mut ebpf, &[METER.ingress, METER.egress, END_FLOWS])?;
        // While the maps' descriptors are open: some are closed once their memory is mapped.
        let mut notes = if config.drops { program::attach_tracepoints(&mut ebpf) } else { Vec::new() };
        let maps = Maps::take(&mut ebpf, config, clock::epoch_offset_us)?;
        let attach = || program::attach(&mut ebpf, &config.interface, interface.is_loopback, METER, config.hook);
        let (links, hook) = home.run(attach)?;
        let programs = Programs { ebpf, links, hook, home };
        if hook == Hook::Clsact {
            notes.insert(0, CLSACT_TOLD.to_owned());
        }
        let meter = MeterConfig { interface: config.interface.clone(), ..config.meter.clone() };
        let Maps { table, bins, ports, drops, drops_missed } = maps;
        let ended = VecDeque::new();
        Ok(Self { programs, table, bins, ports, drops, drops_missed, interface, meter, notes, ended, is_over: false })
    }

    /// What is attached to.
    pub fn hook(&self) -> Hook {
        self.programs.hook
    }

    /// What could not be had, in words; nothing else is lost by it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether the interface is still there.
    pub fn interface_is_there(&self) -> bool {
        self.interface.is_there()
    }

    /// Gives the events of flows that have ended to `give`, and looks for those that end for want of packets. To be called
    /// every 100 ms or so. Gives whether there is more to do at once.
    pub fn poll_events(&mut self, give: &mut dyn FnMut(&Event)) -> Result<bool, LiveError> {
        let more = self.poll()?;
        let mut event = Event::default();
        while self.next_event(&mut event) {
            give(&event);
        }
        Ok(more)
    }

    /// Detaches, and gives the events of all flows that were open. Afterwards the books balance to the packet.
    pub fn finish(&mut self, give: &mut dyn FnMut(&Event)) -> Result<Books, LiveError> {
        self.end()?;
        let mut event = Event::default();
        while self.next_event(&mut event) {
            give(&event);
        }
        self.books()
    }

    /// What became of every packet so far.
    pub fn books(&mut self) -> Result<Books, LiveError> {
        let books = self.table.books()?;
        books.drop_events_missed = self.drops_missed.word64(0);
        Ok(books.clone())
    }

    /// Begins to count arrivals, drains and drops of a port; nothing changes if it is watched already.
    pub fn watch_port(&mut self, port: u16) -> Result<(), LiveError> {
        self.ports.watch(Watched::Both(port), &self.bins)
    }

    /// Counts a port no longer. Gives whether it was watched.
    pub fn unwatch_port(&mut self, port: u16) -> Result<bool, LiveError> {
        self.ports.unwatch(Watched::Both(port))
    }

    /// Appends the complete bins of `row` from tick `since` on (0: all there are), each millisecond once and in order. Nothing
    /// is read of a port that is not watched.
    pub fn bins(&self, row: Row, since: u64, into: &mut Vec<Bin>) -> Progress {
        // Before the first read there is nothing that could be missed.
        match self.place_of(row) {
            Some(place) if since == 0 => Progress { missed: 0, ..self.bins.read(place, since, into) },
            Some(place) => self.bins.read(place, since, into),
            None => Progress { next: since, missed: 0 },
        }
    }

    /// What arrived in `row` in all; none for a port that is not watched.
    pub fn row_totals(&self, row: Row) -> Option<RowTotals> {
        self.place_of(row).map(|place| self.bins.totals(place))
    }

    fn place_of(&self, row: Row) -> Option<u32> {
        match row {
            Row::Ingress => Some(0),
            Row::Egress => Some(1),
            Row::Port(port) => self.ports.row(Watched::Both(port)),
        }
    }

    /// Appends the drop events there are.
    pub fn drops(&mut self, into: &mut Vec<DropEvent>) {
        self.drops.read(into);
    }

    /// Readable when there are drop events: for `poll` or `epoll`.
    pub fn drops_fd(&self) -> BorrowedFd<'_> {
        self.drops.ring.as_fd()
    }

    /// Totals of a watched port.
    pub fn port_totals(&self, port: u16) -> Option<PortTotals> {
        self.ports.totals(Watched::Both(port))
    }

    /// Nanoseconds and runs of the two programs, as the kernel counts them while `bpf_stats_enabled` is set.
    pub fn run_time(&mut self) -> Result<(u64, u64), LiveError> {
        program::run_time(&mut self.programs.ebpf, &[METER.ingress, METER.egress])
    }

    pub(crate) fn poll(&mut self) -> Result<bool, LiveError> {
        if self.is_over {
            return Ok(false);
        }
        self.table.poll(&mut self.programs.ebpf, &mut self.ended)
    }

    pub(crate) fn end(&mut self) -> Result<(), LiveError> {
        if self.is_over {
            return Ok(());
        }
        self.programs.detach();
        self.table.flush(&mut self.programs.ebpf, &mut self.ended)?;
        self.is_over = true;
        Ok(())
    }

    pub(crate) fn has_event(&self) -> bool {
        !self.ended.is_empty()
    }

    pub(crate) fn next_event(&mut self, event: &mut Event) -> bool {
        let Some(ended) = self.ended.pop_front() else { return false };
        emit::fill(event, &ended, &self.meter);
        true
    }
}

impl Maps {
    pub(crate) fn take(ebpf: &mut Ebpf, config: &LiveConfig, epoch_offset_us: fn() -> i64) -> Result<Self, LiveError> {
        let ports_max = limits::ports_max(config.ports_max);
        let cpus = program::cpus()? as usize;
        let idle_us = crate::meter::limits_of(&config.meter).idle_us;
        let requests = mapped(ebpf, "requests", REQUESTS * size_of::<Request>())?;
        let rows = mapped(ebpf, "rows", bins::rows_bytes(ports_max, cpus))?;
        let row_totals = mapped(ebpf, "row_totals", bins::totals_bytes(ports_max, cpus))?;
        let totals = mapped(ebpf, "ports", Ports::map_bytes(ports_max))?;
        let drops_missed = mapped(ebpf, "drops_missed", 8)?;
        let Map::HashMap(flows) = map(ebpf, "flows") else { unreachable!("the object makes it a hash") };
        let ended: RingBuf<MapData> = typed(map(ebpf, "ended"))?;
        let books: PerCpuArray<MapData, _> = typed(map(ebpf, "books_map"))?;
        let port_rows: Array<MapData, u32> = typed(map(ebpf, "port_rows"))?;
        let ring: RingBuf<MapData> = typed(map(ebpf, "drops"))?;
        let table = Table::new(flows, ended, books, requests, idle_us, epoch_offset_us)?;
        let ports = Ports::new(port_rows, totals, ports_max);
        Ok(Self { table, bins: Bins::new(rows, row_totals, cpus), ports, drops: Drops { ring }, drops_missed })
    }
}

fn map(ebpf: &mut Ebpf, name: &str) -> Map {
    ebpf.take_map(name).expect("the object holds this map")
}

fn typed<T: TryFrom<Map, Error = MapError>>(map: Map) -> Result<T, LiveError> {
    T::try_from(map).map_err(|error| LiveError::kernel("a map of the meter", &error))
}

fn mapped(ebpf: &mut Ebpf, name: &'static str, bytes: usize) -> Result<Mapped, LiveError> {
    let Map::Array(data) = map(ebpf, name) else { unreachable!("the object makes it an array") };
    Mapped::new(data.fd().as_fd(), bytes).map_err(LiveError::map(name))
}
