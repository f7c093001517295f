//! Questions a second of the library, without HTTP: `direct DATA_DIR THREADS SECONDS QUESTION`.
//!
//! Opens the index in `DATA_DIR/index` and asks the question over and over on each of THREADS threads, as `POST /v1/search`
//! would: parsed, embedded, searched, counted, written as JSON. `benches/compare/http.sh` puts the service beside it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use forebay_api::{Ask, Backend, SearchRequest, Sources, answer};
use forebay_embedder::Precision;
use forebay_index::Retention;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, threads, seconds, question] = arguments.as_slice() else {
        return Err("direct DATA_DIR THREADS SECONDS QUESTION".into());
    };
    let (threads, seconds): (usize, u64) = (threads.parse()?, seconds.parse()?);
    let sources = Sources {
        index: PathBuf::from(dir).join("index"),
        event_model: None,
        query_model: None,
        runtime: None,
        precision: Precision::Auto,
        threads: 0,
        retention: Retention::default(),
        engine: forebay_index::engine::EngineKind::default(),
        engine_from: forebay_index::Options::ENGINE_FROM,
        resident_bytes_max: None,
    };
    let backend = Backend::open(&sources)?;
    let request: SearchRequest = serde_json::from_value(serde_json::json!({ "query": question }))?;
    let ask = Ask::default();
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let work = || {
            let mut times = Vec::new();
            while Instant::now() < end {
                let begun = Instant::now();
                let answer = answer(&backend, &ask, &request).expect("the question can be answered");
                std::hint::black_box(serde_json::to_vec(&answer).expect("an answer is JSON"));
                times.push(begun.elapsed());
            }
            times
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("asking does not panic")).collect()
    });
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!("{rate:.1} {:.3} {:.3}", at(0.5), at(0.99));
    Ok(())
}
