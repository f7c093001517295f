//! Packets of the bundled capture through the meter, from memory, on one core.

use std::io::{Cursor, Read as _};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::Event;
use forebay_event::source::{EventSource as _, Item};

fn packets(criterion: &mut Criterion) {
    let file = fs_err::File::open(forebay_benches::sample()).expect("the bundled capture is there");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("the bundled capture is gzip");
    let packets = meter(bytes.clone());

    let mut group = criterion.benchmark_group("meter");
    group.throughput(Throughput::Elements(packets)).sample_size(20);
    group.bench_function("sample", |bencher| {
        bencher.iter_batched(|| bytes.clone(), meter, criterion::BatchSize::LargeInput);
    });
    group.finish();
}

fn meter(bytes: Vec<u8>) -> u64 {
    let reader = Box::new(Cursor::new(bytes));
    let mut source = CaptureSource::from_reader("memory", reader, None, MeterConfig::default()).expect("a capture");
    let mut event = Event::default();
    while source.read(&mut event).expect("a whole capture") != Item::End {}
    source.meter_counters().packets
}

criterion_group!(benches, packets);
criterion_main!(benches);
