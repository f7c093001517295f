//! Goal: a drop makes the next tick come at once, and drops that go on make ticks come no more often than the bound; ticks that are due
//! come all the same.
//!
//! Method: the loop with eyes that are told of drops without end, or never, for a third of a second.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use forebay_predictor::eyes::{Arrivals, PortTick, Watch};
use forebay_predictor::limits::EARLY_EVERY;
use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::{Control, Counts, Event, Sidecar, run};
use support::settings;

const LONG: Duration = Duration::from_millis(330);
const TICK: Duration = Duration::from_millis(50);

struct Eyes {
    is_dropping: bool,
}

impl Arrivals for Eyes {
    fn watch(&mut self, _ports: &[Watch]) {}

    fn take(&mut self, _port: Watch) -> Option<PortTick> {
        None
    }

    fn rest(&mut self, time: Duration) -> bool {
        if !self.is_dropping {
            thread::sleep(time);
        }
        self.is_dropping
    }
}

fn counts(is_dropping: bool) -> Counts {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), "port:9", 1 << 20);
    let mut sidecar = Sidecar::start(&settings, Kind::Static.build(), Box::new(Eyes { is_dropping })).unwrap();
    let end = Instant::now() + LONG;
    let control = || if Instant::now() < end { Control::Go } else { Control::Stop };
    run(&mut sidecar, TICK, control, |_| {}).unwrap();
    sidecar.finish().unwrap()
}

#[test]
fn drops_bring_ticks_within_their_bound() {
    let counts = counts(true);
    let most = (LONG + TICK).as_millis() / EARLY_EVERY.as_millis();
    let early = counts.get(Event::EarlyTick);
    assert!(early > 5 && u128::from(early) <= most, "{early} of at most {most}");
    let due = counts.get(Event::Tick) - early;
    assert!((1..=8).contains(&due), "{due} that were due: early ones put none off and bring none");
}

#[test]
fn without_drops_no_tick_comes_early() {
    assert_eq!(counts(false).get(Event::EarlyTick), 0);
}
