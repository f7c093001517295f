//! What live metering costs: nanoseconds a packet beyond an empty program, and the share of a core that the sidecar's loop takes.
//!
//! `cargo run --release -p forebay-ebpf --example live_cost` (root, Python 3). Two network namespaces with a cable between them; datagrams go
//! through an interface that carries the meter on its egress, then the empty program of the same object, in turn, and the kernel's own statistics
//! (`kernel.bpf_stats_enabled`) give nanoseconds a run of each: what measuring itself costs is in both and goes out. The loop is that of the sidecar: every 10 ms
//! the new bins and totals of 100 ports, their drop events, and the memory of 100 sockets; its CPU time is the process's own.
#![allow(unsafe_code)] // sockets are asked as the kernel asks for

use std::error::Error;
use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;
use std::process::Command;
use std::time::{Duration, Instant};

use aya::programs::{SchedClassifier, TcAttachType};
use aya::sys::{Stats, enable_stats};
use forebay_ebpf::live::{Change, LiveConfig, LiveMeter, Lookout, LookoutConfig, Replay, Row, Watched};

/// A measurement that cannot be made ends with the reason.
type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;
const PACKETS: u32 = 200_000;
const PORTS: u16 = 100;
const LOOP: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(10);

const SENDER: &str = r#"
import socket, sys
flows, count = int(sys.argv[1]), int(sys.argv[2])
sockets = []
for n in range(flows):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.98.0.1", 20000 + n))
    s.connect(("10.98.0.2", 9))
    sockets.append(s)
for n in range(count):
    sockets[n % flows].send(b"x" * 100)
"#;

fn main() -> Outcome<()> {
    let (name, peer) = ("fbcost0", "fbcost1");
    let _ = Command::new("ip").args(["link", "del", name]).output();
    let _ = Command::new("ip").args(["netns", "del", "fbcost"]).output();
    run("ip", &["netns", "add", "fbcost"])?;
    run("ip", &["link", "add", name, "type", "veth", "peer", "name", peer, "netns", "fbcost"])?;
    run("sysctl", &["-qw", &format!("net.ipv6.conf.{name}.disable_ipv6=1")])?;
    run("ip", &["-n", "fbcost", "link", "set", peer, "arp", "off", "up"])?;
    run("ip", &["link", "set", name, "arp", "off", "up"])?;
    run("ip", &["addr", "add", "10.98.0.1/24", "dev", name])?;
    let stats = enable_stats(Stats::RunTime)?;
    for flows in [1, 1_000] {
        per_packet(name, flows, "metering", meter_program)?;
        per_packet(name, flows, "counting", count_program)?;
    }
    drop(stats);
    in_the_kernels_loop()?;
    the_loop(name, false)?;
    the_loop(name, true)?;
    run("ip", &["link", "del", name])?;
    run("ip", &["netns", "del", "fbcost"])?;
    Ok(())
}

/// Sends and gives nanoseconds a run.
type Measure = fn(&str, u32) -> Outcome<f64>;

fn per_packet(name: &str, flows: u32, what: &str, measure: Measure) -> Outcome<()> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let empty = empty_program(name, flows)?;
        let ours = measure(name, flows)?;
        rounds.push((ours - empty, ours, empty));
    }
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (beyond, ours, empty) = rounds[ROUNDS / 2];
    let least = rounds[0].0;
    println!(
        "{what}, {flows} flows: {beyond:.0} ns a packet beyond the empty program (median of {ROUNDS}; {ours:.0} against {empty:.0}; least \
         {least:.0})"
    );
    Ok(())
}

fn empty_program(name: &str, flows: u32) -> Outcome<f64> {
    let object = fs_err::read(concat!(env!("CARGO_MANIFEST_DIR"), "/prebuilt/live.bpf.o"))?;
    let mut ebpf = aya::Ebpf::load(&object)?;
    let program: &mut SchedClassifier =
        ebpf.program_mut("fb_nothing").ok_or("the object has no empty program")?.try_into()?;
    program.load()?;
    program.attach(name, TcAttachType::Egress)?;
    send(flows)?;
    let info = program.info()?;
    assert!(info.run_count() >= u64::from(PACKETS));
    Ok(info.run_time().as_nanos() as f64 / info.run_count() as f64)
}

fn meter_program(name: &str, flows: u32) -> Outcome<f64> {
    let mut meter = LiveMeter::attach(&LiveConfig { drops: false, ..LiveConfig::of(name) })?;
    meter.watch_port(9)?;
    send(flows)?;
    let (time_ns, runs) = meter.run_time()?;
    let books = meter.finish(&mut |_| {})?;
    assert!(runs >= u64::from(PACKETS) && books.open() == 0);
    Ok(time_ns as f64 / runs as f64)
}

fn count_program(name: &str, flows: u32) -> Outcome<f64> {
    let mut lookout = Lookout::open(LookoutConfig { interfaces: vec![name.to_owned()], ..LookoutConfig::default() })?;
    let mut is_begun = false;
    lookout.look(&mut |change| is_begun |= matches!(change, Change::Begun { .. }))?;
    assert!(is_begun, "the interface is there");
    lookout.watch(&[Watched::Udp(9)])?;
    send(flows)?;
    let (time_ns, runs) = lookout.run_time()?;
    assert!(runs >= u64::from(PACKETS) && lookout.books()?.accounted >= u64::from(PACKETS));
    Ok(time_ns as f64 / runs as f64)
}

/// One packet again and again, which the kernel measures itself (its loop is in it).
fn in_the_kernels_loop() -> Outcome<()> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0, 0, 128, 0, 0, 0, 0, 64, 17, 0, 0, 10, 98, 0, 1, 10, 98, 0, 2]);
    frame.extend([0x4e, 0x20, 0, 9, 0, 108, 0, 0]);
    frame.resize(142, 0);
    let config = LiveConfig::of("").meter;
    for (what, replay) in [("metering", Replay::timed(&config)), ("counting", Replay::timed_counting(&config))] {
        let mut replay = replay?;
        let mut times = (0..9).map(|_| replay.time_of(&frame, 1_000_000)).collect::<Result<Vec<_>, _>>()?;
        times.sort_unstable();
        println!("{what}, in the kernel's loop: {} ns (median of 9; least {})", times[4], times[0]);
    }
    Ok(())
}

fn send(flows: u32) -> Outcome<()> {
    run("python3", &["-c", SENDER, &flows.to_string(), &PACKETS.to_string()])
}

/// With or without asking the sockets themselves for what they hold.
fn the_loop(name: &str, asks_sockets: bool) -> Outcome<()> {
    let mut meter = LiveMeter::attach(&LiveConfig::of(name))?;
    let sockets: Vec<UdpSocket> = (0..PORTS).map(|_| UdpSocket::bind("10.98.0.1:0")).collect::<Result<_, _>>()?;
    let ports: Vec<u16> = sockets.iter().map(|socket| Ok(socket.local_addr()?.port())).collect::<Outcome<_>>()?;
    for port in &ports {
        meter.watch_port(*port)?;
    }
    let mut since = vec![0; ports.len()];
    let (mut bins, mut drops) = (Vec::new(), Vec::new());
    let mut sum = 0u64;
    let mut round = |meter: &mut LiveMeter| {
        for (place, port) in ports.iter().enumerate() {
            bins.clear();
            since[place] = meter.bins(Row::Port(*port), since[place], &mut bins).next;
            sum += bins.iter().map(|bin| bin.packets).sum::<u64>();
            sum += meter.port_totals(*port).map_or(0, |totals| totals.dropped);
            if asks_sockets {
                sum += u64::from(memory_of(&sockets[place]));
            }
        }
        drops.clear();
        meter.drops(&mut drops);
    };
    round(&mut meter);
    let (began, cpu_before) = (Instant::now(), cpu());
    let mut rounds = 0u32;
    while began.elapsed() < LOOP {
        round(&mut meter);
        rounds += 1;
        std::thread::sleep((TICK * rounds).saturating_sub(began.elapsed()));
    }
    let (took, used) = (began.elapsed(), cpu().saturating_sub(cpu_before));
    println!(
        "the 10 ms loop with {PORTS} {}: {:.2} % of a core ({:.0} us a round, {rounds} rounds; checksum {sum})",
        if asks_sockets { "ports and their sockets" } else { "ports" },
        used.as_secs_f64() / took.as_secs_f64() * 100.0,
        used.as_secs_f64() * 1e6 / f64::from(rounds)
    );
    Ok(())
}

/// What a socket holds (`SO_MEMINFO`, place 0: bytes of receive memory).
fn memory_of(socket: &UdpSocket) -> u32 {
    const SO_MEMINFO: libc::c_int = 55;
    let mut values = [0u32; 9];
    let mut bytes = size_of_val(&values) as libc::socklen_t;
    // SAFETY: nine words and their size are what this option writes.
    let rc = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_MEMINFO, values.as_mut_ptr().cast(), &raw mut bytes)
    };
    assert_eq!(rc, 0);
    values[0]
}

/// CPU time of this process.
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the reference is valid for the call.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn run(program: &str, arguments: &[&str]) -> Outcome<()> {
    let status = Command::new(program).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("{program} {arguments:?}: {status}").into()) }
}
