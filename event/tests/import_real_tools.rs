//! Promise: what nfdump and Suricata really print of a capture is read, all of it.
//!
//! Method: where the tools are installed, they are run over captures under `../shared/data/pcaps`; every flow they print is
//! one event, none is rejected, and the packets add up. Skipped, loudly, where a tool or the captures are missing.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use forebay_event::feature::{DPKTS, SPKTS};
use forebay_event::import::{self, Detection, Format};
use forebay_event::source::Item;
use forebay_event::{Event, Verdict};

const CAPTURES: &[&str] =
    &["ndpi__443-curl.pcap", "ndpi__icmp-tunnel.pcap", "zeek__communityid_icmp6.pcap", "ndpi__bacnet.pcap"];

/// The captures that are there, unpacked into `folder`.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/pcaps");
    let mut unpacked = Vec::new();
    for name in CAPTURES {
        let Ok(file) = fs_err::File::open(from.join(format!("{name}.gz"))) else { continue };
        let mut bytes = Vec::new();
        flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        fs_err::write(folder.join(name), bytes).unwrap();
        unpacked.push(folder.join(name));
    }
    if unpacked.is_empty() {
        eprintln!("SKIPPED: there are no captures in {}", from.display());
    }
    unpacked
}

/// Whether `tool` can be run; says so if it cannot.
fn installed(tool: &str) -> bool {
    let there = Command::new(tool).arg("-V").output().is_ok();
    if !there {
        eprintln!("SKIPPED: {tool} is not installed");
    }
    there
}

fn read(bytes: Vec<u8>, format: Format) -> Vec<Event> {
    let input = import::decompress("tool", Box::new(Cursor::new(bytes)), None).unwrap();
    assert_eq!(import::detect(input.head()), Detection::Events(format));
    let mut source = import::open_input(input).unwrap();
    let (mut event, mut events) = (Event::default(), Vec::new());
    loop {
        match source.read(&mut event).unwrap() {
            Item::Event => events.push(event.clone()),
            Item::Rejected(rejection) => {
                panic!("{}: {:?}", rejection.reason, String::from_utf8_lossy(&rejection.bytes))
            }
            Item::End => return events,
        }
    }
}

#[test]
fn nfdump() {
    if !installed("nfdump") || !installed("nfpcapd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for capture in captures(folder.path()) {
        let flows = capture.with_extension("flows");
        fs_err::create_dir(&flows).unwrap();
        let run = Command::new("nfpcapd").arg("-r").arg(&capture).arg("-l").arg(&flows).output().unwrap();
        assert!(run.status.success(), "{run:?}");
        let mut nfdump = Command::new("nfdump");
        let printed = nfdump.env("TZ", "UTC").arg("-R").arg(&flows).args(["-q", "-o", "json"]).output().unwrap().stdout;
        let text = String::from_utf8(printed.clone()).unwrap();
        let events = read(printed, Format::NfdumpJson);
        assert_eq!(events.len(), text.matches("\"type\"").count(), "{}", capture.display());
        let packets: f64 = events.iter().map(|event| event.features.0[SPKTS]).sum();
        let printed_packets: f64 = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("\"in_packets\" : "))
            .map(|number| number.trim_end_matches(',').parse::<f64>().unwrap())
            .sum();
        assert_eq!(packets, printed_packets);
        eprintln!("{}: {} flows, {packets} packets", capture.display(), events.len());
    }
}

#[test]
fn suricata() {
    if !installed("suricata") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for capture in captures(folder.path()) {
        let logs = capture.with_extension("logs");
        fs_err::create_dir(&logs).unwrap();
        let mut suricata = Command::new("suricata");
        suricata.arg("-r").arg(&capture).arg("-l").arg(&logs).args(["-S", "/dev/null", "-k", "none"]);
        let run = suricata.output().unwrap();
        let Ok(printed) = fs_err::read(logs.join("eve.json")) else {
            eprintln!("SKIPPED: suricata wrote no eve.json: {}", String::from_utf8_lossy(&run.stderr));
            return;
        };
        let text = String::from_utf8(printed.clone()).unwrap();
        let events = read(printed, Format::SuricataEve);
        assert_eq!(events.len(), text.matches("\"event_type\":\"flow\"").count());
        for event in &events {
            assert!(event.features.0[SPKTS] + event.features.0[DPKTS] >= 1.0);
            assert_ne!(event.class.verdict, Some(Verdict::Malicious), "no rules were loaded");
        }
        let hosts: Vec<_> = events.iter().filter_map(|event| event.app.host.as_deref()).collect();
        eprintln!("{}: {} flows, hosts {hosts:?}", capture.display(), events.len());
    }
}
