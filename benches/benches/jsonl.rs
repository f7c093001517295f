//! Lines of our own format, read and written on one core.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forebay_event::{Event, jsonl};
use std::hint::black_box;

const LINES: usize = 10_000;

fn lines(criterion: &mut Criterion) {
    let events = forebay_benches::repeated(LINES).expect("the bundled capture can be read");
    let mut text = Vec::new();
    let ends: Vec<usize> = events
        .iter()
        .map(|event| {
            jsonl::write(event, &mut text);
            text.len()
        })
        .collect();

    let mut group = criterion.benchmark_group("jsonl");
    group.throughput(Throughput::Elements(LINES as u64)).sample_size(20);
    group.bench_function("write", |bencher| {
        let mut out = Vec::with_capacity(text.len());
        bencher.iter(|| {
            out.clear();
            for event in &events {
                jsonl::write(event, &mut out);
            }
            black_box(out.len())
        });
    });
    group.bench_function("read", |bencher| {
        let mut parser = jsonl::Parser::default();
        let mut event = Event::default();
        bencher.iter(|| {
            let mut start = 0;
            for end in &ends {
                parser.parse(&text[start..*end], &mut event).expect("our own line");
                start = *end;
            }
            black_box(event.start_us)
        });
    });
    group.finish();
}

criterion_group!(benches, lines);
criterion_main!(benches);
