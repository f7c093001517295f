//! Goal: the page is served whole, under a policy that runs nothing but its own files, and shows untrusted text as text.
//! Method: fetch every file it names; read its sources for ways to make markup out of text.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;
use std::process::Command;

use common::Running;
use serde_json::{Value, json};

const SCRIPTS: [&str; 6] = ["/page.js", "/address.js", "/dom.js", "/format.js", "/hits.js", "/summary.js"];

#[test]
fn every_file_is_served_under_a_strict_policy() {
    let server = Running::new();
    let page = server.get("/");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = page.text().unwrap();
    for name in page.split(['"']).filter(|part| part.starts_with('/') && part.contains('.')) {
        assert_eq!(server.get(name).status(), 200, "{name}");
    }
    for name in SCRIPTS {
        let script = server.get(name);
        assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
        let text = script.text().unwrap();
        for import in text.split("from \"./").skip(1) {
            let imported = format!("/{}", import.split('"').next().unwrap());
            assert!(SCRIPTS.contains(&&*imported), "{imported}");
        }
        for way in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser"]
        {
            assert!(!text.contains(way), "{name} has {way}");
        }
    }
    assert!(!page.contains("style=") && !page.contains("onclick") && !page.contains("<style"), "nothing inline");
}

/// What the page's own reader makes of addresses, as JSON.
const READER: &str = r#"
import { read, write } from "./address.mjs";
const of = (rest) => read(`?q=ssh&with=${encodeURIComponent(rest)}`);
const whole = { query: "ssh", drop: ["a"], added: [{ filter: { protocol: 6 }, label: "tcp" }] };
console.log(JSON.stringify({
  broken: ["", "{", "5", "null", "[]", '{"drop":5}', '{"drop":[5,null]}', '{"added":[null]}', '{"added":{"length":2}}',
    '{"added":[{"filter":"x","label":"y"},{"filter":{}},{"filter":[],"label":""}]}', '{"__proto__":{"drop":["x"]}}'].map(of),
  mixed: of('{"drop":["a",5],"added":[null,{"filter":{"protocol":6},"label":"tcp","more":1}]}'),
  whole, back: read(write(whole)), empty: write({ query: "", drop: [], added: [] }),
}));
"#;

#[test]
fn an_address_of_any_form_makes_a_question() {
    let dir = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/address.js");
    fs_err::copy(source, dir.path().join("address.mjs")).unwrap();
    fs_err::write(dir.path().join("read.mjs"), READER).unwrap();
    let Ok(output) = Command::new("node").arg(dir.path().join("read.mjs")).output() else {
        eprintln!("SKIPPED: node is not installed (apt-get install nodejs); the page's reader of addresses is not run");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    for question in found["broken"].as_array().unwrap() {
        assert_eq!(question, &json!({"query": "ssh", "drop": [], "added": []}));
    }
    assert_eq!(found["mixed"], found["whole"], "what has its form is kept");
    assert_eq!(found["back"], found["whole"]);
    assert_eq!(found["empty"], "");
}

#[test]
fn an_empty_index_is_told_with_the_ways_to_fill_it() {
    let script = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("page/page.js")).unwrap();
    assert!(
        script.contains("forebay embed FILE... --out DIR --index")
            && script.contains("POST lines of JSON to /v1/events")
    );
    assert!(!script.contains("forebay import"), "it writes no index");
}
