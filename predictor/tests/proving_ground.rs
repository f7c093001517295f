//! Goal: the proving ground's books balance: what was sent was read, or the kernel counted it as dropped. Its plainest claim
//! holds: with room for every burst, one large static limit loses less than the usual one. And it leaves nothing behind, even when it is killed.
//!
//! Method: the built program for a second a policy, two receivers, a budget that is no bound; and one that is killed after it set a limit of
//! the machine, to what it was already.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

const UDP_MEM: &str = "/proc/sys/net/ipv4/udp_mem";

/// Whether there can be network namespaces.
fn is_ground() -> bool {
    let name = format!("forebay-try-{:?}-{}", thread::current().id(), std::process::id());
    let ip =
        |verb: &str| Command::new("ip").args(["netns", verb, &name]).output().is_ok_and(|done| done.status.success());
    let can = rustix::process::geteuid().is_root() && ip("add") && ip("del");
    if !can {
        eprintln!("SKIPPED: needs root (CAP_NET_ADMIN) and `ip netns`");
    }
    can
}

#[test]
fn every_datagram_is_accounted_for() {
    if !is_ground() {
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_proving-ground"))
        .args(["--receivers", "2", "--seconds", "1", "--budget", "64M"])
        .args(["--policy", "static", "--policy", "always_big"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let runs: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let figure = |run: &Value, name: &str| run[name].as_i64().unwrap();
    for run in &runs {
        assert_eq!(figure(run, "sent"), 20_000, "ten bursts");
        assert_eq!(figure(run, "unaccounted"), 0, "{run}");
    }
    let [usual, large] = runs.as_slice() else { panic!("two policies: {runs:?}") };
    assert!(figure(usual, "dropped") > 1_000, "a burst of 2,000 does not fit into the usual limit: {usual}");
    assert!(figure(large, "dropped") < figure(usual, "dropped") / 2, "{usual} {large}");
}

#[test]
fn nothing_is_left_by_one_that_is_killed() {
    if !is_ground() {
        return;
    }
    let before = fs_err::read_to_string(UDP_MEM).unwrap();
    let pages: u64 = before.split_whitespace().next().unwrap().parse().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_proving-ground"))
        .args(["--receivers", "1", "--seconds", "20", "--udp-mem", &(pages * 4_096).to_string(), "--policy", "static"])
        .spawn()
        .unwrap();
    let ground = format!("forebay-ground-{}-", child.id());
    let namespaces = || {
        let list = Command::new("ip").args(["netns", "list"]).output().unwrap();
        String::from_utf8(list.stdout).unwrap().matches(&ground).count()
    };
    let becomes = |what: &str, is_it: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !is_it() {
            assert!(began.elapsed() < Duration::from_secs(10), "{what}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    let now = || fs_err::read_to_string(UDP_MEM).unwrap();
    becomes("the limit is set and the namespaces are there", &|| now() != before && namespaces() == 2);
    child.kill().unwrap();
    child.wait().unwrap();
    becomes("both are as they were", &|| now() == before && namespaces() == 0);
}
