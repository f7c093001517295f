//! The kernel's flow table from our side: flows that packets ended come by a ring, flows that end for want of packets are looked for and
//! taken out.
//!
//! **Promise.** A flow leaves the table only through `fb_end_flows`, which decides under the flow's lock: however old our
//! view of it is, no packet is lost by it, and none is in two events.
//!
//! **Bounds.** A step looks at [`limits::WALK_BATCH`] flows; the walk goes round within [`limits::WALK_US_MAX`]. Over
//! [`limits::PRESSURE_PERCENT`] of the places the flows idle for longest are ended early.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd as _;

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray, RingBuf};
use aya::programs::{TestRun as _, TestRunOptions};

use crate::core::FlowKey;
use crate::live::batch::Walk;
use crate::live::books::Books;
use crate::live::clock;
use crate::live::error::LiveError;
use crate::live::layout::{
    ANSWER_REMOVED, ANSWER_TAKEN, ASK_IF_EMPTY, ASK_IF_IDLE, ASK_NOW, EMPTY, END_CLOCK_STEP, END_CLOSED, END_IDLE,
    END_SEGMENT, KernelBooks, REQUESTS, Record, Request, value_of,
};
use crate::live::limits;
use crate::live::mapped::Mapped;
use crate::live::program::{self, END_FLOWS};
use crate::meter::Ended;

/// A frame that `fb_end_flows` is run with; nothing looks at it.
const FRAME: [u8; 64] = [0; 64];
/// Bytes of `struct __sk_buff` up to and with `tstamp`.
const CONTEXT_BYTES: usize = 160;
/// Where `cb[0]` lies in it.
const CONTEXT_CB: usize = 48;

/// See the module.
pub(crate) struct Table {
    flows: MapData,
    flows_max: usize,
    ended: RingBuf<MapData>,
    books_map: PerCpuArray<MapData, KernelBooks>,
    requests: Mapped,
    walk: Walk,
    walk_began_us: i64,
    idle_us: i64,
    /// Places that we have taken out.
    removed: u64,
    /// What makes Unix time of the programs' time.
    epoch_offset_us: fn() -> i64,
    /// Keys whose place is empty, as their records said.
    emptied: Vec<FlowKey>,
    books: Books,
}

/// Why flows are taken out that have not ended by themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    Idle,
    Pressure,
    Flush,
}

impl Table {
    pub(crate) fn new(
        flows: MapData,
        ended: RingBuf<MapData>,
        books_map: PerCpuArray<MapData, KernelBooks>,
        requests: Mapped,
        idle_us: i64,
        epoch_offset_us: fn() -> i64,
    ) -> Result<Self, LiveError> {
        let info = flows.info().map_err(|error| LiveError::kernel("the size of the table", &error))?;
        Ok(Self {
            flows_max: info.max_entries() as usize,
            flows,
            ended,
            books_map,
            requests,
            walk: Walk::new(limits::WALK_BATCH),
            walk_began_us: 0,
            idle_us,
            removed: 0,
            epoch_offset_us,
            emptied: Vec::new(),
            books: Books::default(),
        })
    }

    /// Takes over what has ended, and looks at the next few flows. Gives whether there is more to do at once.
    pub(crate) fn poll(&mut self, ebpf: &mut Ebpf, out: &mut VecDeque<Ended>) -> Result<bool, LiveError> {
        self.drain(out);
        self.collect(ebpf, out)?;
        if self.places_taken()? > self.flows_max * limits::PRESSURE_PERCENT / 100 {
            self.relieve(ebpf, out)?;
            return Ok(true);
        }
        self.step(ebpf, out)?;
        Ok(false)
    }

    /// Ends every flow there is. No program may be attached any more.
    pub(crate) fn flush(&mut self, ebpf: &mut Ebpf, out: &mut VecDeque<Ended>) -> Result<(), LiveError> {
        self.drain(out);
        self.emptied.clear();
        for keys in self.all(|_| true)?.chunks(REQUESTS) {
            self.ask(ebpf, keys, ASK_NOW, Reason::Flush, out)?;
        }
        Ok(())
    }

    /// The books as they stand.
    pub(crate) fn books(&mut self) -> Result<&mut Books, LiveError> {
        let cpus = self.kernel_books()?;
        self.books.set_kernel(cpus.iter());
        Ok(&mut self.books)
    }

    fn kernel_books(&self) -> Result<Box<[KernelBooks]>, LiveError> {
        let values = self.books_map.get(&0, 0).map_err(|error| LiveError::kernel("to read the books", &error))?;
        Ok(values.iter().copied().collect())
    }

    fn places_taken(&self) -> Result<usize, LiveError> {
        let made: u64 = self.kernel_books()?.iter().map(|cpu| cpu.places_made).sum();
        Ok(made.saturating_sub(self.removed) as usize)
    }

    /// Flows that packets have ended.
    pub(crate) fn drain(&mut self, out: &mut VecDeque<Ended>) {
        let offset = (self.epoch_offset_us)();
        while let Some(item) = self.ended.next() {
            let Some(record) = value_of::<Record>(&item) else {
                // The kernel writes whole records; one that is none would be a fault of ours, and is seen in the balance.
                continue;
            };
            if record.why != END_SEGMENT {
                self.emptied.push(record.key);
            }
            let counter = match record.why {
                END_CLOSED => &mut self.books.flows_closed,
                END_SEGMENT => &mut self.books.flows_cut,
                END_IDLE => &mut self.books.flows_idle,
                END_CLOCK_STEP => &mut self.books.flows_clock_step,
                _ => &mut self.books.flows_flushed,
            };
            *counter += 1;
            give(&mut self.books, &record, offset, out);
        }
    }

    /// Takes the places of ended flows out, where no new flow has begun in them.
    fn collect(&mut self, ebpf: &mut Ebpf, out: &mut VecDeque<Ended>) -> Result<(), LiveError> {
        let emptied = std::mem::take(&mut self.emptied);
        for keys in emptied.chunks(REQUESTS) {
            self.ask(ebpf, keys, ASK_IF_EMPTY, Reason::Idle, out)?;
        }
        self.emptied = emptied;
        self.emptied.clear();
        Ok(())
    }

    /// One step of the walk, if it is time for one.
    fn step(&mut self, ebpf: &mut Ebpf, out: &mut VecDeque<Ended>) -> Result<(), LiveError> {
        let now = clock::monotonic_us();
        let round_us = limits::WALK_US_MAX.min(self.idle_us / 8).max(1);
        let steps = (self.flows_max / limits::WALK_BATCH + 1) as i64;
        if now - self.walk_began_us < round_us / steps {
            return Ok(());
        }
        self.walk_began_us = now;
        if !self.next_batch()? {
            self.walk.restart();
        }
        let is_over = |last_us: i64| (now - last_us).abs() > self.idle_us;
        let candidates =
            self.walk.slots().iter().filter(|slot| slot.place_use == EMPTY || is_over(slot.state.last_us()));
        let keys: Vec<FlowKey> = candidates.map(|slot| slot.key).collect();
        for keys in keys.chunks(REQUESTS) {
            self.ask(ebpf, keys, ASK_IF_IDLE, Reason::Idle, out)?;
        }
        Ok(())
    }

    /// Ends the flows idle for longest until enough places are free.
    fn relieve(&mut self, ebpf: &mut Ebpf, out: &mut VecDeque<Ended>) -> Result<(), LiveError> {
        let mut ages = Vec::new();
        self.all(|slot| {
            let last_us = if slot.place_use == EMPTY { i64::MIN } else { slot.state.last_us() };
            ages.push((last_us, slot.key));
            false
        })?;
        let keep = self.flows_max * limits::RELIEF_PERCENT / 100;
        let Some(count) = ages.len().checked_sub(keep).filter(|count| *count > 0) else { return Ok(()) };
        ages.select_nth_unstable_by_key(count - 1, |(last_us, _)| *last_us);
        let keys: Vec<FlowKey> = ages[..count].iter().map(|(_, key)| *key).collect();
        for keys in keys.chunks(REQUESTS) {
            self.ask(ebpf, keys, ASK_NOW, Reason::Pressure, out)?;
        }
        Ok(())
    }

    /// The keys of all flows that `wanted` takes.
    fn all(&mut self, mut wanted: impl FnMut(&crate::live::layout::Slot) -> bool) -> Result<Vec<FlowKey>, LiveError> {
        let mut keys = Vec::new();
        self.walk.restart();
        loop {
            let more = self.next_batch()?;
            keys.extend(self.walk.slots().iter().filter(|slot| wanted(slot)).map(|slot| slot.key));
            if !more {
                return Ok(keys);
            }
        }
    }

    fn next_batch(&mut self) -> Result<bool, LiveError> {
        self.walk.step(self.flows.fd().as_fd()).map_err(LiveError::map("to walk over the flow table"))
    }

    /// Has the kernel take out what it may of `keys`, at most [`REQUESTS`] of them.
    fn ask(
        &mut self,
        ebpf: &mut Ebpf,
        keys: &[FlowKey],
        ask: u32,
        reason: Reason,
        out: &mut VecDeque<Ended>,
    ) -> Result<(), LiveError> {
        debug_assert!(keys.len() <= REQUESTS);
        let now_us = clock::monotonic_us();
        for (place, key) in keys.iter().enumerate() {
            let record = Record { key: *key, ..Record::default() };
            self.requests.put(place, &Request { record, ask, answer: 0, now_us });
        }
        run(ebpf, keys.len() as u32).map_err(LiveError::map("to take flows out of the table"))?;
        let offset = (self.epoch_offset_us)();
        for place in 0..keys.len() {
            let request: Request = self.requests.take(place);
            self.removed += u64::from(matches!(request.answer, ANSWER_TAKEN | ANSWER_REMOVED));
            if request.answer == ANSWER_TAKEN {
                let counter = match reason {
                    Reason::Idle => &mut self.books.flows_idle,
                    Reason::Pressure => &mut self.books.flows_evicted,
                    Reason::Flush => &mut self.books.flows_flushed,
                };
                *counter += 1;
                give(&mut self.books, &request.record, offset, out);
            }
        }
        Ok(())
    }
}

fn run(ebpf: &mut Ebpf, count: u32) -> io::Result<()> {
    let mut context = [0u8; CONTEXT_BYTES];
    context[CONTEXT_CB..CONTEXT_CB + 4].copy_from_slice(&count.to_ne_bytes());
    let options = TestRunOptions { data_in: Some(&FRAME), ctx_in: Some(&context), ..TestRunOptions::default() };
    program::classifier(ebpf, END_FLOWS).test_run(options).map(|_| ()).map_err(io::Error::other)
}

/// A record becomes an ended flow, its times those of the calendar.
fn give(books: &mut Books, record: &Record, offset_us: i64, out: &mut VecDeque<Ended>) {
    let mut state = record.state;
    books.events += 1;
    books.exported += state.way.iter().map(|way| u64::from(way.packets)).sum::<u64>();
    state.end();
    state.start_us = state.start_us.saturating_add(offset_us);
    out.push_back(Ended {
        state,
        key: record.key,
        app: None,
        ordinal: record.ordinal,
        icmp_type: record.icmp_type,
        icmp_code: record.icmp_code,
    });
}
