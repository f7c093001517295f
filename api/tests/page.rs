//! Goal: the page is served whole, under a policy that runs nothing but its own files, and shows untrusted text as text.
//! Method: fetch every file it names; read its sources for ways to make markup out of text.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::Running;

const SCRIPTS: [&str; 5] = ["/page.js", "/dom.js", "/format.js", "/hits.js", "/summary.js"];

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
