//! Goal: without `CAP_NET_ADMIN` limits go as far as `net.core.rmem_max` and no further, told and counted once; without `CAP_SYS_PTRACE`
//! programs of others are left alone, counted, and the rest goes on.
//!
//! Method: capabilities are taken from one thread, which then is the sidecar.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::process::Command;
use std::thread;

use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::Event;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use support::{Driven, Receiver, may_actuate, settings};

/// Runs `body` in a thread that does not have `capability`.
fn without<T: Send>(capability: CapabilitySet, body: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let mut sets = capabilities(None).unwrap();
            sets.effective.remove(capability);
            sets.permitted.remove(capability);
            set_capabilities(None, sets).unwrap();
            body()
        });
        thread.join().unwrap()
    })
}

#[test]
fn without_net_admin_limits_end_at_rmem_max() {
    if !may_actuate() {
        return;
    }
    let max: u64 = fs_err::read_to_string("/proc/sys/net/core/rmem_max").unwrap().trim().parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let before = receiver.ceiling();
    let settings = settings(folder.path(), &format!("port:{}", receiver.port), 64 << 20);
    without(CapabilitySet::NET_ADMIN, || {
        let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
        driven.go(5);
        assert_eq!(receiver.ceiling(), (2 * max).min(64 << 20));
        assert_eq!(driven.sidecar.counts().get(Event::Unforced), 1, "told once");
        let counts = driven.sidecar.finish().unwrap();
        assert_eq!(counts.get(Event::Restored), 1);
    });
    assert_eq!(receiver.ceiling(), before);
}

#[test]
fn without_sys_ptrace_programs_of_others_are_left_alone() {
    if !may_actuate() {
        return;
    }
    let works = Command::new("setpriv").args(["--reuid=65534", env!("CARGO_BIN_EXE_receiver"), "--"]).output();
    if !works.is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains("Error")) {
        eprintln!("SKIPPED: needs `setpriv`, and a build folder that user 65534 may read");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let theirs = Receiver::start_as("--reuid=65534", &["127.0.0.1:0"]);
    // Of our user and with no more capabilities than we have: else the kernel would keep us out as well.
    let ours = Receiver::start_as("--bounding-set=-all", &["127.0.0.1:0"]);
    let before = theirs.ceiling();
    let targets = format!("port:{}; pid:{}; port:{}", theirs.port, theirs.pid(), ours.port);
    let settings = settings(folder.path(), &targets, 1 << 20);
    let driven = without(CapabilitySet::SYS_PTRACE, || {
        let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
        driven.go(5);
        driven
    });
    assert_eq!([theirs.ceiling(), ours.ceiling()], [before, 1 << 20]);
    assert!(driven.sidecar.counts().get(Event::MissingDenied) >= 1);
    driven.sidecar.finish().unwrap();
}

#[test]
fn sys_ptrace_is_enough_to_reach_programs_of_others() {
    if !may_actuate() {
        return;
    }
    let works = Command::new("setpriv").args(["--reuid=65534", env!("CARGO_BIN_EXE_receiver"), "--"]).output();
    if !works.is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains("Error")) {
        eprintln!("SKIPPED: needs `setpriv`, and a build folder that user 65534 may read");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let by_port = Receiver::start_as("--reuid=65534", &["127.0.0.1:0"]);
    let by_pid = Receiver::start_as("--reuid=65534", &["127.0.0.1:0"]);
    let before = by_port.ceiling();
    let settings = settings(folder.path(), &format!("port:{}; pid:{}", by_port.port, by_pid.pid()), 2 << 20);
    // Their folders in /proc are closed to us.
    without(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH, || {
        let path = format!("/proc/{}/fd", by_pid.pid());
        assert!(fs_err::read_dir(path).is_err(), "or there is nothing to be tested");
        let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
        driven.go(5);
        assert_eq!([by_port.ceiling(), by_pid.ceiling()], [1 << 20; 2]);
        driven.go(5);
        assert_eq!(driven.sidecar.counts().get(Event::MissingDenied), 0);
        driven.sidecar.finish().unwrap();
        assert_eq!(by_port.ceiling(), before);
    });
}
