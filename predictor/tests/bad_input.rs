//! Goal: what is wrong with a configuration or with a target is said in words that tell what to do, is counted, and stops nothing else.
//!
//! Method: each wrong thing beside a receiver that must be served all the same.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::{Event, SidecarError};
use support::{Driven, Receiver, may_actuate, settings};

const BUDGET: u64 = 4 << 20;

#[test]
fn a_budget_below_the_minima_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let error =
        Driven::start(&settings(folder.path(), "port:1 min=3M; port:2 min=3M", BUDGET), Kind::Static).err().unwrap();
    assert!(matches!(error, SidecarError::Budget(_)));
    let text = error.to_string();
    assert!(text.contains("4194304") && text.contains("6291456") && text.contains("sidecar.budget_bytes"), "{text}");
}

#[test]
fn one_buffer_more_than_the_budget_has_minima_for_is_left_alone_until_another_goes() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut receivers: Vec<Receiver> = (0..3).map(|_| Receiver::start(&["127.0.0.1:0"])).collect();
    let targets: Vec<String> =
        receivers.iter().map(|receiver| format!("port:{} min=1M max=2M", receiver.port)).collect();
    let mut driven = Driven::start(&settings(folder.path(), &targets.join(";"), 3 << 20), Kind::AlwaysBig).unwrap();
    driven.go(1);
    assert_eq!(driven.sidecar.live(), 3);
    drop(driven.sidecar.finish());

    // One process with room for all its targets but not for all its buffers.
    let pids: Vec<String> = receivers.iter().map(|receiver| receiver.pid().to_string()).collect();
    let targets = format!("process:receiver min=1M max=2M # {}", pids.join(" "));
    let mut driven = Driven::start(&settings(folder.path(), &targets, 2 << 20), Kind::AlwaysBig).unwrap();
    driven.go(2);
    assert_eq!(driven.sidecar.live(), 2, "two minima fit");
    assert!(driven.sidecar.counts().get(Event::LeftBudget) >= 1);
    assert!(driven.sidecar.report().committed_bytes <= 2 << 20);
    let in_hand = driven.sidecar.report().buffers[0].pid;
    if let Some(receiver) = receivers.iter_mut().find(|receiver| receiver.pid() == in_hand) {
        receiver.kill();
    }
    driven.go(2);
    assert_eq!(driven.sidecar.live(), 2, "the one that waited has taken the place");
    driven.sidecar.finish().unwrap();
}

#[test]
fn a_program_killed_in_mid_change_is_let_go() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut dies, lives) = (Receiver::start(&["127.0.0.1:0"]), Receiver::start(&["127.0.0.1:0"]));
    let targets = format!("port:{}; port:{}", dies.port, lives.port);
    let mut driven = Driven::start(&settings(folder.path(), &targets, BUDGET), Kind::AlwaysBig).unwrap();
    driven.go(0);
    assert_eq!(driven.sidecar.live(), 2);
    dies.kill();
    // The first tick looks at, and wants to set, a socket that is no longer there.
    driven.sidecar.tick(0);
    assert!(lives.ceiling() > 212_992, "the other is served in the same tick");
    driven.go(5);
    assert_eq!(driven.sidecar.live(), 1);
    assert_eq!(lives.ceiling(), BUDGET, "and has all the room then");
    let counts = driven.sidecar.finish().unwrap();
    assert_eq!(counts.get(Event::FailSystem) + counts.get(Event::FailDenied), 0, "nobody's fault");
}

#[test]
fn a_size_that_the_program_set_itself_is_the_least_it_gets_or_is_left_alone() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // SO_RCVBUF of 500,000 is a limit of 1,000,000.
    let receiver = Receiver::start(&["127.0.0.1:0", "0", "500000"]);
    assert_eq!(receiver.ceiling(), 1_000_000);
    let targets = format!("port:{} min=64k", receiver.port);
    let mut driven = Driven::start(&settings(folder.path(), &targets, BUDGET), Kind::MaxOfWindow).unwrap();
    driven.go(50);
    assert_eq!(receiver.ceiling(), 1_000_000, "an idle buffer would have shrunk to its minimum of 64k");
    driven.sidecar.finish().unwrap();

    let targets = format!("port:{} locked=leave", receiver.port);
    let mut driven = Driven::start(&settings(folder.path(), &targets, BUDGET), Kind::AlwaysBig).unwrap();
    driven.go(5);
    assert_eq!((driven.sidecar.live(), receiver.ceiling()), (0, 1_000_000));
    assert_eq!(driven.sidecar.counts().get(Event::LeftLocked), 1);
    driven.sidecar.finish().unwrap();
}

#[test]
fn a_size_that_the_program_sets_while_we_hold_it_is_heeded() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let settings = settings(folder.path(), &format!("port:{} min=64k", receiver.port), BUDGET);
    let mut driven = Driven::start(&settings, Kind::MaxOfWindow).unwrap();
    driven.go(20);
    assert_eq!(receiver.ceiling(), 64 << 10, "shrunk to its minimum");
    receiver.set_rcvbuf(300_000);
    driven.go(20);
    assert_eq!(receiver.ceiling(), 600_000, "not taken away again");
    let counts = driven.sidecar.finish().unwrap();
    assert_eq!(counts.get(Event::Overridden), 1);
    assert_eq!(receiver.ceiling(), 600_000, "and not put back to what it was before the program spoke");
}

#[test]
fn a_dry_run_changes_nothing_and_shows_what_it_would_do() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let before = receiver.ceiling();
    let mut settings = settings(folder.path(), &format!("port:{}", receiver.port), BUDGET);
    settings.dry_run = true;
    let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
    driven.go(5);
    let buffer = &driven.sidecar.report().buffers[0];
    assert_eq!((buffer.ceiling_bytes, buffer.recommended_bytes), (before, BUDGET));
    assert!(!buffer.is_applied);
    assert_eq!(receiver.ceiling(), before);
    assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0, "not even a state file");
    driven.sidecar.finish().unwrap();
}

#[test]
fn a_target_that_only_wants_advice_is_not_touched() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let before = receiver.ceiling();
    let settings = settings(folder.path(), &format!("port:{} mode=advise", receiver.port), BUDGET);
    let mut driven = Driven::start(&settings, Kind::AlwaysBig).unwrap();
    driven.go(5);
    assert_eq!(driven.sidecar.report().buffers[0].recommended_bytes, BUDGET);
    assert_eq!(receiver.ceiling(), before);
    driven.sidecar.finish().unwrap();
}
