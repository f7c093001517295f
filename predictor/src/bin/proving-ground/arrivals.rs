//! When which program gets a datagram: replayed from traces, or made up.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::plan::Plan;

/// Time between the starts of two bursts.
const BURST_EVERY_US: u64 = 100_000;

/// Time between two datagrams of a burst: 100,000 a second.
const BURST_STEP_US: u64 = 10;

/// Bursts that each program that is stuck gets first of all.
const STUCK_BURSTS: usize = 2;

/// What a trace brings on average over its whole length, as a part of what its program reads: it is played faster or slower so that it does.
const TRACE_LOAD: f64 = 0.25;

/// The traces, one for each program, and over again. Packets, events, requests of a disk, and cellular links.
const TRACES: [&str; 8] = [
    "zeek_wrccdc2018_events",
    "sensor_tsn_camera",
    "io_cloudphysics_vscsi",
    "cell_mahimahi_Verizon-LTE-short_down",
    "cell_mahimahi_ATT-LTE-driving-2016_down",
    "cell_mahimahi_TMobile-LTE-short_down",
    "pkt_westermo_right",
    "requet/A_baseline_Mar05_exp_41",
];

/// Most datagrams of one run.
const ARRIVALS_MAX: usize = 4_000_000;

/// One datagram: when, from the start, and to which program.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) due: Duration,
    pub(crate) receiver: usize,
}

/// What is sent, in order, and what it is made of, in words.
pub(crate) fn arrivals(plan: &Plan) -> io::Result<(Vec<Arrival>, String)> {
    let Some(folder) = &plan.traces else { return Ok((bursts(plan), "bursts".to_owned())) };
    if !folder.is_dir() {
        eprintln!("there are no traces in {}: bursts are sent instead", folder.display());
        return Ok((bursts(plan), "bursts, for want of traces".to_owned()));
    }
    let mut random = Random::new(plan.seed);
    let mut all = Vec::new();
    for receiver in 0..plan.receivers {
        let times = read(&folder.join(format!("{}.csv.gz", TRACES[receiver % TRACES.len()])))?;
        all.extend(part(&times, plan, random.next()).map(|due| Arrival { due, receiver }));
    }
    all.sort_by_key(|arrival| arrival.due);
    all.truncate(ARRIVALS_MAX);
    Ok((all, "traces".to_owned()))
}

/// Every 100 ms one program, chosen at random, gets a burst; those that are stuck before all others, so that their queues are full.
fn bursts(plan: &Plan) -> Vec<Arrival> {
    let mut random = Random::new(plan.seed);
    let starts = (0..plan.seconds * 1_000_000).step_by(BURST_EVERY_US as usize);
    let bursts = starts.enumerate().flat_map(|(place, start)| {
        let chosen = (random.next() % plan.receivers as u64) as usize;
        let receiver = if place < plan.stuck * STUCK_BURSTS { place % plan.stuck } else { chosen };
        (0..plan.burst)
            .map(move |number| Arrival { due: Duration::from_micros(start + number * BURST_STEP_US), receiver })
    });
    let mut all: Vec<Arrival> = bursts.take(ARRIVALS_MAX).collect();
    all.sort_by_key(|arrival| arrival.due);
    all
}

/// A part of a trace that begins at random, at the pace that [`TRACE_LOAD`] makes.
fn part<'t>(times: &'t [u64], plan: &Plan, random: u64) -> impl Iterator<Item = Duration> + use<'t> {
    let (first, last) = (times.first().copied().unwrap_or(0), times.last().copied().unwrap_or(0));
    let span_us = (last - first).max(1);
    let speed = plan.drain_pps as f64 * TRACE_LOAD / (times.len() as f64 * 1e6 / span_us as f64);
    let length_us = (plan.seconds as f64 * 1e6 * speed) as u64;
    let begin_us = first + random % span_us.saturating_sub(length_us).max(1);
    let begin = times.partition_point(|time| *time < begin_us);
    let end = times.partition_point(|time| *time < begin_us + length_us);
    times[begin..end].iter().map(move |time| Duration::from_secs_f64((time - begin_us) as f64 / speed / 1e6))
}

/// Times of a trace, in microseconds; a row for several packets counts as often.
fn read(file: &Path) -> io::Result<Vec<u64>> {
    let output = Command::new("gzip").arg("-dc").arg(file).output()?;
    let text = String::from_utf8(output.stdout).map_err(io::Error::other)?;
    let has_counts = text.lines().next().is_some_and(|head| head.starts_with("timestamp_us,packets"));
    let rows = text.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        let time: u64 = fields.next()?.parse().ok()?;
        let count = if has_counts { fields.next()?.parse().ok()? } else { 1 };
        Some(std::iter::repeat_n(time, count))
    });
    let times: Vec<u64> = rows.flatten().take(ARRIVALS_MAX).collect();
    if times.is_empty() {
        return Err(io::Error::other(format!("{} holds no arrivals, or gzip cannot read it", file.display())));
    }
    Ok(times)
}

/// Marsaglia, *Xorshift RNGs*, 2003.
struct Random(u64);

impl Random {
    const fn new(seed: u64) -> Self {
        // Small seeds would begin alike.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 1
    }
}
