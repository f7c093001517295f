//! Any number of realistic events from few real ones, as JSON lines on standard output: input for load tests that is like real
//! traffic and of any size.
//!
//! Each event is one of the given ones, in turn, with a new identifier, another time, other addresses and ports of its own
//! end, and every known feature moved by up to a tenth (a whole number stays whole, zero stays zero, unknown stays unknown). The
//! same arguments give the same bytes.
//!
//! ```text
//! forebay meter lab/sample/traffic.pcap.gz --out flows.jsonl
//! cargo run --release --example jsonl_jitter -- --events 1000000 flows.jsonl > events.jsonl
//! cargo run --release --example jsonl_jitter -- --bytes 21474836480 flows.jsonl | forebay embed - --out out --no-index
//! ```

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr};

use forebay_event::community::community_id;
use forebay_event::{Event, EventId, jsonl};

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 256 * 1024;

/// Most real events kept in memory.
const SEEDS_MAX: usize = 200_000;

/// How far a feature moves, as a share of it.
const JITTER: f64 = 0.1;

/// Microseconds between two events.
const STEP_US: i64 = 500;

/// What to make.
#[derive(Default)]
struct Wanted {
    events: Option<u64>,
    bytes: Option<u64>,
    files: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = arguments()?;
    let seeds = seeds(&wanted.files)?;
    let first_us = seeds.iter().map(|event| event.start_us).min().unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let (mut lines, mut written, mut random) = (Vec::with_capacity(2 * WRITE_BYTES), 0, 0x9e37_79b9_7f4a_7c15);
    for number in 0..wanted.events.unwrap_or(u64::MAX) {
        let seed = &seeds[(number % seeds.len() as u64) as usize];
        jsonl::write(&jittered(seed, number, first_us, &mut random), &mut lines);
        lines.push(b'\n');
        if lines.len() >= WRITE_BYTES {
            written += lines.len() as u64;
            out.write_all(&lines)?;
            lines.clear();
            if wanted.bytes.is_some_and(|bytes| written >= bytes) {
                break;
            }
        }
    }
    out.write_all(&lines)?;
    Ok(out.flush()?)
}

fn arguments() -> Result<Wanted, Box<dyn Error>> {
    let mut wanted = Wanted::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--events" => wanted.events = Some(arguments.next().ok_or("--events wants a number")?.parse()?),
            "--bytes" => wanted.bytes = Some(arguments.next().ok_or("--bytes wants a number")?.parse()?),
            _ => wanted.files.push(argument),
        }
    }
    if wanted.files.is_empty() || (wanted.events.is_none() && wanted.bytes.is_none()) {
        return Err("usage: jsonl_jitter --events N | --bytes N FILE.jsonl...".into());
    }
    Ok(wanted)
}

/// The events of `files`, those of each file in order.
fn seeds(files: &[String]) -> Result<Vec<Event>, Box<dyn Error>> {
    let (mut seeds, mut parser) = (Vec::new(), jsonl::Parser::default());
    for file in files {
        for line in BufReader::new(fs_err::File::open(file)?).split(b'\n') {
            let mut event = Event::default();
            parser.parse(&line?, &mut event).map_err(|error| format!("{file}: {error}"))?;
            seeds.push(event);
            if seeds.len() > SEEDS_MAX {
                return Err(format!("more than {SEEDS_MAX} events; give fewer").into());
            }
        }
    }
    if seeds.is_empty() {
        return Err("the files hold no event".into());
    }
    Ok(seeds)
}

fn jittered(seed: &Event, number: u64, first_us: i64, random: &mut u64) -> Event {
    let mut event = seed.clone();
    let length_us = seed.end_us - seed.start_us;
    event.start_us = first_us + number as i64 * STEP_US;
    event.end_us = event.start_us + length_us;
    event.event_id = EventId::derive(event.start_us, &[&number.to_le_bytes()]);
    let chance = next(random);
    event.flow.src_port = if seed.flow.src_port == 0 { 0 } else { 1024 + (chance % 64_000) as u16 };
    event.flow.src_ip = moved(seed.flow.src_ip, (chance >> 16) as u8);
    event.flow.community_id = community_id(&event.flow);
    for value in &mut event.features.0 {
        if *value != 0.0 && value.is_finite() {
            // 32 bits of chance as a number from -1 to 1.
            let share = f64::from((next(random) >> 32) as u32) / f64::from(u32::MAX) * 2.0 - 1.0;
            let moved = *value * (1.0 + JITTER * share);
            *value = if value.fract() == 0.0 { moved.round() } else { moved };
        }
    }
    event
}

/// Another host of the same network.
fn moved(address: IpAddr, host: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, host).into()
        }
        IpAddr::V6(_) => address,
    }
}

/// xorshift64 (Marsaglia, 2003).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
