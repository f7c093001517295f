//! Promise: exactly min(k, matching) hits, in the order the scores say, for vectors, words and both, under any filter.
//!
//! Method: 3,000 events in three segments against a loop that computes every cosine in double precision; the parts of
//! each hit's score are put together again by the documented formula.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::collections::HashMap;
use std::sync::OnceLock;

use forebay_event::{Event, EventId};
use forebay_index::filter::{Compare, Filter};
use forebay_index::{Index, IndexError, Reason, Search};

const SEED: u64 = 2;
const ENDS: [u64; 3] = [1_000, 1_700, 3_000];

/// Rounding of single precision over 32 products.
const EPSILON: f64 = 1e-5;

struct World {
    index: Index,
    events: Vec<Event>,
    vectors: HashMap<EventId, Vec<f32>>,
    _dir: tempfile::TempDir,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let index = common::index(dir.path(), common::options(), SEED, &ENDS);
        let events = common::events(SEED, 0, ENDS[2]);
        let vectors =
            (0..ENDS[2]).map(|number| (events[number as usize].event_id, common::vector(SEED, number))).collect();
        World { index, events, vectors, _dir: dir }
    })
}

/// Filters that keep everything, a tenth, a handful, one and nothing.
fn filters() -> Vec<Filter> {
    let below = |value| Filter::Feature { name: "flow_iat_mean".to_owned(), op: Compare::Lt, value };
    let first = world().events[7].start_us;
    vec![
        Filter::And(vec![]),
        below(14.0),
        below(0.2),
        Filter::Time { from_us: Some(first), to_us: Some(first + 1) },
        Filter::Or(vec![]),
    ]
}

#[test]
fn hits_by_vector_are_those_of_a_loop_over_everything() {
    let world = world();
    for (number, filter) in filters().into_iter().enumerate() {
        let query = common::vector(99, number as u64);
        let mut expected: Vec<f64> = world
            .events
            .iter()
            .filter(|event| filter.matches(event))
            .map(|event| common::cosine(&query, &world.vectors[&event.event_id]))
            .collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        for k in [1, 10, 1_000] {
            let search = Search { filter: filter.clone(), vector: Some(query.clone()), k, ..Search::default() };
            let found = world.index.search(&search).unwrap();
            assert_eq!(found.hits.len(), k.min(expected.len()), "{filter}");
            assert_eq!(found.matching, expected.len() as u64);
            for (hit, expected) in found.hits.iter().zip(&expected) {
                assert!((f64::from(hit.score) - expected).abs() < EPSILON, "{} instead of {expected}", hit.score);
                let own = common::cosine(&query, &world.vectors[&hit.event.event_id]);
                assert!((f64::from(hit.vector_score.unwrap()) - own).abs() < EPSILON);
            }
        }
    }
}

#[test]
fn there_are_k_hits_although_no_word_stands_in_them() {
    for words in ["ssh tls", "unicorn", "the of and", ""] {
        for vector in [None, Some(common::vector(99, 1))] {
            for filter in filters() {
                let expected = world().events.iter().filter(|event| filter.matches(event)).count();
                let search =
                    Search { filter, words: words.to_owned(), vector: vector.clone(), k: 500, ..Search::default() };
                let found = world().index.search(&search).unwrap();
                assert_eq!(found.hits.len(), expected.min(500), "{words:?}");
            }
        }
    }
}

#[test]
fn both_scores_are_fused_by_the_formula_and_ordered() {
    let query = common::vector(99, 2);
    for weight in [0.0, 0.3, 0.5] {
        let search = Search {
            vector: Some(query.clone()),
            words: "port scan ssh".to_owned(),
            text_weight: weight,
            k: 1_000,
            ..Search::default()
        };
        let found = world().index.search(&search).unwrap();
        for hit in &found.hits {
            let (cosine, text) = (hit.vector_score.unwrap(), hit.text_score.unwrap());
            assert!((0.0..=1.0).contains(&text));
            assert!((hit.score - ((1.0 - weight) * cosine + weight * text)).abs() < 1e-6);
            let said = hit.reasons.iter().any(|reason| matches!(reason, Reason::Words { .. }));
            assert_eq!(said, text > 0.0, "{:?}", hit.reasons);
        }
        assert!(found.hits.is_sorted_by(|a, b| a.score >= b.score));
    }
}

#[test]
fn words_find_the_events_they_stand_in_first() {
    let found =
        world().index.search(&Search { words: "badexample".to_owned(), k: 1_000, ..Search::default() }).unwrap();
    let with = world().events.iter().filter(|e| e.app.host.as_deref() == Some("badexample.org")).count();
    assert!(with > 50);
    let has = |hit: &forebay_index::Hit| hit.event.app.host.as_deref() == Some("badexample.org");
    assert!(found.hits[..with].iter().all(has));
    assert!(!found.hits[with..].iter().any(has));
    assert_eq!(found.hits[with].score, 0.0);
}

#[test]
fn without_a_question_the_newest_come_first() {
    let found = world().index.search(&Search { k: 100, ..Search::default() }).unwrap();
    let mut starts: Vec<i64> = world().events.iter().map(|event| event.start_us).collect();
    starts.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(found.hits.iter().map(|hit| hit.event.start_us).collect::<Vec<_>>(), starts[..100]);
}

#[test]
fn a_floor_leaves_out_what_is_not_similar() {
    let query = common::vector(99, 3);
    let floor = 0.6;
    let search = Search { vector: Some(query), min_similarity: Some(floor), k: 1_000, ..Search::default() };
    let found = world().index.search(&search).unwrap();
    assert!(!found.hits.is_empty() && found.hits.iter().all(|hit| hit.vector_score.unwrap() >= floor));
    assert_eq!(found.hits.len() as u64 + found.plan.below_floor, found.matching);
}

#[test]
fn a_search_outside_the_limits_is_the_callers_fault() {
    let wrong = [
        Search { k: 0, ..Search::default() },
        Search { k: 1_001, ..Search::default() },
        Search { text_weight: 0.51, ..Search::default() },
        Search { text_weight: f32::NAN, ..Search::default() },
        Search { vector: Some(vec![1.0]), ..Search::default() },
        Search { vector: Some(vec![f32::NAN; common::DIMENSION]), ..Search::default() },
        Search { words: "x".repeat(5_000), ..Search::default() },
        Search { filter: Filter::Service("nosuch".to_owned()), ..Search::default() },
    ];
    for search in wrong {
        let error: IndexError = world().index.search(&search).unwrap_err();
        assert!(error.is_callers_fault(), "{error}");
    }
}
