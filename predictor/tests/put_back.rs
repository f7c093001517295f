//! Goal: what the sidecar changed it puts back: when it ends, when a target leaves the configuration, and at the next start if it was
//! killed; and it touches nothing that is no longer what it changed.
//!
//! Method: real sockets and pipes of child processes, their sizes read from the kernel past the code under test. Dropping the sidecar
//! without `finish` leaves the same as SIGKILL does: no destructor puts anything back. (`tests/sidecar.rs` of the root package
//! kills the real program.)
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::path::Path;

use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::{Event, Settings};
use forebay_predictor::target::parse_targets;
use support::{Driven, Receiver, may_actuate, settings};

const BUDGET: u64 = 16 << 20;

/// A receiver whose buffer a sidecar grew to the whole budget before it was killed: the sidecar's settings, and the size before.
fn killed(folder: &Path) -> (Receiver, Settings, u64) {
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let before = receiver.ceiling();
    let settings = settings(folder, &format!("port:{}", receiver.port), BUDGET);
    let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
    driven.go(3);
    drop(driven);
    (receiver, settings, before)
}

/// Changes the one buffer of the state file.
fn rewrite(settings: &Settings, change: impl FnOnce(&mut serde_json::Value)) {
    let text = fs_err::read_to_string(&settings.state_file).unwrap();
    let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
    change(&mut state["buffers"][0]);
    fs_err::write(&settings.state_file, state.to_string()).unwrap();
}

#[test]
fn at_the_end() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let before = receiver.ceiling();
    let settings = settings(folder.path(), &format!("port:{}", receiver.port), BUDGET);
    let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
    driven.go(3);
    assert_eq!(receiver.ceiling(), BUDGET, "always_big gives the only buffer everything");
    let counts = driven.sidecar.finish().unwrap();
    assert_eq!(receiver.ceiling(), before);
    assert_eq!(counts.get(Event::Restored), 1);
    assert!(!settings.state_file.exists(), "nothing is left to put back");
}

#[test]
fn at_the_next_start_after_a_crash() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (udp, pipe) = (Receiver::start(&["127.0.0.1:0"]), Receiver::start(&["pipe"]));
    let tcp = Receiver::start(&["tcp", "127.0.0.1:0"]);
    let before = [udp.ceiling(), pipe.ceiling(), tcp.ceiling()];
    let targets = format!("port:{}; pid:{} kinds=pipe max=512k; pid:{} kinds=tcp", udp.port, pipe.pid(), tcp.pid());
    let settings = settings(folder.path(), &targets, BUDGET);
    let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
    driven.go(5);
    let during = [udp.ceiling(), pipe.ceiling(), tcp.ceiling()];
    assert!(during.iter().zip(before).all(|(during, before)| *during > before), "{before:?} {during:?}");
    assert_eq!(during[1], 512 << 10);
    drop(driven);
    assert_eq!([udp.ceiling(), pipe.ceiling(), tcp.ceiling()], during, "a crash puts nothing back");

    let sidecar = Driven::start(&settings, Kind::Static).unwrap().sidecar;
    assert_eq!([udp.ceiling(), pipe.ceiling(), tcp.ceiling()], before, "before anything else is looked at");
    assert!(sidecar.counts().get(Event::Restored) >= 3, "its standard input and output are pipes as well");
    assert_eq!(sidecar.counts().get(Event::RestoreFailed), 0);
    sidecar.finish().unwrap();
}

#[test]
fn when_the_target_leaves_the_configuration() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (stays, leaves) = (Receiver::start(&["127.0.0.1:0"]), Receiver::start(&["127.0.0.1:0"]));
    let before = leaves.ceiling();
    let both = format!("port:{}; port:{}", leaves.port, stays.port);
    let mut driven = Driven::start(&settings(folder.path(), &both, BUDGET), Kind::AlwaysBig).unwrap();
    driven.go(3);
    assert_eq!([leaves.ceiling(), stays.ceiling()], [BUDGET / 2; 2]);
    let one = parse_targets(&format!("port:{}", stays.port)).unwrap();
    driven.finder.retarget(one.clone());
    driven.sidecar.retarget(one);
    driven.go(3);
    assert_eq!(leaves.ceiling(), before);
    assert_eq!(stays.ceiling(), BUDGET, "and the other gets the room");
    driven.sidecar.finish().unwrap();
}

#[test]
fn not_what_its_program_changed_since() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (receiver, settings, _) = killed(folder.path());
    // Written as the program would have: the size is one that we never gave it.
    let text = fs_err::read_to_string(&settings.state_file).unwrap();
    fs_err::write(&settings.state_file, text.replace(&BUDGET.to_string(), "999998")).unwrap();
    let sidecar = Driven::start(&settings, Kind::Static).unwrap().sidecar;
    assert_eq!(sidecar.counts().get(Event::RestoreChangedSince), 1);
    assert_eq!(receiver.ceiling(), BUDGET, "left as it is");
    sidecar.finish().unwrap();
}

#[test]
fn never_another_process_that_got_the_number() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (receiver, settings, _) = killed(folder.path());
    // The same process number, file number and inode, but another start and another cookie: what a number given again looks like.
    rewrite(&settings, |entry| {
        entry["start"] = 1.into();
        entry["identity"]["cookie"] = 1.into();
    });
    let sidecar = Driven::start(&settings, Kind::Static).unwrap().sidecar;
    assert_eq!(sidecar.counts().get(Event::RestoreGone), 1);
    assert_eq!(receiver.ceiling(), BUDGET, "not touched");
    sidecar.finish().unwrap();
}

#[test]
fn a_socket_that_was_handed_on_is_found_by_its_cookie() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (receiver, settings, before) = killed(folder.path());
    // Written as if a parent that is gone had been its owner.
    rewrite(&settings, |entry| entry["pid"] = (i32::MAX - 1).into());
    Driven::start(&settings, Kind::Static).unwrap().sidecar.finish().unwrap();
    assert_eq!(receiver.ceiling(), before);
}

#[test]
fn a_connection_that_inherited_our_size_is_given_back_to_the_kernel() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Receiver::start(&["tcp", "127.0.0.1:0"]);
    let connect = || std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let settings = settings(folder.path(), &format!("port:{} kinds=tcp min=64k max=2M", server.port), BUDGET);
    let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
    driven.go(2);
    let listener = server.ceiling();
    assert_eq!(listener, 2 << 20);
    let _client = connect();
    // The server accepts in a thread of its own.
    let start = std::time::Instant::now();
    while driven.sidecar.live() < 2 {
        assert!(start.elapsed().as_secs() < 5, "the connection is not found");
        driven.go(1);
    }
    let report = driven.sidecar.report();
    let connection = report.buffers.iter().find(|buffer| buffer.id != server.inode).unwrap();
    assert_eq!(connection.ceiling_bytes, listener, "inherited");
    assert!(connection.original_bytes < listener, "and known to be ours: {connection:?}");
    let counts = driven.sidecar.finish().unwrap();
    assert_eq!(counts.get(Event::Restored), 2);
    assert_eq!(support::ceiling_of(server.pid(), connection.id), Some(connection.original_bytes));
    assert_eq!(support::is_locked(server.pid(), connection.id), Some(false), "the kernel tunes it again");
}
