//! Goal: limits of the machine that the configuration names are raised while the sidecar runs, follow it when it is read anew, and are
//! put back when it ends or at the next start; what cannot be set is told and stops nothing.
//!
//! Method: a `pfifo` in a network namespace of the test's own, which one thread enters; `tc` says what the limit is. The two settings
//! that are the whole machine's are only read and refused here, not changed.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::os::fd::AsFd as _;
use std::process::Command;
use std::thread;

use forebay_predictor::actuate::host::{Setting, Wish};
use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::{Event, Reread, Settings};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use support::{Driven, may_actuate, settings};

fn ip(arguments: &[&str]) -> bool {
    Command::new("ip").args(arguments).output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_queue_of_an_interface_is_raised_and_put_back() {
    let name = format!("forebay-host-{}", std::process::id());
    if !may_actuate() || !ip(&["netns", "add", &name]) {
        eprintln!("SKIPPED: `ip netns add` does not work here");
        return;
    }
    let body = || {
        let namespace = fs_err::File::open(format!("/run/netns/{name}")).unwrap();
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        let tc = |arguments: &[&str]| {
            String::from_utf8(Command::new("tc").args(arguments).output().unwrap().stdout).unwrap()
        };
        tc(&["qdisc", "add", "dev", "lo", "root", "pfifo", "limit", "100"]);
        let limit = || tc(&["qdisc", "show", "dev", "lo"]);
        assert!(limit().contains("limit 100p"), "{}", limit());
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path(), "port:9", 1 << 20);
        settings.host = Wish::parse_list("pfifo:nosuch0=10; pfifo:lo=2000").unwrap();
        let sidecar = Driven::start(&settings, Kind::Static).unwrap().sidecar;
        assert!(limit().contains("limit 2000p"), "{}", limit());
        assert_eq!(sidecar.counts().get(Event::FailHost), 1, "the interface that is not there is told");
        sidecar.finish().unwrap();
        assert!(limit().contains("limit 100p"), "{}", limit());

        drop(Driven::start(&settings, Kind::Static).unwrap());
        assert!(limit().contains("limit 2000p"), "a crash puts nothing back");
        settings.host.clear();
        let sidecar = Driven::start(&settings, Kind::Static).unwrap().sidecar;
        assert!(limit().contains("limit 100p"), "the next start does: {}", limit());
        assert_eq!(sidecar.finish().unwrap().get(Event::Restored), 1);

        // Read anew: another value, then none, and what it was comes back though it was changed twice.
        settings.host = Wish::parse_list("pfifo:lo=2000").unwrap();
        let mut sidecar = Driven::start(&settings, Kind::Static).unwrap().sidecar;
        for (list, expected) in [("pfifo:lo=3000", "limit 3000p"), ("", "limit 100p"), ("pfifo:lo=4000", "limit 4000p")]
        {
            let settings = Settings { host: Wish::parse_list(list).unwrap(), ..settings.clone() };
            sidecar.reread(Reread { settings, policy: Kind::Static.build() });
            assert!(limit().contains(expected), "{list}: {}", limit());
        }
        sidecar.finish().unwrap();
        assert!(limit().contains("limit 100p"), "{}", limit());
    };
    let result = thread::scope(|scope| scope.spawn(body).join());
    ip(&["netns", "del", &name]);
    result.unwrap();
}

#[test]
fn settings_of_the_whole_machine_are_read() {
    let backlog: u64 = Setting::NetdevMaxBacklog.read().unwrap().parse().unwrap();
    assert!(backlog > 0);
    let pages = Setting::UdpMem.read().unwrap();
    assert_eq!(pages.split_whitespace().count(), 3, "{pages}");
    let error = Setting::Pfifo("lo".to_owned()).read().unwrap_err().to_string();
    assert!(error.contains("not pfifo"), "{error}");
}
