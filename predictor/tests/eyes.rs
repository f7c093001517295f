//! Goal: what counts arrivals is told which ports matter, is asked once a tick for each, and what it says is what is reported; a buffer
//! that it knows to be idle is still looked at often enough that nothing is missed.
//!
//! Method: eyes that say the same in every tick, over a real socket.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::net::UdpSocket;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex};

use forebay_predictor::eyes::{Arrivals, PortTick, Watch};
use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::Sidecar;
use forebay_predictor::target::Finder;
use support::{Receiver, may_actuate, settings};

#[derive(Default)]
struct Log {
    watched: Vec<Watch>,
    asked: u64,
}

struct Steady(Arc<Mutex<Log>>, PortTick);

impl Arrivals for Steady {
    fn watch(&mut self, ports: &[Watch]) {
        self.0.lock().unwrap().watched = ports.to_vec();
    }

    fn take(&mut self, _port: Watch) -> Option<PortTick> {
        self.0.lock().unwrap().asked += 1;
        Some(self.1)
    }
}

/// A receiver under eyes that always say `tick`, after `ticks`; what is queued is sent halfway.
fn after(ticks: u64, tick: PortTick) -> (Sidecar, Arc<Mutex<Log>>, Receiver) {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let log = Arc::new(Mutex::new(Log::default()));
    let settings = settings(folder.path(), &format!("port:{}", receiver.port), 1 << 20);
    let mut sidecar =
        Sidecar::start(&settings, Kind::Static.build(), Box::new(Steady(Arc::clone(&log), tick))).unwrap();
    sidecar.take(Finder::new(settings.targets).pass().unwrap(), 0);
    for number in 0..ticks {
        if number == ticks / 2 {
            let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
            sender.send_to(&[0; 100], ("127.0.0.1", receiver.port)).unwrap();
        }
        sidecar.tick(number * 10);
    }
    (sidecar, log, receiver)
}

#[test]
fn what_is_counted_is_reported() {
    if !may_actuate() {
        return;
    }
    let tick = PortTick { packets: 10, bytes: 1_000, ..PortTick::default() };
    let (sidecar, log, receiver) = after(10, tick);
    let buffer = sidecar.report().buffers[0].clone();
    assert!(buffer.is_counted);
    assert_eq!(buffer.arrived_bytes, 10 * tick.charged().bytes);
    let log = log.lock().unwrap();
    let netns = fs_err::metadata("/proc/self/ns/net").unwrap().ino() as u32;
    assert_eq!(log.watched, [Watch { port: receiver.port, is_udp: true, netns }]);
    assert_eq!(log.asked, 10);
    drop(log);
    sidecar.finish().unwrap();
}

#[test]
fn eyes_that_see_nothing_do_not_hide_what_is_queued() {
    if !may_actuate() {
        return;
    }
    let (sidecar, ..) = after(40, PortTick::default());
    assert!(sidecar.report().buffers[0].queued_bytes > 0, "looked at within 16 ticks all the same");
    sidecar.finish().unwrap();
}
