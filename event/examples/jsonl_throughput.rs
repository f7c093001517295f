//! Lines read and written per second on one core, on lines made here: all 83 features, a third of them fractions.
//!
//! Two figures: by the clock, and by the processor time this thread was given, which is the one that holds on a machine that
//! is busy with other things.
//!
//! `cargo run --release -p forebay-event --example jsonl_throughput [LINES]`

use std::hint::black_box;
use std::time::Instant;

use forebay_event::{Event, EventId, FEATURE_COUNT, Scores, jsonl};

/// Distinct events, so that nothing is served from a predictor's memory of one line.
const DISTINCT: usize = 2000;

const LINES_DEFAULT: usize = 1_000_000;

fn main() {
    let lines_wanted = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(LINES_DEFAULT);
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let events: Vec<Event> = (0..DISTINCT).map(|_| event(&mut random)).collect();
    let lines: Vec<Vec<u8>> = events.iter().map(line).collect();
    let bytes: usize = lines.iter().map(Vec::len).sum();
    println!("{DISTINCT} distinct lines of {} bytes on average", bytes / DISTINCT);

    let rounds = lines_wanted.div_ceil(DISTINCT);
    for _ in 0..3 {
        report("written", rounds, bytes, || write_all(&events));
        report("read", rounds, bytes, || read_all(&lines));
    }
}

fn report(what: &str, rounds: usize, bytes: usize, mut work: impl FnMut()) {
    let (start, given) = (Instant::now(), processor_seconds());
    for _ in 0..rounds {
        work();
    }
    let (clock, given) = (start.elapsed().as_secs_f64(), processor_seconds() - given);
    let lines = (rounds * DISTINCT) as f64;
    let megabytes = (rounds * bytes) as f64 / 1e6;
    println!(
        "{what:>8}: {:>8.0} lines/s and {:>4.0} MB/s by the clock, {:>8.0} lines/s and {:>4.0} MB/s of processor time",
        lines / clock,
        megabytes / clock,
        lines / given,
        megabytes / given,
    );
}

/// Processor time this thread was given, from the scheduler's own count (Documentation/scheduler/sched-stats in Linux).
fn processor_seconds() -> f64 {
    let text = fs_err::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_ascii_whitespace().next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

fn write_all(events: &[Event]) {
    let mut out = Vec::with_capacity(8 * 1024);
    for event in events {
        out.clear();
        jsonl::write(event, &mut out);
        black_box(&out);
    }
}

fn read_all(lines: &[Vec<u8>]) {
    let (mut parser, mut event) = (jsonl::Parser::default(), Event::default());
    for line in lines {
        parser.parse(line, &mut event).expect("the line was written by the codec");
        black_box(&event);
    }
}

fn line(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    jsonl::write(event, &mut out);
    out
}

/// Features as real flows have them: a third fractions (means, deviations, rates), a third counts, a third zero.
fn event(random: &mut u64) -> Event {
    let mut next = || {
        // xorshift64 (Marsaglia, 2003).
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        *random
    };
    let start_us = 1_700_000_000_000_000 + (next() % 86_400_000_000) as i64;
    let mut event = Event { start_us, end_us: start_us + 1_000_000, ..Event::default() };
    event.event_id = EventId::derive(start_us, &[&next().to_le_bytes()]);
    event.node_id.push_str("node-1");
    event.sensor.push_str("meter");
    event.interface.push_str("eth0");
    event.flow.src_ip = std::net::Ipv4Addr::from(next() as u32).into();
    event.flow.dst_ip = std::net::Ipv4Addr::from(next() as u32).into();
    (event.flow.src_port, event.flow.dst_port, event.flow.protocol) = (next() as u16, 443, 6);
    event.flow.community_id = forebay_event::community::community_id(&event.flow);
    event.app.protocol = Some("tls".to_owned());
    event.app.host = Some("www.example.org".to_owned());
    let score = (next() % 1000) as f32 / 1000.0;
    event.scores = Scores { fast: Some(score), ml: Some(0.25), r#final: Some(score.max(0.25)), divergence: None };
    for place in 0..FEATURE_COUNT {
        let whole = (next() % 100_000) as f64;
        event.features.0[place] = match place % 3 {
            0 => whole,
            1 => whole / ((next() % 97 + 3) as f64),
            _ => 0.0,
        };
    }
    event
}
