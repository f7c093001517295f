//! Goal: what counts arrivals is told which ports matter, is asked once a tick for each, and what it says is what is reported; a buffer
//! that it knows to be idle is still looked at often enough that nothing is missed.
//!
//! Method: eyes that say the same in every tick, over a real socket.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::net::UdpSocket;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex};

use forebay_predictor::actuate::buffer::Look;
use forebay_predictor::eyes::{Arrivals, PortTick, Watch};
use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::Sidecar;
use forebay_predictor::target::Finder;
use support::{Receiver, may_actuate, settings};

#[derive(Default)]
struct Log {
    watched: Vec<Watch>,
    asked: u64,
    /// Sockets in hand, and what is said of all of them where anything is.
    held: Vec<u64>,
    gauged: Option<Look>,
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

    fn hold(&mut self, _socket: BorrowedFd<'_>, id: u64) -> bool {
        let mut log = self.0.lock().unwrap();
        log.held.push(id);
        log.gauged.is_some()
    }

    fn let_go(&mut self, _socket: BorrowedFd<'_>) {
        self.0.lock().unwrap().held.clear();
    }

    fn gauge(&mut self, each: &mut dyn FnMut(u64, Look)) -> bool {
        let log = self.0.lock().unwrap();
        let Some(look) = log.gauged else { return false };
        log.held.iter().for_each(|id| each(*id, look));
        // One that is nobody's any more.
        each(u64::MAX, Look::default());
        true
    }
}

/// Eyes that say what the test says at the moment.
struct Said(Arc<Mutex<PortTick>>);

impl Arrivals for Said {
    fn watch(&mut self, _ports: &[Watch]) {}

    fn take(&mut self, _port: Watch) -> Option<PortTick> {
        Some(*self.0.lock().unwrap())
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

#[test]
fn a_drop_that_is_told_of_is_looked_at_in_its_tick() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let said = Arc::new(Mutex::new(PortTick::default()));
    let settings = settings(folder.path(), &format!("port:{}", receiver.port), 1 << 20);
    let mut sidecar = Sidecar::start(&settings, Kind::Static.build(), Box::new(Said(Arc::clone(&said)))).unwrap();
    sidecar.take(Finder::new(settings.targets).pass().unwrap(), 0);
    // Quiet, and just looked at: slot 0 is looked at in every 16th tick.
    (0..17).for_each(|number| sidecar.tick(number * 10));
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    (0..1_000).for_each(|_| assert_eq!(sender.send_to(&[0; 1_000], ("127.0.0.1", receiver.port)).unwrap(), 1_000));
    sidecar.tick(170);
    assert_eq!(sidecar.report().buffers[0].dropped_packets, 0, "nobody has told of anything");
    said.lock().unwrap().drops = 1;
    sidecar.tick(180);
    assert!(sidecar.report().buffers[0].dropped_packets > 500, "{:?}", sidecar.report().buffers[0]);
    sidecar.finish().unwrap();
}

#[test]
fn many_are_read_at_once_and_believed_few_are_asked_themselves() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut receivers: Vec<Receiver> = (0..24).map(|_| Receiver::start(&["127.0.0.1:0"])).collect();
    let look = Look { queued_bytes: 12_345, ceiling_bytes: receivers[0].ceiling(), drops: 7 };
    let log = Arc::new(Mutex::new(Log { gauged: Some(look), ..Log::default() }));
    let targets: Vec<String> = receivers.iter().map(|one| format!("port:{} min=16k", one.port)).collect();
    let settings = settings(folder.path(), &targets.join(";"), 16 << 20);
    let busy = PortTick { packets: 1, bytes: 100, ..PortTick::default() };
    let eyes = Steady(Arc::clone(&log), busy);
    let mut sidecar = Sidecar::start(&settings, Kind::Static.build(), Box::new(eyes)).unwrap();
    let mut finder = Finder::new(settings.targets);
    sidecar.take(finder.pass().unwrap(), 0);
    assert_eq!(log.lock().unwrap().held.len(), 24);
    sidecar.tick(0);
    let report = sidecar.report();
    assert!(report.buffers.iter().all(|one| (one.queued_bytes, one.dropped_packets) == (12_345, 7)), "{report:?}");
    // Where the reading fails each is asked itself; and so they are where there are only a few.
    log.lock().unwrap().gauged = None;
    sidecar.tick(10);
    assert!(sidecar.report().buffers.iter().all(|one| one.queued_bytes == 0));
    log.lock().unwrap().gauged = Some(look);
    receivers.truncate(2);
    sidecar.take(finder.pass().unwrap(), 20);
    sidecar.tick(20);
    assert_eq!(sidecar.report().buffers.iter().map(|one| one.queued_bytes).collect::<Vec<_>>(), [0, 0]);
    sidecar.finish().unwrap();
}

#[test]
fn a_little_traffic_is_looked_at_now_and_then_and_much_in_its_tick() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let said = Arc::new(Mutex::new(PortTick { packets: 1, bytes: 100, ..PortTick::default() }));
    let settings = settings(folder.path(), &format!("port:{}", receiver.port), 1 << 20);
    let mut sidecar = Sidecar::start(&settings, Kind::Static.build(), Box::new(Said(Arc::clone(&said)))).unwrap();
    sidecar.take(Finder::new(settings.targets).pass().unwrap(), 0);
    (0..17).for_each(|number| sidecar.tick(number * 10));
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.send_to(&[0; 100], ("127.0.0.1", receiver.port)).unwrap();
    sidecar.tick(170);
    assert_eq!(sidecar.report().buffers[0].queued_bytes, 0, "one packet is far under the least limit");
    // A quarter of 208 KiB, by twice what packets charge by estimate.
    *said.lock().unwrap() = PortTick { packets: 31, bytes: 3_100, ..PortTick::default() };
    sidecar.tick(180);
    assert!(sidecar.report().buffers[0].queued_bytes > 0, "as much as may matter is looked at");
    assert_eq!(sidecar.report().buffers[0].arrived_packets, 18 + 31, "and all of it is counted");
    sidecar.finish().unwrap();
}
