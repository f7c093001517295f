//! Goal: the meter is where it is told to be, says what it lacks, and leaves nothing behind.
//!
//! Method: network namespaces with a cable between them; children that are killed; threads that give up capabilities. Needs root
//! and namespaces; says so where it does not run.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use aya::programs::{SchedClassifier, TcAttachType};
use forebay_ebpf::live::capabilities::{Capability, keep_only};
use forebay_ebpf::live::{Books, DropReason, Hook, HookChoice, LiveConfig, LiveMeter, LiveSource, Netns, Row};
use forebay_event::source::{EventSource, Item, SourceError};
use forebay_event::{Event, feature as f};
use support::network::{self, LEFT_IF, Network, RIGHT_IF, RIGHT_IP, in_netns};

const AS_CHILD: &str = "FOREBAY_TEST_ATTACH_TO";

fn on_left(network: &Network) -> LiveConfig {
    LiveConfig { netns: Some(Netns::Name(network.left.clone())), ..LiveConfig::of(LEFT_IF) }
}

fn on_right(network: &Network) -> LiveConfig {
    LiveConfig { netns: Some(Netns::Name(network.right.clone())), ..LiveConfig::of(RIGHT_IF) }
}

fn finish(mut meter: LiveMeter) -> (Vec<Event>, Books) {
    let mut events = Vec::new();
    let books = meter.finish(&mut |event| events.push(event.clone())).unwrap();
    (events, books)
}

/// Not a test of its own: what the test below starts and kills.
#[test]
fn child_that_is_killed() {
    let Ok(interface) = std::env::var(AS_CHILD) else { return };
    let meter = LiveMeter::attach(&LiveConfig::of(interface)).unwrap();
    println!("attached by {}", meter.hook().name());
    std::thread::sleep(Duration::from_mins(1));
}

#[test]
fn after_a_kill_nothing_stays_attached() {
    let Some(_root) = Network::new() else { return };
    let (name, peer) = (format!("fbk{}", std::process::id() % 100_000), format!("fbp{}", std::process::id() % 100_000));
    network::run("ip", &["link", "add", &name, "type", "veth", "peer", "name", &peer]);
    let ways = [TcAttachType::Ingress, TcAttachType::Egress];
    let attached = || ways.map(|way| SchedClassifier::query_tcx(&name, way).unwrap().1.len());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_is_killed", "--nocapture"])
        .env(AS_CHILD, &name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("attached by tcx")), "the child ended too early");
    let before = attached();
    child.kill().unwrap();
    child.wait().unwrap();
    let began = Instant::now();
    while attached() != [0, 0] && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let after = attached();
    network::run("ip", &["link", "del", &name]);
    assert_eq!((before, after), ([1, 1], [0, 0]));
}

#[test]
fn each_missing_capability_is_named_with_what_works_without_it() {
    if support::kernel::is_missing() {
        return;
    }
    for gone in [Capability::Bpf, Capability::Perfmon, Capability::NetAdmin] {
        let said = std::thread::spawn(move || {
            let kept: Vec<_> = Capability::ALL.into_iter().filter(|one| *one != gone).collect();
            assert_eq!(keep_only(&kept).unwrap(), [gone]);
            LiveMeter::attach(&LiveConfig::of("lo")).err().map(|error| error.to_string())
        });
        let said = said.join().unwrap().expect("it cannot be attached");
        assert!(said.starts_with(&format!("missing {}; {} ", gone.name(), gone.name())), "{said}");
        assert!(said.contains("Without it") && said.contains("setcap"), "{said}");
    }
}

#[test]
fn another_namespace_needs_what_it_needs_and_nothing_is_needed_after_the_start() {
    let Some(network) = Network::new() else { return };
    let config = on_left(&network);
    std::thread::spawn(move || {
        let mut meter = LiveMeter::attach(&config).unwrap();
        keep_only(&[]).unwrap();
        meter.watch_port(7).unwrap();
        assert!(!meter.poll_events(&mut |_| {}).unwrap());
        let Err(refused) = LiveMeter::attach(&config) else { panic!("nothing can be attached any more") };
        assert!(refused.to_string().contains("CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN"), "{refused}");
        assert!(meter.interface_is_there());
        assert_eq!(finish(meter).1.open(), 0);
    })
    .join()
    .unwrap();
    let config = on_left(&network);
    let refused = std::thread::spawn(move || {
        keep_only(&[Capability::Bpf, Capability::Perfmon, Capability::NetAdmin]).unwrap();
        LiveMeter::attach(&config).err().unwrap().to_string()
    });
    let refused = refused.join().unwrap();
    assert!(refused.starts_with("missing CAP_SYS_ADMIN; CAP_SYS_ADMIN enters another network namespace"), "{refused}");
}

#[test]
fn what_is_not_there_is_named() {
    if support::kernel::is_missing() {
        return;
    }
    let said = |config: LiveConfig| LiveMeter::attach(&config).err().unwrap().to_string();
    assert!(said(LiveConfig::of("no-such-if")).starts_with("interface no-such-if: "));
    let nowhere = LiveConfig { netns: Some(Netns::parse("/no/such/file")), ..LiveConfig::of("lo") };
    assert!(said(nowhere).starts_with("network namespace /no/such/file: cannot be opened"));
    let mut meter = LiveMeter::attach(&LiveConfig { ports_max: 1, ..LiveConfig::of("lo") }).unwrap();
    meter.watch_port(1).unwrap();
    assert!(meter.watch_port(2).unwrap_err().to_string().contains("there is room for 1"));
    assert!(meter.watch_port(0).is_err());
    assert!(meter.unwatch_port(1).unwrap() && !meter.unwatch_port(1).unwrap());
    meter.watch_port(2).unwrap();
}

#[test]
fn clsact_serves_where_tcx_is_not_wanted_and_is_told() {
    let Some(network) = Network::new() else { return };
    let config = LiveConfig { hook: HookChoice::Clsact, ..on_left(&network) };
    let meter = match LiveMeter::attach(&config) {
        Ok(meter) => meter,
        Err(error) => {
            eprintln!("SKIPPED: this kernel has no clsact filters: {error}");
            return;
        }
    };
    assert_eq!(meter.hook(), Hook::Clsact);
    assert!(meter.notes()[0].contains("clsact, not tcx"), "{:?}", meter.notes());
    send(&network, "s.sendto(b'x' * 10, ('10.99.0.2', 7))", 3);
    let (events, books) = finish(meter);
    assert_eq!((events.len(), books.seen, books.open()), (1, 3, 0));
    for way in ["ingress", "egress"] {
        let filters = in_netns(&network.left, &["tc", "filter", "show", "dev", LEFT_IF, way]);
        assert!(filters.is_empty(), "a meter that ends takes its filters off, in whichever namespace: {filters}");
    }
}

/// Runs one line of Python `count` times on the left side; `s` is a UDP socket.
fn send(network: &Network, line: &str, count: usize) {
    let program = format!(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range({count}):\n    {line}\n"
    );
    in_netns(&network.left, &["python3", "-c", &program]);
}

#[test]
fn an_interface_that_vanishes_ends_the_source_after_its_flows() {
    let Some(network) = Network::new() else { return };
    let meter = LiveMeter::attach(&on_left(&network)).unwrap();
    let mut source = LiveSource::new(meter, "the cable", Arc::new(AtomicBool::new(false)), None);
    send(&network, "s.sendto(b'x' * 10, ('10.99.0.2', 7 + n))", 5);
    network::run("ip", &["-n", &network.left, "link", "del", LEFT_IF]);
    let mut event = Event::default();
    for _ in 0..5 {
        assert_eq!(source.read(&mut event).unwrap(), Item::Event);
    }
    let Err(SourceError::Io { name, error }) = source.read(&mut event) else { panic!("it is an error") };
    assert_eq!(name, "the cable");
    assert!(error.to_string().contains("the interface has gone"), "{error}");
    assert_eq!(source.books().unwrap().open(), 0);
    assert_eq!(source.read(&mut event).unwrap(), Item::End);
}

#[test]
fn a_source_ends_when_its_time_is_over() {
    let Some(network) = Network::new() else { return };
    let meter = LiveMeter::attach(&on_left(&network)).unwrap();
    let time = Some(Duration::from_millis(300));
    let mut source = LiveSource::new(meter, "the cable", Arc::new(AtomicBool::new(false)), time);
    send(&network, "s.sendto(b'x' * 10, ('10.99.0.2', 7))", 4);
    let mut event = Event::default();
    assert_eq!(source.read(&mut event).unwrap(), Item::Event);
    assert_eq!(event.features.0[f::SPKTS], 4.0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
    assert!((now - event.end_us).abs() < 5_000_000, "times are those of the calendar");
    assert_eq!((event.interface.as_str(), event.sensor.as_str()), (LEFT_IF, "live"));
    assert_eq!(source.read(&mut event).unwrap(), Item::End);
}

/// Sends frames as they are: a tagged one, then 5,000 of noise.
const FRAMES: &str = r#"
import random, socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 38, 0, 0, 64, 17, 0, bytes([10, 99, 0, 1]), bytes([10, 99, 0, 2]))
udp = struct.pack("!HHHH", 1234, 7, 18, 0) + b"0123456789"
mac = b"\xff" * 6 + b"\x02\0\0\0\0\1"
if sys.argv[2] == "tagged":
    s.send(mac + b"\x81\x00" + struct.pack("!H", 42) + b"\x08\x00" + ip + udp)
    s.send(mac + b"\x88\xa8" + struct.pack("!H", 43) + b"\x81\x00" + struct.pack("!H", 44) + b"\x08\x00" + ip + udp)
else:
    random.seed(7)
    types = [b"\x08\x00", b"\x86\xdd", b"\x81\x00", b"\x88\x47", b"\x88\x64", b"\x08\x06", b"\x00\x20"]
    for n in range(5000):
        body = bytearray(random.randbytes(random.randrange(1, 400)))
        if n % 2:
            body = bytearray(ip + udp) + body
            for _ in range(3):
                body[random.randrange(len(body))] = random.randrange(256)
        s.send(mac + random.choice(types) + bytes(body))
"#;

#[test]
fn tags_that_the_kernel_takes_out_are_in_the_flow() {
    let Some(network) = Network::new() else { return };
    let meters = [on_left(&network), on_right(&network)].map(|config| LiveMeter::attach(&config).unwrap());
    in_netns(&network.left, &["python3", "-c", FRAMES, LEFT_IF, "tagged"]);
    std::thread::sleep(Duration::from_millis(50));
    for meter in meters {
        let (events, books) = finish(meter);
        let mut tags: Vec<_> = events.iter().map(|event| (event.flow.vlan, event.features.0[f::SBYTES])).collect();
        tags.sort_by_key(|(vlan, _)| *vlan);
        assert_eq!(tags, [(Some(42), 38.0), (Some(43), 38.0)]);
        assert_eq!((books.seen, books.open()), (2, 0));
    }
}

#[test]
fn noise_is_counted_and_breaks_nothing() {
    let Some(network) = Network::new() else { return };
    let meters = [on_left(&network), on_right(&network)].map(|config| LiveMeter::attach(&config).unwrap());
    in_netns(&network.left, &["python3", "-c", FRAMES, LEFT_IF, "noise"]);
    std::thread::sleep(Duration::from_millis(50));
    for (meter, least) in meters.into_iter().zip([5000, 4900]) {
        let (events, books) = finish(meter);
        // On its way in the kernel gives up frames that end within their tag, before any hook.
        assert!(books.seen >= least && books.seen <= 5000 && books.open() == 0, "{books:?}");
        assert!(books.lost_total() > 1000 && events.len() > 100, "{books:?}");
    }
}

/// One side listens and takes everything, the other sends 40 MB.
const TCP_SERVER: &str = r#"
import socket, sys
s = socket.create_server(("10.99.0.2", 5001))
print("ready", flush=True)
c, _ = s.accept()
while c.recv(1 << 20): pass
c.close()
"#;
const TCP_CLIENT: &str = r#"
import socket
s = socket.create_connection(("10.99.0.2", 5001))
for n in range(400): s.sendall(b"x" * 100_000)
s.shutdown(socket.SHUT_WR)
s.recv(1)
"#;

/// Segments that a namespace's TCP has put on the wire.
fn segments_out(side: &str) -> u64 {
    let text = in_netns(side, &["cat", "/proc/net/snmp"]);
    let mut tcp = text.lines().filter(|line| line.starts_with("Tcp:")).map(|line| line.split_whitespace());
    let (names, values) = (tcp.next().unwrap(), tcp.next().unwrap());
    let values: Vec<(&str, &str)> = names.zip(values).collect();
    let of = |name: &str| values.iter().find(|(n, _)| *n == name).unwrap().1.parse::<u64>().unwrap();
    of("OutSegs") + of("RetransSegs")
}

#[test]
fn packets_of_many_segments_count_as_those_of_the_wire() {
    let Some(network) = Network::new().map(Network::with_addresses) else { return };
    let meter = LiveMeter::attach(&on_left(&network)).unwrap();
    let mut server = network::python(&network.right, 0, TCP_SERVER, &[]);
    let mut ready = [0; 6];
    server.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    in_netns(&network.left, &["python3", "-c", TCP_CLIENT]);
    assert!(server.wait().unwrap().success());
    std::thread::sleep(Duration::from_millis(100));
    let (events, books) = finish(meter);
    let tcp: Vec<&Event> = events.iter().filter(|event| event.flow.protocol == 6).collect();
    let packets: f64 = tcp.iter().map(|event| event.features.0[f::SPKTS]).sum();
    let back: f64 = tcp.iter().map(|event| event.features.0[f::DPKTS]).sum();
    assert!(books.super_packets > 100, "offload was at work: {books:?}");
    assert_eq!(packets as u64, segments_out(&network.left), "forward");
    assert_eq!(back as u64, segments_out(&network.right), "backward");
    let payload: f64 = tcp.iter().map(|event| event.features.0[f::FWD_LEN_TOT]).sum();
    assert!(payload >= 40_000_000.0 && books.open() == 0);
    let largest = tcp.iter().map(|event| event.features.0[f::FWD_LEN_MAX]).fold(0.0, f64::max);
    assert!(largest <= 1500.0, "no packet is longer than the wire allows: {largest}");
}

/// A receiver that sleeps, then takes what is there and says how many that were.
const UDP_SERVER: &str = r#"
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.99.0.2", 7000))
print("ready", flush=True)
sys.stdin.readline()
s.setblocking(False)
taken = 0
try:
    while s.recv(2000): taken += 1
except BlockingIOError: pass
print(taken)
"#;

#[test]
fn a_watched_port_shows_arrivals_drops_and_drains() {
    const SENT: u64 = 5000;
    let Some(network) = Network::new().map(Network::with_addresses) else { return };
    let mut meter = LiveMeter::attach(&on_right(&network)).unwrap();
    assert_eq!(meter.notes(), &[] as &[String]);
    meter.watch_port(7000).unwrap();
    let mut server = network::python(&network.right, 0, UDP_SERVER, &[]);
    let mut ready = [0; 6];
    server.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    send(&network, &format!("s.sendto(b'x' * 1000, ('{RIGHT_IP}', 7000))"), SENT as usize);
    server.stdin.take().unwrap().write_all(b"now\n").unwrap();
    let mut said = String::new();
    server.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    server.wait().unwrap();
    let taken: u64 = said.trim().parse().unwrap();
    let (mut bins, mut drops) = (Vec::new(), Vec::new());
    meter.bins(Row::Port(7000), 0, &mut bins);
    meter.drops(&mut drops);
    let totals = meter.port_totals(7000).unwrap();
    assert_eq!((totals.drained_messages, totals.drained_bytes), (taken, taken * 1000));
    assert_eq!(totals.dropped, SENT - taken, "every datagram was taken or dropped");
    assert!(totals.dropped > 1000 && !drops.is_empty(), "the buffer was too small for this");
    assert_eq!(bins.iter().map(|bin| bin.packets).sum::<u64>(), SENT);
    assert_eq!(bins.iter().map(|bin| bin.bytes).sum::<u64>(), SENT * 1028);
    assert_eq!(bins.iter().map(|bin| bin.new_flows).sum::<u32>(), 1);
    for drop in &drops {
        assert_eq!((drop.port, drop.reason), (7000, DropReason::BufferFull));
        assert!(drop.queued_bytes > 100_000 && drop.limit_bytes > 0 && drop.socket_inode.is_some(), "{drop:?}");
    }
    assert!(drops.len() as u64 <= totals.dropped && drops.windows(2).all(|pair| pair[0].dropped < pair[1].dropped));
    assert_eq!(finish(meter).1.open(), 0);
}
