//! Goal: the proving ground's books balance: what was sent was read, or the kernel counted it as dropped. And its plainest claim
//! holds: with room for every burst, one large static limit loses less than the usual one.
//!
//! Method: the built program for two seconds a policy, two receivers, a budget that is no bound.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::process::Command;

use serde_json::Value;

#[test]
fn every_datagram_is_accounted_for() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: needs root (CAP_NET_ADMIN)");
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_proving-ground"))
        .args(["--receivers", "2", "--seconds", "2", "--budget", "64M"])
        .args(["--policy", "static", "--policy", "always_big"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let runs: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let figure = |run: &Value, name: &str| run[name].as_i64().unwrap();
    for run in &runs {
        assert_eq!(figure(run, "sent"), 8_000, "four bursts");
        assert_eq!(figure(run, "unaccounted"), 0, "{run}");
    }
    let [usual, large] = runs.as_slice() else { panic!("two policies: {runs:?}") };
    assert!(figure(usual, "dropped") > 1_000, "a burst of 2,000 does not fit into the usual limit: {usual}");
    assert!(figure(large, "dropped") < figure(usual, "dropped") / 2, "{usual} {large}");
}
