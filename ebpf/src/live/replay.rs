//! Packets of a file through the kernel programs (`BPF_PROG_TEST_RUN`), without an interface: how a kernel is held to the
//! native meter.
//!
//! **Limits** of the kernel's test runs: Ethernet frames of 14 bytes or more (34 with IPv4), of which at most
//! [`FRAME_BYTES_MAX`] are handed over, and a length on the wire of 64 KiB.

use std::collections::VecDeque;
use std::io;

use aya::Ebpf;
use aya::programs::{TestRun as _, TestRunOptions};
use forebay_event::Event;

use crate::emit;
use crate::live::bins::{Bins, RowTotals};
use crate::live::books::Books;
use crate::live::config::LiveConfig;
use crate::live::error::LiveError;
use crate::live::meter::Maps;
use crate::live::ports::{Ports, Watched};
use crate::live::program::{self, COUNT, END_FLOWS, METER, Purpose, Wanted};
use crate::live::table::Table;
use crate::meter::{Ended, MeterConfig};

/// Most bytes of a frame that a test run takes.
const FRAME_BYTES_MAX: usize = 3400;

/// Bytes of `struct __sk_buff`, and places in it.
const CONTEXT_BYTES: usize = 192;
const TSTAMP_AT: usize = 152;
const WIRE_LEN_AT: usize = 160;
const GSO_SEGS_AT: usize = 164;
const GSO_SIZE_AT: usize = 176;

const NS_PER_US: u64 = 1000;

/// What the kernel notes on a packet that is several on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// `gso_segs`: packets on the wire.
    pub segments: u32,
    /// `gso_size`: payload bytes in each but the last.
    pub size: u32,
}

/// See the module.
pub struct Replay {
    ebpf: Ebpf,
    program: &'static str,
    table: Table,
    bins: Bins,
    ports: Ports,
    meter: MeterConfig,
    ended: VecDeque<Ended>,
}

impl Replay {
    /// Loads the programs, for packets with a time and a length of their own.
    pub fn new(config: &MeterConfig) -> Result<Self, LiveError> {
        Self::of(config, METER.ingress, true)
    }

    /// The same for the programs that only count.
    pub fn counting(config: &MeterConfig) -> Result<Self, LiveError> {
        Self::of(config, COUNT.ingress, true)
    }

    /// As on an interface, with the clock of the moment: for [`Replay::time_of`].
    pub fn timed(config: &MeterConfig) -> Result<Self, LiveError> {
        Self::of(config, METER.ingress, false)
    }

    /// The same for the programs that only count.
    pub fn timed_counting(config: &MeterConfig) -> Result<Self, LiveError> {
        Self::of(config, COUNT.ingress, false)
    }

    fn of(config: &MeterConfig, name: &'static str, is_replay: bool) -> Result<Self, LiveError> {
        let config = LiveConfig { meter: config.clone(), ..LiveConfig::of("replay") };
        let wanted = if name == COUNT.ingress { Wanted::Counts } else { Wanted::Flows };
        let mut ebpf = program::open(&config, Purpose { is_replay, wanted, ..Purpose::default() })?;
        program::load(&mut ebpf, &[name, END_FLOWS])?;
        // The time of the packets is that of the calendar already.
        let Maps { table, bins, ports, .. } = Maps::take(&mut ebpf, &config, || 0)?;
        Ok(Self { ebpf, program: name, table, bins, ports, meter: config.meter, ended: VecDeque::new() })
    }

    /// Counts a port from now on.
    pub fn watch(&mut self, watched: Watched) -> Result<(), LiveError> {
        self.ports.watch(watched, &self.bins)
    }

    /// What arrived at a watched port.
    pub fn port_arrivals(&self, watched: Watched) -> Option<RowTotals> {
        self.ports.row(watched).map(|row| self.bins.totals(row))
    }

    /// What arrived in all.
    pub fn arrivals(&self) -> RowTotals {
        self.bins.totals(0)
    }

    /// Mean nanoseconds of one run on `frame`, out of `repeat` in the kernel's own loop.
    pub fn time_of(&mut self, frame: &[u8], repeat: u32) -> io::Result<u64> {
        let options = TestRunOptions { data_in: Some(frame), repeat, ..TestRunOptions::default() };
        let run = program::classifier(&mut self.ebpf, self.program).test_run(options).map_err(io::Error::other)?;
        Ok(run.duration.as_nanos() as u64)
    }

    /// One Ethernet frame, `wire_bytes` long on the wire, at `time_us` after 1970.
    pub fn push(&mut self, time_us: u64, frame: &[u8], wire_bytes: u32, offload: Offload) -> io::Result<()> {
        let frame = &frame[..frame.len().min(FRAME_BYTES_MAX)];
        let mut context = [0u8; CONTEXT_BYTES];
        let mut put = |at: usize, bytes: &[u8]| context[at..at + bytes.len()].copy_from_slice(bytes);
        put(TSTAMP_AT, &time_us.saturating_mul(NS_PER_US).to_ne_bytes());
        put(WIRE_LEN_AT, &wire_bytes.max(frame.len() as u32).to_ne_bytes());
        put(GSO_SEGS_AT, &offload.segments.to_ne_bytes());
        put(GSO_SIZE_AT, &offload.size.to_ne_bytes());
        let options = TestRunOptions { data_in: Some(frame), ctx_in: Some(&context), ..TestRunOptions::default() };
        let run = program::classifier(&mut self.ebpf, self.program).test_run(options);
        run.map(|_| self.table.drain(&mut self.ended)).map_err(io::Error::other)
    }

    /// Ends every flow; gives the events since the last time, and the books since the start. The next packets begin anew.
    pub fn finish(&mut self) -> Result<(Vec<Event>, Books), LiveError> {
        self.table.flush(&mut self.ebpf, &mut self.ended)?;
        let fill = |ended: &Ended| {
            let mut event = Event::default();
            emit::fill(&mut event, ended, &self.meter);
            event
        };
        let events = self.ended.iter().map(fill).collect();
        self.ended.clear();
        let books = self.table.books()?.clone();
        Ok((events, books))
    }
}
