//! Goal: the committed API document is the one the code gives, and describes what is really sent.
//! Method: compare with `docs/openapi.json` (`UPDATE_OPENAPI=1 cargo test -p forebay-api --test openapi` writes it anew);
//! compare the described event with a real one, and read the described filters.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use forebay_event::Event;
use forebay_index::Filter;
use serde_json::Value;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

fn document() -> Value {
    serde_json::from_str(&forebay_api::openapi_json()).unwrap()
}

#[test]
fn the_committed_document_is_up_to_date() {
    let current = forebay_api::openapi_json();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs_err::write(COMMITTED, &current).unwrap();
    }
    let committed = fs_err::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == current, "docs/openapi.json is out of date; run `make openapi` and look at what changed");
}

/// The members that the schema called `name` describes.
fn described(document: &Value, name: &str) -> BTreeSet<String> {
    let properties = &document["components"]["schemas"][name]["properties"];
    properties.as_object().unwrap_or_else(|| panic!("{name} is described")).keys().cloned().collect()
}

fn sent(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_described_event_is_the_real_one() {
    let document = document();
    let event = serde_json::to_value(Event::default()).unwrap();
    assert_eq!(described(&document, "Event"), sent(&event));
    for (schema, member) in [
        ("EventFlow", "flow"),
        ("EventApp", "app"),
        ("EventScores", "scores"),
        ("EventClass", "class"),
        ("EventLabel", "label"),
    ] {
        assert_eq!(described(&document, schema), sent(&event[member]), "{schema}");
    }
}

#[test]
fn the_described_filters_are_the_real_ones() {
    let document = document();
    let variants = document["components"]["schemas"]["Filter"]["oneOf"].as_array().unwrap();
    let names: BTreeSet<String> = variants.iter().flat_map(|variant| sent(&variant["properties"])).collect();
    let examples = [
        r#"{"and":[]}"#,
        r#"{"or":[]}"#,
        r#"{"not":{"protocol":6}}"#,
        r#"{"ip":{"end":"src","net":"10.0.0.0/8"}}"#,
        r#"{"port":{"end":"dst","from":22,"to":22}}"#,
        r#"{"protocol":6}"#,
        r#"{"service":"ssh"}"#,
        r#"{"time":{"from_us":1,"to_us":null}}"#,
        r#"{"verdict":"malicious"}"#,
        r#"{"family":"port_scan"}"#,
        r#"{"host":{"how":"domain","host":"example.org"}}"#,
        r#"{"feature":{"name":"bytes","op":"gt","value":1e6}}"#,
    ];
    let mut read = BTreeSet::new();
    for example in examples {
        let _: Filter = serde_json::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        read.extend(sent(&serde_json::from_str(example).unwrap()));
    }
    assert_eq!(names, read);
    // A kind that the crate knows and the document does not would be in this message.
    let unknown = serde_json::from_str::<Filter>(r#"{"nothing":1}"#).unwrap_err().to_string();
    let known: BTreeSet<String> = unknown.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert_eq!(names, known, "{unknown}");
}
