//! Events embedded in a second of one thread, by precision.
//!
//! `cargo run --release -p forebay-embedder --example throughput`

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
            Ok(rate) => println!("{precision:?}: {rate:.0} events/s"),
            Err(EmbedError::NoPrecision { .. }) => println!("{precision:?}: the model has none"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn measure(model: &Model, precision: Precision, events: &[&Event]) -> Result<f64, EmbedError> {
    let mut embedder = EventEmbedder::load(model, precision)?;
    run_for(MEASURED / 10, &mut embedder, events)?;
    run_for(MEASURED, &mut embedder, events)
}

/// Events in a second.
fn run_for(time: Duration, embedder: &mut EventEmbedder, events: &[&Event]) -> Result<f64, EmbedError> {
    let mut out = Vec::new();
    let began = Instant::now();
    let mut done = 0;
    while began.elapsed() < time {
        out.clear();
        embedder.embed(events, &mut out)?;
        done += events.len();
    }
    Ok(done as f64 / began.elapsed().as_secs_f64())
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
