//! Events embedded in a second of one thread, by precision: a second of the processor, and a second of the clock. On a busy
//! machine only the first says something about the program.
//!
//! `cargo run --release -p forebay-embedder --example embed_throughput`

use std::time::{Duration, Instant};

use forebay_embedder::limits::BATCH_EVENTS_MAX;
use forebay_embedder::{EmbedError, Embedder as _, EventEmbedder, Model, Precision};
use forebay_event::Event;

/// Time each precision runs, after a warm-up of a tenth.
const MEASURED: Duration = Duration::from_secs(5);

fn main() -> Result<(), EmbedError> {
    let model = forebay_embedder::models::event(None)?;
    println!("model {} from {}, batches of {BATCH_EVENTS_MAX}, one thread", model.manifest().name, model.origin());
    let events: Vec<Event> = (0..BATCH_EVENTS_MAX).map(event).collect();
    let events: Vec<&Event> = events.iter().collect();
    for precision in [Precision::Fp32, Precision::Int8] {
        match measure(&model, precision, &events) {
            Ok(rates) => {
                println!("{precision:?}: {:.0} events per CPU second, {:.0} by the clock", rates.cpu, rates.clock);
            }
            Err(EmbedError::NoPrecision { .. }) => println!("{precision:?}: the model has none"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Events in a second.
struct Rates {
    cpu: f64,
    clock: f64,
}

fn measure(model: &Model, precision: Precision, events: &[&Event]) -> Result<Rates, EmbedError> {
    let mut embedder = EventEmbedder::load(model, precision)?;
    run_for(MEASURED / 10, &mut embedder, events)?;
    run_for(MEASURED, &mut embedder, events)
}

fn run_for(time: Duration, embedder: &mut EventEmbedder, events: &[&Event]) -> Result<Rates, EmbedError> {
    let mut out = Vec::new();
    let (began, cpu_before) = (Instant::now(), cpu_seconds());
    let mut done = 0;
    while began.elapsed() < time {
        out.clear();
        embedder.embed(events, &mut out)?;
        done += events.len();
    }
    let (clock, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    Ok(Rates { cpu: done as f64 / cpu, clock: done as f64 / clock })
}

/// Time this thread has run, from the scheduler (Linux, Documentation/scheduler/sched-stats.rst); NaN where it does not say.
fn cpu_seconds() -> f64 {
    let text = fs_err::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).map_or(f64::NAN, |ns| ns / 1e9)
}

/// An event whose features differ from place to place and from event to event; one in seven is unknown.
fn event(number: usize) -> Event {
    let mut event = Event::default();
    event.flow.protocol = if number.is_multiple_of(3) { 17 } else { 6 };
    event.flow.dst_port = [22, 53, 80, 443][number % 4];
    for (place, value) in event.features.0.iter_mut().enumerate() {
        let mixed = number.wrapping_mul(2_654_435_761).wrapping_add(place * 40_503) % 10_007;
        *value = if mixed.is_multiple_of(7) { f64::NAN } else { mixed as f64 * f64::from(1 << (place % 16)) };
    }
    event
}
