//! Promise: the pages of a search hold every matching event once, in order, whatever is added or merged meanwhile; a
//! cursor that cannot be followed is refused with the reason.
//!
//! Method: all pages of a search, put together, against the same search as one page, for each way of ranking, with and
//! without graphs, while events are appended and segments merged between the pages.

#![allow(clippy::unwrap_used)] // helpers of tests may fail as tests do

mod common;

use std::collections::HashSet;

use forebay_event::EventId;
use forebay_index::filter::{Compare, Filter};
use forebay_index::{Engine, Index, IndexError, Options, Search};

const SEED: u64 = 3;
const EVENTS: u64 = 700;

fn searches() -> Vec<Search> {
    let filter =
        Filter::Not(Box::new(Filter::Feature { name: "flow_iat_mean".to_owned(), op: Compare::Gt, value: 120.0 }));
    let vector = Some(common::vector(99, 5));
    let words = "ssh port scan example".to_owned();
    vec![
        Search { filter: filter.clone(), ..Search::default() },
        Search { filter: filter.clone(), vector: vector.clone(), ..Search::default() },
        Search { filter: filter.clone(), words: words.clone(), ..Search::default() },
        Search { filter, vector, words, ..Search::default() },
    ]
}

/// Every page of `search`, with something done between them.
fn pages(index: &Index, search: &Search, mut between: impl FnMut(usize)) -> Vec<Vec<EventId>> {
    let mut search = search.clone();
    let mut pages = Vec::new();
    loop {
        let found = index.search(&search).unwrap();
        pages.push(found.hits.iter().map(|hit| hit.event.event_id).collect());
        let Some(cursor) = found.cursor else { return pages };
        search.cursor = Some(cursor);
        between(pages.len());
    }
}

fn without_merging(engine_from: usize) -> Options {
    Options { seal_events: 1, merge_in_background: false, engine_from, ..common::options() }
}

#[test]
fn pages_put_together_are_the_whole_answer() {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), without_merging(usize::MAX), SEED, &[300, 310, EVENTS]);
    for search in searches() {
        let whole = index.search(&Search { k: 1_000, ..search.clone() }).unwrap();
        let whole: Vec<EventId> = whole.hits.iter().map(|hit| hit.event.event_id).collect();
        for k in [13, 100] {
            let pages = pages(&index, &Search { k, ..search.clone() }, |_| ());
            assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == k));
            assert_eq!(pages.concat(), whole);
        }
    }
}

#[test]
fn identifiers_alone_come_in_the_same_order_with_the_same_pages() {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), without_merging(100), SEED, &[300, 310, EVENTS]);
    for mut search in searches() {
        loop {
            let (found, order) = (index.search(&search).unwrap(), index.rank(&search).unwrap());
            assert!(!found.hits.is_empty());
            assert_eq!((found.matching, &found.cursor), (order.matching, &order.cursor));
            assert_eq!(found.hits.len(), order.hits.len());
            for (hit, place) in found.hits.iter().zip(&order.hits) {
                assert_eq!(hit.event.event_id, place.event_id);
                assert_eq!(
                    (hit.score, hit.vector_score, hit.text_score),
                    (place.score, place.vector_score, place.text_score)
                );
            }
            let Some(cursor) = found.cursor else { break };
            search.cursor = Some(cursor);
        }
    }
}

#[test]
fn what_is_added_or_merged_meanwhile_shifts_nothing() {
    for (round, search) in (0..).zip(searches()) {
        let dir = tempfile::tempdir().unwrap();
        let ends: Vec<u64> = (1..=9).map(|i| i * 40).collect();
        let index = common::index(dir.path(), without_merging(usize::MAX), SEED, &ends);
        let before = index.search(&Search { k: 1_000, ..search.clone() }).unwrap();
        let before: Vec<EventId> = before.hits.iter().map(|hit| hit.event.event_id).collect();
        let pages = pages(&index, &Search { k: 60, ..search }, |page| {
            let from = 1_000 * (round + 1) + 100 * page as u64;
            index.append(&common::events(SEED, from, from + 100), &common::vectors(SEED, from, from + 100)).unwrap();
            if page % 2 == 1 {
                assert!(index.compact().unwrap().merges > 0 || page > 1);
            }
        });
        assert_eq!(pages.concat(), before);
    }
}

#[test]
fn pages_after_one_from_a_graph_repeat_nothing_and_miss_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), without_merging(500), SEED, &[EVENTS, EVENTS + 100]);
    let search = Search { vector: Some(common::vector(99, 6)), k: 20, ..Search::default() };
    let first = index.search(&search).unwrap();
    assert!(first.plan.segments.iter().any(|segment| segment.engine == Engine::Index));
    let all: Vec<EventId> = pages(&index, &search, |_| ()).concat();
    assert_eq!(all.len() as u64, EVENTS + 100);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
}

#[test]
fn a_cursor_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let search = Search { words: "ssh".to_owned(), k: 50, ..Search::default() };
    let index = common::index(dir.path(), common::options(), SEED, &[200]);
    let whole = pages(&index, &search, |_| ());
    let cursor = index.search(&search).unwrap().cursor;
    drop(index);
    let index = Index::open(dir.path(), common::options()).unwrap();
    let second = index.search(&Search { cursor, ..search }).unwrap();
    assert_eq!(second.hits.iter().map(|hit| hit.event.event_id).collect::<Vec<_>>(), whole[1]);
}

#[test]
fn a_cursor_of_another_search_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let index = common::index(dir.path(), common::options(), SEED, &[200]);
    let cursor = index.search(&Search { words: "ssh".to_owned(), ..Search::default() }).unwrap().cursor;
    let error = index.search(&Search { words: "tls".to_owned(), cursor, ..Search::default() }).unwrap_err();
    assert!(matches!(&error, IndexError::Cursor(reason) if reason.contains("another search")), "{error}");
    let error = index.search(&Search { cursor: Some("nonsense".parse().unwrap()), ..Search::default() }).unwrap_err();
    assert!(matches!(&error, IndexError::Cursor(reason) if reason.contains("damaged")), "{error}");
}
