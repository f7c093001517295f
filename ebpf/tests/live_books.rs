//! Goal: the books balance, always: packets sent = packets in events + packets counted lost, by reason, however small the table,
//! on two CPUs at once, and each event has what its packets were.
//!
//! Method: two senders, one on each CPU, send 600,000 datagrams into a cable between two network namespaces; the sender's own count and
//! that of the interface are what the meter must have seen. Needs root and namespaces; says so where it does not run.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::process::Child;
use std::time::Duration;

use forebay_ebpf::live::{Bin, Books, Hook, LiveConfig, LiveMeter, Netns, Row, RowTotals};
use forebay_event::{Event, feature as f};
use support::network::{self, LEFT_IF, Network};

const DATAGRAMS: u64 = 600_000;
/// Packets that may be missing in bins on a machine whose processors are shared.
const LATE_MAX: u64 = 20;

/// Sends `count` datagrams from its own source ports to ports in turn, and prints how many the kernel took.
const SENDER: &str = r#"
import socket, sys
count, first, sources, ports = map(int, sys.argv[1:5])
sockets = []
for n in range(sources):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("10.99.0.1", first + n))
    sockets.append(s)
sys.stdin.readline()
sent = 0
payload = b"x" * 100
for n in range(count):
    sent += sockets[n % sources].sendto(payload, ("10.99.0.2", 1 + (n // sources) % ports)) == 100
print(sent)
"#;

fn config(network: &Network, flows_max: usize) -> LiveConfig {
    let mut config = LiveConfig::of(LEFT_IF);
    config.netns = Some(Netns::Name(network.left.clone()));
    config.meter.flows_max = flows_max;
    config
}

/// What two senders sent, what was exported meanwhile, and the books afterwards.
struct Outcome {
    sent: u64,
    events: Vec<Event>,
    books: Books,
    arrivals: Vec<Bin>,
    /// What arrived in all, bins or not.
    totals: RowTotals,
}

/// Each sender has `sources` ports of its own, or both have the same ones, and sends to `ports` ports.
fn two_cpus(network: &Network, flows_max: usize, are_shared: bool, sources: u32, ports: u32) -> Outcome {
    let mut meter = LiveMeter::attach(&config(network, flows_max)).unwrap();
    assert_eq!((meter.hook(), meter.notes()), (Hook::Tcx, &[][..]));
    let before = network::counter(&network.left, LEFT_IF, "tx_packets");
    let mut senders: Vec<Child> = (0..2u32)
        .map(|cpu| {
            let arguments = [DATAGRAMS as u32 / 2, 10_000 + if are_shared { 0 } else { 1000 * cpu }, sources, ports]
                .map(|n| n.to_string());
            network::python(&network.left, cpu as usize, SENDER, &arguments.each_ref().map(String::as_str))
        })
        .collect();
    for sender in &mut senders {
        sender.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let (mut events, mut arrivals, mut since, mut missed) = (Vec::new(), Vec::new(), 0, 0);
    while senders.iter_mut().any(|sender| sender.try_wait().unwrap().is_none()) {
        meter.poll_events(&mut |event| events.push(event.clone())).unwrap();
        let progress = meter.bins(Row::Egress, since, &mut arrivals);
        (since, missed) = (progress.next, missed + progress.missed);
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(20));
    meter.bins(Row::Egress, since, &mut arrivals);
    assert_eq!(missed, 0, "bins that had left the ring before they were read");
    let sent = senders
        .iter_mut()
        .map(|sender| {
            let mut said = String::new();
            sender.stdout.take().unwrap().read_to_string(&mut said).unwrap();
            said.trim().parse::<u64>().unwrap()
        })
        .sum();
    let totals = meter.row_totals(Row::Egress).unwrap();
    let books = meter.finish(&mut |event| events.push(event.clone())).unwrap();
    let counted = network::counter(&network.left, LEFT_IF, "tx_packets") - before;
    assert_eq!(counted, sent, "the interface's own count");
    Outcome { sent, events, books, arrivals, totals }
}

fn assert_balance(outcome: &Outcome) {
    let Outcome { sent, events, books, .. } = outcome;
    assert_eq!(*sent, DATAGRAMS);
    assert_eq!(books.seen, DATAGRAMS, "every packet was seen");
    assert_eq!(books.open(), 0, "{books:?}");
    assert_eq!(books.exported + books.lost_total(), DATAGRAMS, "{books:?}");
    let packets: f64 = events.iter().map(|event| event.features.0[f::SPKTS] + event.features.0[f::DPKTS]).sum();
    assert_eq!(packets as u64, books.exported, "what the events say themselves");
    assert_eq!(events.len() as u64, books.events);
    let bytes: f64 = events.iter().map(|event| event.features.0[f::SBYTES]).sum();
    assert_eq!(bytes as u64, books.exported * 128, "100 bytes and two headers each");
    let ids: HashSet<_> = events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids.len(), events.len(), "identifiers are apart");
}

#[test]
fn with_room_for_all_every_packet_is_in_an_event() {
    let Some(network) = Network::new() else { return };
    // 2 x 20 x 1,000 flows of 15 packets, in a table that they fill by less than two thirds.
    let outcome = two_cpus(&network, 65_536, false, 20, 1_000);
    assert_balance(&outcome);
    assert_eq!(outcome.books.exported, DATAGRAMS, "{:?}", outcome.books);
    assert_eq!(outcome.books.flows_begun, 40_000);
    assert!(outcome.events.iter().all(|event| event.features.0[f::SPKTS] == 15.0));
    let (packets, bytes, flows) = outcome.arrivals.iter().fold((0, 0, 0), |(packets, bytes, flows), bin| {
        (packets + bin.packets, bytes + bin.bytes, flows + u64::from(bin.new_flows))
    });
    // A processor that is taken away between reading the clock and counting is too late for a millisecond that was read.
    let late = DATAGRAMS.checked_sub(packets).expect("no packet is in two bins");
    assert!(late <= LATE_MAX && flows + late >= 40_000, "{late} packets and {flows} flows of the bins");
    assert_eq!(bytes, packets * 128, "what is in the bins is there whole");
    let totals = outcome.totals;
    assert_eq!(
        (totals.packets, totals.bytes, totals.new_flows),
        (DATAGRAMS, DATAGRAMS * 128, 40_000),
        "totals have all"
    );
    eprintln!("{late} of {DATAGRAMS} packets came too late for their bins");
    assert!(
        outcome.arrivals.windows(2).all(|pair| pair[1].tick == pair[0].tick + 1),
        "every millisecond once, in order"
    );
}

#[test]
fn under_pressure_what_is_not_in_an_event_is_counted() {
    let Some(network) = Network::new() else { return };
    // 2 x 50 x 2,000 flows of three packets through a table of 2,048.
    let outcome = two_cpus(&network, 2_048, false, 50, 2_000);
    assert_balance(&outcome);
    let books = &outcome.books;
    eprintln!("exported {}, lost {:?}, evicted {}", books.exported, books.lost, books.flows_evicted);
    assert!(books.flows_evicted > 10_000, "flows idle for longest made room: {}", books.flows_evicted);
    let table_full = Books::LOST.iter().position(|name| *name == "packets_table_full").unwrap();
    assert!(books.lost[table_full] > 0, "the table was too small for this");
    assert_eq!(books.lost_total() - books.lost[table_full] - books.lost[table_full + 1], 0, "nothing else was lost");
}

#[test]
fn two_cpus_on_one_flow_lose_nothing() {
    let Some(network) = Network::new() else { return };
    // Both send from the same port to the same port: one flow, whose lock is taken 600,000 times from both sides.
    let outcome = two_cpus(&network, 1_024, true, 1, 1);
    assert_balance(&outcome);
    assert_eq!((outcome.events.len(), outcome.books.exported), (1, DATAGRAMS), "{:?}", outcome.books);
    let event = &outcome.events[0];
    assert_eq!(event.features.0[f::SPKTS], 600_000.0);
    assert_eq!((event.features.0[f::FWD_LEN_TOT], event.features.0[f::FWD_LEN_STD]), (60_000_000.0, 0.0));
}
