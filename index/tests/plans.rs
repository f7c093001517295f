//! Promise: where a segment has an index, a search still gives exactly k hits, and nearly those of an exact scan; where a
//! filter keeps few, the scan is exact; the plan says which way was taken and why.
//!
//! Method: 20,000 events with cells against the same events without, for filters that keep all, half and a hundredth.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use forebay_index::engine::EngineKind;
use forebay_index::filter::{Compare, Filter};
use forebay_index::{Engine, Found, Index, Options, Search};

const SEED: u64 = 8;
const EVENTS: u64 = 20_000;
const QUERIES: u64 = 40;
const K: usize = 10;

fn found(index: &Index, filter: &Filter, query: u64) -> Found {
    let vector = Some(common::vector(1_234, query));
    index.search(&Search { filter: filter.clone(), vector, k: K, ..Search::default() }).unwrap()
}

/// Exact, index and filtered index, by what was chosen.
fn chosen(found: &Found) -> Engine {
    found.plan.segments[0].engine
}

#[test]
fn an_index_gives_k_hits_and_nearly_the_exact_ones_and_says_how() {
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let index = common::index(
        with.path(),
        Options { engine_from: 1_000, seal_events: 1, ..common::options() },
        SEED,
        &[EVENTS],
    );
    let flat = Options { engine: EngineKind::Flat, seal_events: 1, ..common::options() };
    let exact = common::index(without.path(), flat, SEED, &[EVENTS]);
    assert_eq!(index.stats().segments[0].engine, "cells");
    assert_eq!(exact.stats().segments[0].engine, "flat");
    // The feature is even over 0..1000/7.
    for (share, expected) in [(1.0, Engine::Index), (0.5, Engine::FilteredIndex), (0.01, Engine::Exact)] {
        let value = share * 1_000.0 / 7.0;
        let filter = Filter::Feature { name: "flow_iat_mean".to_owned(), op: Compare::Lt, value };
        let mut same = 0;
        for query in 0..QUERIES {
            let (a, b) = (found(&index, &filter, query), found(&exact, &filter, query));
            assert_eq!((a.hits.len(), a.matching), (K, b.matching));
            assert!(a.hits.iter().all(|hit| filter.matches(&hit.event)));
            let plan = &a.plan.segments[0];
            assert_eq!(chosen(&a), expected, "{}", plan.why);
            assert_eq!((plan.index.as_str(), plan.matching), ("cells", a.matching));
            assert!(plan.why.contains("match: "), "{}", plan.why);
            assert!(plan.estimated > 0 && plan.compared >= K as u64 && plan.candidates >= K as u64);
            assert_eq!(plan.certain, expected == Engine::Exact);
            assert_eq!((chosen(&b), b.plan.segments[0].certain), (Engine::Exact, true));
            // Of events that score the same, an index may find others.
            let least = b.hits.last().map_or(f32::MIN, |hit| hit.score);
            same += a.hits.iter().filter(|hit| hit.score >= least).count();
            // An event found both ways has the same score to the last bit.
            for hit in &a.hits {
                let other = b.hits.iter().find(|other| other.event.event_id == hit.event.event_id);
                assert!(other.is_none_or(|other| other.score.to_bits() == hit.score.to_bits()));
            }
        }
        let recall = same as f64 / (QUERIES as usize * K) as f64;
        eprintln!("filter keeps {share}: {expected:?}, recall@{K} {recall:.3}");
        assert!(recall >= if expected == Engine::Exact { 1.0 } else { 0.99 }, "recall {recall} at {share}");
    }
}

#[test]
fn words_bring_in_candidates_the_index_does_not_name() {
    let dir = tempfile::tempdir().unwrap();
    let graph =
        common::index(dir.path(), Options { engine_from: 1_000, seal_events: 1, ..common::options() }, SEED, &[EVENTS]);
    let search = Search {
        vector: Some(common::vector(1_234, 3)),
        words: "badexample".to_owned(),
        text_weight: 0.5,
        k: K,
        ..Search::default()
    };
    let found = graph.search(&search).unwrap();
    assert_eq!(found.plan.segments[0].engine, Engine::Index);
    assert!(found.hits.iter().any(|hit| hit.text_score.unwrap() > 0.5), "{:?}", found.hits[0]);
}
