//! Goal: targets are found by everything they can be named by, in other network namespaces as well; a program that is started again,
//! or opens another socket, is in hand within 100 ms; what is not there is told, counted, and taken in hand when it comes.
//!
//! Method: receivers in processes of their own; the loop with its threads where time matters.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use forebay_predictor::eyes::Blind;
use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::{Control, Event, Sidecar, run};
use support::{Driven, Receiver, may_actuate, settings};

const BUDGET: u64 = 16 << 20;

/// The promise, and what a machine with two busy cores may add to it.
const PROMISED: Duration = Duration::from_millis(100);

#[test]
fn by_everything_a_target_can_be_named_by() {
    if !may_actuate() {
        return;
    }
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let folder = tempfile::tempdir().unwrap();
    let cgroup = fs_err::read_to_string(format!("/proc/{}/cgroup", receiver.pid())).unwrap();
    let cgroup = cgroup.lines().filter_map(|line| line.splitn(3, ':').nth(2)).max_by_key(|path| path.len()).unwrap();
    let selectors = [
        format!("port:{}", receiver.port),
        format!("pid:{}", receiver.pid()),
        "process:receiver".to_owned(),
        format!("socket:{}", receiver.inode),
        format!("cgroup:{cgroup}"),
    ];
    for selector in selectors {
        let mut driven = Driven::start(&settings(folder.path(), &selector, 1 << 30), Kind::Static).unwrap();
        driven.go(1);
        let report = driven.sidecar.report();
        let found = report.buffers.iter().find(|buffer| buffer.id == receiver.inode);
        let found = found.unwrap_or_else(|| panic!("{selector}: not among {} buffers", report.buffers.len()));
        assert_eq!((found.pid, found.port), (receiver.pid(), receiver.port), "{selector}");
        assert_eq!(found.program, "receiver");
        driven.sidecar.finish().unwrap();
    }
}

#[test]
fn a_unit_is_a_part_of_the_path_of_its_control_group() {
    if !may_actuate() {
        return;
    }
    // A control group of the name that systemd would give it; needs no systemd.
    let group = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids", "/sys/fs/cgroup"]
        .iter()
        .map(|root| std::path::Path::new(root).join("forebay-test.service"))
        .find(|group| fs_err::create_dir_all(group).is_ok() && group.join("cgroup.procs").exists());
    let Some(group) = group else {
        eprintln!("SKIPPED: no control group can be made here");
        return;
    };
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    fs_err::write(group.join("cgroup.procs"), receiver.pid().to_string()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut driven = Driven::start(&settings(folder.path(), "unit:forebay-test", BUDGET), Kind::AlwaysBig).unwrap();
    driven.go(2);
    assert_eq!(receiver.ceiling(), BUDGET);
    driven.sidecar.finish().unwrap();
    drop(receiver);
    let _ = fs_err::remove_dir(group);
}

/// A namespace that goes with its handle.
struct Netns(String);

impl Netns {
    fn add(name: &str) -> Option<Self> {
        let name = format!("{name}-{}", std::process::id());
        let ip = |arguments: &[&str]| Command::new("ip").args(arguments).status().is_ok_and(|status| status.success());
        if !ip(&["netns", "add", &name]) {
            eprintln!("SKIPPED: `ip netns add` does not work here");
            return None;
        }
        let netns = Self(name);
        assert!(ip(&["-n", &netns.0, "link", "set", "lo", "up"]));
        Some(netns)
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

#[test]
fn in_another_network_namespace() {
    if !may_actuate() {
        return;
    }
    let Some(netns) = Netns::add("forebay-targets") else { return };
    let inside = Receiver::start_in(&netns.0, &["127.0.0.1:0"]);
    // The same port on our side is another socket, which nobody named.
    let outside = Receiver::start(&[&format!("127.0.0.1:{}", inside.port)]);
    let before = [inside.ceiling(), outside.ceiling()];
    let folder = tempfile::tempdir().unwrap();
    for targets in [
        format!("port:{} netns={}", inside.port, netns.0),
        format!("port:{} netns=pid:{}", inside.port, inside.pid()),
        format!("pid:{}", inside.pid()),
    ] {
        let mut driven = Driven::start(&settings(folder.path(), &targets, BUDGET), Kind::AlwaysBig).unwrap();
        driven.go(2);
        assert_eq!([inside.ceiling(), outside.ceiling()], [BUDGET, before[1]], "{targets}");
        driven.sidecar.finish().unwrap();
        assert_eq!([inside.ceiling(), outside.ceiling()], before, "{targets}");
    }
}

#[test]
fn a_program_that_is_started_again_is_in_hand_within_100_ms() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut first = Receiver::start(&["127.0.0.1:0"]);
    let address = format!("127.0.0.1:{}", first.port);
    let settings = settings(folder.path(), &format!("port:{}", first.port), BUDGET);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let tick = settings.tick;
    let mut sidecar = Sidecar::start(&settings, Kind::AlwaysBig.build(), Box::new(Blind)).unwrap();
    let sidecar = thread::spawn(move || {
        let control = || if stopped.load(Ordering::Relaxed) { Control::Stop } else { Control::Go };
        run(&mut sidecar, tick, control, |_| ()).unwrap();
        sidecar.finish().unwrap()
    });
    wait_for(&first, BUDGET);
    let mut took = Vec::new();
    for _ in 0..5 {
        first.kill();
        first = Receiver::start(&[&address]);
        took.push(wait_for(&first, BUDGET));
    }
    took.sort_unstable();
    stop.store(true, Ordering::Relaxed);
    let counts = sidecar.join().unwrap();
    assert!(took[2] <= PROMISED, "the middle of five: {took:?}");
    assert!(took[4] <= PROMISED * 3, "the slowest, on a machine that others use: {took:?}");
    assert_eq!(counts.get(Event::FailSystem), 0);
    eprintln!("in hand after {took:?}");
    assert_eq!(first.ceiling(), 212_992.min(first.ceiling()), "and put back");
}

fn wait_for(receiver: &Receiver, ceiling: u64) -> Duration {
    let start = Instant::now();
    while receiver.ceiling() != ceiling {
        assert!(start.elapsed() < Duration::from_secs(5), "{} and not {ceiling}", receiver.ceiling());
        thread::sleep(Duration::from_millis(1));
    }
    start.elapsed()
}

#[test]
fn what_is_not_there_is_told_once_and_taken_when_it_comes() {
    if !may_actuate() {
        return;
    }
    let there = Receiver::start(&["127.0.0.1:0"]);
    let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let targets = format!(
        "process:no-such-program; pid:{}; socket:1; port:{port}; port:9 netns=no-such-namespace; port:{}",
        i32::MAX,
        there.port
    );
    let mut driven = Driven::start(&settings(folder.path(), &targets, BUDGET), Kind::AlwaysBig).unwrap();
    driven.go(2);
    assert_eq!(driven.sidecar.live(), 1);
    assert_eq!(there.ceiling(), BUDGET, "the rest goes on");
    assert_eq!(driven.sidecar.counts().get(Event::MissingNothing), 4);
    assert_eq!(driven.sidecar.counts().get(Event::MissingNamespace), 1);
    let came = Receiver::start(&[&format!("127.0.0.1:{port}")]);
    driven.go(2);
    assert_eq!([there.ceiling(), came.ceiling()], [BUDGET / 2; 2]);
    driven.sidecar.finish().unwrap();
}

#[test]
fn a_port_stays_free_after_its_program_ended() {
    if !may_actuate() {
        return;
    }
    let mut receiver = Receiver::start(&["127.0.0.1:0"]);
    let folder = tempfile::tempdir().unwrap();
    let targets = format!("port:{}", receiver.port);
    let mut driven = Driven::start(&settings(folder.path(), &targets, BUDGET), Kind::AlwaysBig).unwrap();
    driven.go(5);
    receiver.kill();
    let again = std::net::UdpSocket::bind(("127.0.0.1", receiver.port));
    assert!(again.is_ok(), "no duplicate of ours keeps it: {again:?}");
    driven.go(5);
    assert_eq!(driven.sidecar.live(), 0, "our own socket is never a target of ours");
    driven.sidecar.finish().unwrap();
}
