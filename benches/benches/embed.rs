//! Events into vectors, in batches of 1,024 on one thread, in both precisions; and one question.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forebay_embedder::{Embedder as _, EventEmbedder, Model, Precision, QueryEmbedder, runtime};
use forebay_event::Event;
use std::hint::black_box;

const BATCH: usize = 1024;

fn embed(criterion: &mut Criterion) {
    runtime::init(None).expect("ONNX Runtime; `make setup` brings it");
    let events = forebay_benches::repeated(BATCH).expect("the bundled capture can be read");
    let items: Vec<&Event> = events.iter().collect();
    let model = Model::builtin_event().expect("the built-in event model");

    let mut group = criterion.benchmark_group("embed");
    group.throughput(Throughput::Elements(BATCH as u64)).sample_size(20);
    for (name, precision) in [("fp32", Precision::Fp32), ("int8", Precision::Int8)] {
        let mut embedder = EventEmbedder::load(&model, precision).expect("the built-in event model");
        let mut out = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                embedder.embed(&items, &mut out).expect("a batch within the limit");
                black_box(out.len())
            });
        });
    }
    group.throughput(Throughput::Elements(1));
    let model = Model::builtin_query().expect("the built-in query model");
    let mut embedder = QueryEmbedder::load(&model, Precision::Auto).expect("the built-in query model");
    let mut out = Vec::new();
    group.bench_function("question", |bencher| {
        bencher.iter(|| {
            out.clear();
            embedder.embed(&["who tried to guess ssh passwords"], &mut out).expect("a question with words");
            black_box(out.len())
        });
    });
    group.finish();
}

criterion_group!(benches, embed);
criterion_main!(benches);
