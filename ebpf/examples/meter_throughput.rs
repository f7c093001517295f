//! Packets per second of the meter on one core, from a capture in memory.
//!
//! `cargo run --release -p forebay-ebpf --example meter_throughput -- [CAPTURE] [--write FILE]`
//!
//! Without a capture it generates one of a million packets: 50,000 flows of TCP and UDP in both directions, mixed as on
//! a link. `--write` keeps that capture, so that other meters can be run on the same file. A run reads the capture until a
//! million packets are metered. Of five runs the best and the median are printed: by the clock, and by the processor time the
//! kernel charged (`/proc/thread-self/schedstat`), which is what counts on a machine that has other things to do.

use std::io::{Cursor, Write};
use std::sync::Arc;
use std::time::Instant;

use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::Event;
use forebay_event::source::{EventSource, Item};

const RUNS: usize = 5;
const PACKETS: u64 = 1_000_000;
const FLOWS: u64 = 50_000;
/// Flows that speak at the same time.
const ACTIVE: u64 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut capture = None;
    let mut write = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--write" => write = arguments.next(),
            path => capture = Some(path.to_owned()),
        }
    }
    let bytes = match capture {
        Some(path) => fs_err::read(path)?,
        None => generated(),
    };
    if let Some(path) = write {
        fs_err::File::create(path)?.write_all(&bytes)?;
    }
    let bytes: Arc<[u8]> = bytes.into();
    let (mut by_clock, mut by_processor) = (Vec::new(), Vec::new());
    let (mut packets, mut events) = (0, 0);
    for _ in 0..RUNS {
        let (begun, charged) = (Instant::now(), processor_ns());
        let mut metered = 0;
        while metered < PACKETS {
            (packets, events) = meter(Arc::clone(&bytes))?;
            metered += packets.max(1);
        }
        by_clock.push(metered as f64 / begun.elapsed().as_secs_f64());
        if let (Some(before), Some(after)) = (charged, processor_ns()) {
            by_processor.push(metered as f64 * 1e9 / (after - before).max(1) as f64);
        }
    }
    println!("{packets} packets, {events} events, {} bytes of capture", bytes.len());
    for (what, mut rates) in [("clock", by_clock), ("processor", by_processor)] {
        rates.sort_by(f64::total_cmp);
        if let [.., best] = rates.as_slice() {
            println!("by {what}: best {:.2} M packets/s, median {:.2} M", best / 1e6, rates[rates.len() / 2] / 1e6);
        }
    }
    Ok(())
}

/// Nanoseconds this thread has run, where the kernel says so.
fn processor_ns() -> Option<u64> {
    fs_err::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

fn meter(bytes: Arc<[u8]>) -> Result<(u64, u64), Box<dyn std::error::Error>> {
    let total = bytes.len() as u64;
    let mut source =
        CaptureSource::from_reader("memory", Box::new(Cursor::new(bytes)), Some(total), MeterConfig::default())?;
    let mut event = Event::default();
    let mut events = 0;
    while source.read(&mut event)? != Item::End {
        events += 1;
    }
    Ok((source.meter_counters().packets, events))
}

/// A capture whose flows come and go: each packet belongs to one of the flows that are active at its time.
fn generated() -> Vec<u8> {
    let mut out = Vec::with_capacity(PACKETS as usize * 120);
    out.extend(0xa1b2_c3d4u32.to_le_bytes());
    out.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    for number in 0..PACKETS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let flow = (number * (FLOWS - ACTIVE) / PACKETS) + random % ACTIVE;
        let time_us = 1_700_000_000_000_000 + number * 7;
        packet(&mut out, time_us, flow, random >> 32);
    }
    out
}

fn packet(out: &mut Vec<u8>, time_us: u64, flow: u64, random: u64) {
    let payload = (random % 1400) as u16;
    let captured_payload = payload.min(64);
    let tcp = !flow.is_multiple_of(4);
    let l4: u16 = if tcp { 20 } else { 8 };
    let ip_bytes = 20 + l4 + payload;
    let captured = 14 + 20 + u32::from(l4 + captured_payload);
    out.extend(((time_us / 1_000_000) as u32).to_le_bytes());
    out.extend(((time_us % 1_000_000) as u32).to_le_bytes());
    out.extend(captured.to_le_bytes());
    out.extend((14 + u32::from(ip_bytes)).to_le_bytes());
    out.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
    let client = [10, (flow >> 16) as u8, (flow >> 8) as u8, flow as u8];
    let server = [192, 0, 2, (flow % 251) as u8];
    let client_port = 1024 + (flow % 60_000) as u16;
    let server_port = if tcp { 443 } else { 9999 };
    let backward = random & 1 << 20 != 0;
    let (src, dst) = if backward { (server, client) } else { (client, server) };
    let (src_port, dst_port) = if backward { (server_port, client_port) } else { (client_port, server_port) };
    out.extend([0x45, 0]);
    out.extend(ip_bytes.to_be_bytes());
    out.extend([0, 0, 0x40, 0, 64, if tcp { 6 } else { 17 }, 0, 0]);
    out.extend(src);
    out.extend(dst);
    out.extend(src_port.to_be_bytes());
    out.extend(dst_port.to_be_bytes());
    if tcp {
        out.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    } else {
        out.extend((8 + payload).to_be_bytes());
        out.extend([0, 0]);
    }
    out.extend(std::iter::repeat_n(0xa5, captured_payload.into()));
}
