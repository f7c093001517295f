//! Promise: where a segment has a graph, a search still gives exactly k hits, and nearly those of an exact scan; where a
//! filter keeps few, the scan is exact.
//!
//! Method: 6,000 events with a graph against the same events without, for filters that keep all, half, a tenth and a
//! hundredth.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::collections::HashSet;

use forebay_event::EventId;
use forebay_index::filter::{Compare, Filter};
use forebay_index::{Engine, Found, Index, Options, Search};

const SEED: u64 = 8;
const EVENTS: u64 = 6_000;
const QUERIES: u64 = 40;
const K: usize = 10;

fn found(index: &Index, filter: &Filter, query: u64) -> Found {
    let vector = Some(common::vector(1_234, query));
    index.search(&Search { filter: filter.clone(), vector, k: K, ..Search::default() }).unwrap()
}

fn ids(found: &Found) -> HashSet<EventId> {
    found.hits.iter().map(|hit| hit.event.event_id).collect()
}

#[test]
fn a_graph_gives_k_hits_and_nearly_the_exact_ones() {
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let graph = common::index(with.path(), Options { graph_from: 1_000, ..common::options() }, SEED, &[EVENTS]);
    let exact = common::index(without.path(), common::options(), SEED, &[EVENTS]);
    assert_eq!(graph.stats().segments[0].engine, "hnsw32");
    // The feature is even over 0..1000/7.
    for (share, engine) in [(1.0, Engine::Graph), (0.5, Engine::Graph), (0.1, Engine::Exact), (0.01, Engine::Exact)] {
        let value = share * 1_000.0 / 7.0;
        let filter = Filter::Feature { name: "flow_iat_mean".to_owned(), op: Compare::Lt, value };
        let (mut same, mut by_engine) = (0, 0);
        for query in 0..QUERIES {
            let (a, b) = (found(&graph, &filter, query), found(&exact, &filter, query));
            assert_eq!((a.hits.len(), a.matching), (K, b.matching));
            assert!(a.hits.iter().all(|hit| filter.matches(&hit.event)));
            by_engine += u64::from(a.plan.segments[0].engine == engine);
            same += ids(&a).intersection(&ids(&b)).count();
            // An event found both ways has the same score to the last bit.
            for hit in &a.hits {
                let other = b.hits.iter().find(|other| other.event.event_id == hit.event.event_id);
                assert!(other.is_none_or(|other| other.score.to_bits() == hit.score.to_bits()));
            }
        }
        let recall = same as f64 / (QUERIES as usize * K) as f64;
        eprintln!("filter keeps {share}: {engine:?} in {by_engine} of {QUERIES}, recall@{K} {recall:.3}");
        assert_eq!(by_engine, QUERIES);
        assert!(recall >= if engine == Engine::Exact { 1.0 } else { 0.9 }, "recall {recall} at {share}");
    }
}

#[test]
fn words_bring_in_candidates_the_graph_does_not_name() {
    let dir = tempfile::tempdir().unwrap();
    let graph = common::index(dir.path(), Options { graph_from: 1_000, ..common::options() }, SEED, &[EVENTS]);
    let search = Search {
        vector: Some(common::vector(1_234, 3)),
        words: "badexample".to_owned(),
        text_weight: 0.5,
        k: K,
        ..Search::default()
    };
    let found = graph.search(&search).unwrap();
    assert_eq!(found.plan.segments[0].engine, Engine::Graph);
    assert!(found.hits.iter().any(|hit| hit.text_score.unwrap() > 0.5), "{:?}", found.hits[0]);
}
