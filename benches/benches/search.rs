//! Questions to an index of 20,000 events on one thread: by vector and words, and with a filter that keeps a few.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forebay_embedder::{Embedder as _, EventEmbedder, Model, Precision, QueryEmbedder, runtime};
use forebay_event::Event;
use forebay_index::filter::{End, Filter};
use forebay_index::{Index, Options, Search};
use std::hint::black_box;

const EVENTS: usize = 20_000;
const BATCH: usize = 1000;

fn search(criterion: &mut Criterion) {
    runtime::init(None).expect("ONNX Runtime; `make setup` brings it");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = Model::builtin_event().expect("the built-in event model");
    let options = Options::new(model.dimension(), model.manifest().space.clone());
    let index = Index::open(folder.path(), options).expect("an empty index");
    fill(&index, &model);

    let query = Model::builtin_query().expect("the built-in query model");
    let mut embedder = QueryEmbedder::load(&query, Precision::Auto).expect("the built-in query model");
    let words = "failed logins one after the other";
    let mut vector = Vec::new();
    embedder.embed(&[words], &mut vector).expect("a question with words");

    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    let port = Filter::Port { end: End::Dst, from: 22, to: 22 };
    for (name, filter) in [("all", Filter::And(Vec::new())), ("port 22", port)] {
        let search = Search {
            filter,
            vector: Some(vector.clone()),
            words: words.to_owned(),
            explain: false,
            summary: false,
            ..Search::default()
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(index.search(&search).expect("a search within the limits").hits.len()));
        });
    }
    group.finish();
}

fn fill(index: &Index, model: &Model) {
    let events = forebay_benches::repeated(EVENTS).expect("the bundled capture can be read");
    let mut embedder = EventEmbedder::load(model, Precision::Auto).expect("the built-in event model");
    let mut vectors = Vec::new();
    for batch in events.chunks(BATCH) {
        let items: Vec<&Event> = batch.iter().collect();
        embedder.embed(&items, &mut vectors).expect("a batch within the limit");
    }
    index.append(&events, &vectors).expect("an index that can be written");
}

criterion_group!(benches, search);
criterion_main!(benches);
