//! Goal: on real captures the meter sees what Wireshark's dissectors see: the same packets, times, lengths and ports; and
//! every packet it does not meter has a reason that Wireshark bears out.
//!
//! Method: each capture of `../shared/data/pcaps` goes frame by frame through our reader and parser, and through `tshark` with
//! defragmentation off. The outermost IP header that tshark names must be the one we took. Then the capture goes through the
//! meter, and its events must add up to the packets and bytes of the frames accepted.
//!
//! Skipped, loudly, where the captures or tshark are not there.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use forebay_ebpf::capture::Capture;
use forebay_ebpf::{CaptureSource, MeterConfig, Packet, Reject};
use forebay_event::feature;

const FIELDS: [&str; 11] = [
    "frame.number",
    "frame.time_epoch",
    "frame.protocols",
    "ip.len",
    "ipv6.plen",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "tcp.flags",
    "frame.cap_len",
];

/// What tshark says of one frame.
#[derive(Debug)]
struct Dissected {
    time_us: i64,
    /// Of the outermost IP header.
    ip_bytes: Option<u32>,
    tcp: Option<(u16, u16)>,
    udp: Option<(u16, u16)>,
    flags: Option<u16>,
    protocols: String,
}

#[test]
fn every_frame_is_what_tshark_says() {
    let Some(captures) = captures() else { return };
    let differences = Mutex::new(Vec::new());
    let counters: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());
    let queue = Mutex::new(captures);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(path) = queue.lock().unwrap().pop() else { return };
                    let (found, counted) = compare(&path);
                    differences.lock().unwrap().extend(found);
                    for (name, count) in counted {
                        *counters.lock().unwrap().entry(name).or_default() += count;
                    }
                }
            });
        }
    });
    for (name, count) in counters.into_inner().unwrap() {
        println!("{name} {count}");
    }
    let differences = differences.into_inner().unwrap();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn captures() -> Option<Vec<PathBuf>> {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("SKIPPED: tshark is not installed, so that no capture was compared with it");
        return None;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/pcaps");
    let Ok(entries) = fs_err::read_dir(&folder) else {
        eprintln!("SKIPPED: ../shared/data/pcaps is absent, so that no capture was compared with tshark");
        return None;
    };
    let is_capture = |path: &PathBuf| path.to_string_lossy().ends_with(".gz");
    Some(entries.map(|entry| entry.unwrap().path()).filter(is_capture).collect())
}

type Counted = BTreeMap<&'static str, u64>;

fn compare(path: &Path) -> (Vec<String>, Counted) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let dissected = dissect(path);
    let mut capture = Capture::new(Box::new(fs_err::File::open(path).unwrap())).unwrap();
    let mut differences = Vec::new();
    let (mut number, mut accepted, mut bytes) = (0, 0u64, 0u64);
    let mut differ = |number: u64, what: String| differences.push(format!("{name} frame {number}: {what}"));
    while capture.advance().unwrap() {
        number += 1;
        let frame = capture.frame();
        let Some(theirs) = dissected.get(&number) else {
            differ(number, "not seen by tshark".to_owned());
            continue;
        };
        if frame.time_us != theirs.time_us && !frame.time_missing {
            differ(number, format!("time {} against {}", frame.time_us, theirs.time_us));
        }
        match Packet::parse(frame.link_type, frame.data, frame.wire_bytes) {
            Ok(packet) => {
                accepted += 1;
                bytes += u64::from(packet.ip_bytes());
                for what in check_packet(&packet, theirs) {
                    differ(number, what);
                }
            }
            Err(reject) if is_borne_out(reject, theirs) => {}
            Err(reject) => differ(number, format!("{reject:?} but tshark says {}", theirs.protocols)),
        }
    }
    if number != dissected.len() as u64 {
        differ(number, format!("tshark has {} frames", dissected.len()));
    }
    let run = support::run::drain(CaptureSource::open_path(path, MeterConfig::default()).unwrap());
    for what in totals(&run, number, accepted, bytes) {
        differ(number, what);
    }
    (differences, run.counters)
}

fn check_packet(packet: &Packet, theirs: &Dissected) -> Vec<String> {
    let mut differences = Vec::new();
    // An IP length of 0 (segmentation offload) is shown by tshark as the length of the frame.
    if Some(packet.ip_bytes()) != theirs.ip_bytes {
        differences.push(format!("{} bytes against {:?} in {}", packet.ip_bytes(), theirs.ip_bytes, theirs.protocols));
    }
    let ports = Some((packet.src_port(), packet.dst_port()));
    let is_tcp = packet.protocol() == 6 && !packet.is_later_fragment();
    let same_flags = Some(u16::from(packet.tcp_flags())) == theirs.flags.map(|flags| flags & 0xff);
    if is_tcp && (ports != theirs.tcp || !same_flags) {
        differences.push(format!("TCP {packet:?} against {theirs:?}"));
    }
    if packet.protocol() == 17 && !packet.is_later_fragment() && ports != theirs.udp {
        differences.push(format!("UDP {packet:?} against {theirs:?}"));
    }
    differences
}

/// Whether tshark, too, finds no IP, or says that the header is wrong or cut off.
fn is_borne_out(reject: Reject, theirs: &Dissected) -> bool {
    match reject {
        Reject::NotIp | Reject::UnsupportedLink | Reject::BadLinkHeader => theirs.ip_bytes.is_none(),
        _ => true,
    }
}

/// The events of the capture hold what was accepted, and the counters the rest.
fn totals(run: &support::run::Run, frames: u64, accepted: u64, bytes: u64) -> Vec<String> {
    let sum = |places: [usize; 2]| -> f64 {
        run.events.iter().map(|event| event.features.0[places[0]] + event.features.0[places[1]]).sum()
    };
    let orphans = run.counters[Reject::FragmentWithoutFirst.counter()];
    let rejected: u64 = Reject::ALL.iter().map(|reject| run.counters[reject.counter()]).sum();
    let packets_in_events = sum([feature::SPKTS, feature::DPKTS]);
    let bytes_in_events = sum([feature::SBYTES, feature::DBYTES]);
    let mut differences = Vec::new();
    if run.failure.is_some() {
        differences.push(format!("ended with {:?}", run.failure));
    }
    if run.counters["packets_read"] != frames || run.counters["packets_accepted"] + rejected != frames {
        differences.push(format!("counters do not add up to {frames} frames: {:?}", run.counters));
    }
    if packets_in_events != (accepted - orphans) as f64 || packets_in_events != run.counters["packets_accepted"] as f64
    {
        differences.push(format!("{packets_in_events} packets in events, {accepted} accepted, {orphans} orphans"));
    }
    if bytes_in_events != run.counters["bytes_accepted"] as f64 || (orphans == 0 && bytes_in_events != bytes as f64) {
        differences.push(format!("{bytes_in_events} bytes in events, {bytes} accepted"));
    }
    differences
}

fn dissect(path: &Path) -> BTreeMap<u64, Dissected> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-T", "fields"]);
    command.args(["-E", "occurrence=f", "-E", "separator=;"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.arg("-r").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(dissected_of).collect()
}

fn dissected_of(line: &str) -> (u64, Dissected) {
    let fields: Vec<&str> = line.split(';').collect();
    let number = |place: usize| fields[place].parse::<u32>().ok();
    let pair = |a: usize, b: usize| Some((number(a)? as u16, number(b)? as u16));
    let outermost = fields[2].split(':').find(|name| matches!(*name, "ip" | "ipv6"));
    let (seconds, nanoseconds) = fields[1].split_once('.').unwrap();
    let dissected = Dissected {
        // A record that claims more than a second of microseconds is shown with ten digits.
        time_us: seconds.parse::<i64>().unwrap() * 1_000_000 + nanoseconds.parse::<i64>().unwrap() / 1000,
        ip_bytes: match outermost {
            Some("ip") => number(3),
            Some(_) => number(4).map(|bytes| bytes + 40),
            None => None,
        },
        tcp: pair(5, 6),
        udp: pair(7, 8),
        flags: u16::from_str_radix(fields[9].trim_start_matches("0x"), 16).ok(),
        protocols: fields[2].to_owned(),
    };
    (fields[0].parse().unwrap(), dissected)
}
