//! Goal: a lookout counts each packet for a watched port once, on whichever interface it comes in; interfaces come and go and the rest
//! goes on; what it needs after its start is little.
//!
//! Method: network namespaces with a cable between them, programs that send, and what was sent. Needs root and namespaces; says so where
//! it does not run.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

mod support;

use std::time::Duration;

use forebay_ebpf::live::capabilities::{Capability, give_up};
use forebay_ebpf::live::{Arrived, Change, Hook, HookChoice, Lookout, LookoutConfig, Netns, Watched};
use support::network::{self, LEFT_IF, Network, RIGHT_IF, in_netns};

const PORT: Watched = Watched::Udp(7000);

fn config(network: &Network) -> LookoutConfig {
    LookoutConfig { netns: Some(Netns::Name(network.right.clone())), ..LookoutConfig::default() }
}

fn changes(lookout: &mut Lookout) -> Vec<Change> {
    let mut changes = Vec::new();
    lookout.look(&mut |change| changes.push(change)).unwrap();
    changes
}

/// Sends `count` datagrams of 100 bytes from the left side.
fn send(network: &Network, count: usize) {
    let program = format!(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range({count}):\n    s.sendto(b'x' * 100, ('10.99.0.2', 7000))\n"
    );
    in_netns(&network.left, &["python3", "-c", &program]);
}

fn taken(lookout: &mut Lookout) -> Arrived {
    lookout.take(PORT).expect("it is watched")
}

#[test]
fn packets_of_all_interfaces_are_counted_once() {
    let Some(network) = Network::new().map(Network::with_addresses) else { return };
    // A bridge above the cable and a VLAN beside it: what comes by the cable is seen by the bridge as well.
    let side = network.right.as_str();
    let has_bridge = network::try_run("ip", &["-n", side, "link", "add", "fbbr", "type", "bridge"]);
    if has_bridge {
        network::run("ip", &["-n", side, "link", "set", "fbbr", "up"]);
        network::run("ip", &["-n", side, "link", "set", RIGHT_IF, "master", "fbbr"]);
        network::run("ip", &["-n", side, "addr", "del", "10.99.0.2/24", "dev", RIGHT_IF]);
        network::run("ip", &["-n", side, "addr", "add", "10.99.0.2/24", "dev", "fbbr"]);
    } else {
        eprintln!("SKIPPED in part: this kernel has no bridges");
    }
    let mut lookout = Lookout::open(config(&network)).unwrap();
    let begun = changes(&mut lookout);
    let names: Vec<&str> = lookout.interfaces().collect();
    assert_eq!(names, ["lo", if has_bridge { "fbbr" } else { RIGHT_IF }]);
    assert!(begun.contains(&Change::Begun { interface: "lo".to_owned(), hook: Hook::Tcx }), "{begun:?}");
    assert!(lookout.watch(&[PORT, Watched::Tcp(7000)]).unwrap().is_empty());
    send(&network, 1000);
    let program = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range(50): s.sendto(b'y' * 10, ('127.0.0.1', 7000))";
    in_netns(side, &["python3", "-c", program]);
    std::thread::sleep(Duration::from_millis(50));
    let arrived = taken(&mut lookout);
    assert_eq!((arrived.rows.packets, arrived.rows.bytes), (1050, 1000 * 128 + 50 * 38));
    assert_eq!((arrived.rows.new_flows, arrived.rows.syns), (2, 0));
    assert_eq!(taken(&mut lookout), Arrived::default(), "once");
    assert_eq!(lookout.take(Watched::Tcp(7000)), Some(Arrived::default()), "TCP is another port");
    assert_eq!(lookout.take(Watched::Udp(7001)), None);
    let books = lookout.books().unwrap();
    assert_eq!(books.seen, books.accounted + books.lost_total());
}

#[test]
fn an_interface_that_vanishes_is_told_and_counted_again_when_it_is_back() {
    let Some(network) = Network::new().map(Network::with_addresses) else { return };
    let (left, right) = (network.left.clone(), network.right.clone());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut lookout = Lookout::open(config(&network)).unwrap();
            lookout.watch(&[PORT]).unwrap();
            assert_eq!(changes(&mut lookout).len(), 2);
            // Attaching to what comes later needs these no more.
            give_up(&[Capability::Bpf, Capability::Perfmon]).unwrap();
            send(&network, 100);
            network::run("ip", &["-n", &right, "link", "del", RIGHT_IF]);
            assert_eq!(changes(&mut lookout), [Change::Gone { interface: RIGHT_IF.to_owned() }]);
            assert_eq!(taken(&mut lookout).rows.packets, 100, "what was counted stays");
            assert_eq!(lookout.interfaces().collect::<Vec<_>>(), ["lo"]);

            network::run(
                "ip",
                &["-n", &left, "link", "add", LEFT_IF, "type", "veth", "peer", "name", RIGHT_IF, "netns", &right],
            );
            network::run("ip", &["-n", &left, "addr", "add", "10.99.0.1/24", "dev", LEFT_IF]);
            network::run("ip", &["-n", &right, "addr", "add", "10.99.0.2/24", "dev", RIGHT_IF]);
            for (side, name) in [(&left, LEFT_IF), (&right, RIGHT_IF)] {
                network::run("ip", &["-n", side, "link", "set", name, "up"]);
            }
            let back = changes(&mut lookout);
            assert_eq!(back, [Change::Begun { interface: RIGHT_IF.to_owned(), hook: Hook::Tcx }]);
            send(&network, 70);
            std::thread::sleep(Duration::from_millis(50));
            assert_eq!(taken(&mut lookout).rows.packets, 70);
            assert!(changes(&mut lookout).is_empty(), "nothing is told twice");
        });
    });
}

#[test]
fn an_interface_that_is_not_there_is_told_once_and_counted_when_it_comes() {
    let Some(network) = Network::new() else { return };
    let config = LookoutConfig { interfaces: vec![RIGHT_IF.to_owned(), "later0".to_owned()], ..config(&network) };
    let mut lookout = Lookout::open(config).unwrap();
    let first = changes(&mut lookout);
    assert!(first.contains(&Change::Missing { interface: "later0".to_owned() }) && first.len() == 2, "{first:?}");
    network::run("ip", &["-n", &network.right, "link", "add", "later0", "type", "veth", "peer", "name", "later1"]);
    assert!(changes(&mut lookout).is_empty(), "it is not up yet");
    network::run("ip", &["-n", &network.right, "link", "set", "later0", "up"]);
    assert_eq!(changes(&mut lookout), [Change::Begun { interface: "later0".to_owned(), hook: Hook::Tcx }]);
}

#[test]
fn clsact_serves_where_tcx_is_not_to_be_had() {
    let Some(network) = Network::new().map(Network::with_addresses) else { return };
    let config = LookoutConfig { hook: HookChoice::Clsact, interfaces: vec![RIGHT_IF.to_owned()], ..config(&network) };
    let mut lookout = Lookout::open(config).unwrap();
    match &changes(&mut lookout)[..] {
        [Change::Begun { interface, hook: Hook::Clsact }] if interface == RIGHT_IF => {}
        [Change::Refused { reason, .. }] => {
            eprintln!("SKIPPED: this kernel has no clsact filters: {reason}");
            return;
        }
        other => panic!("{other:?}"),
    }
    assert!(lookout.notes().iter().any(|note| note.contains("clsact, not tcx")), "{:?}", lookout.notes());
    lookout.watch(&[PORT]).unwrap();
    send(&network, 30);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(taken(&mut lookout).rows.packets, 30);
    drop(lookout);
    let filters = in_netns(&network.right, &["tc", "filter", "show", "dev", RIGHT_IF, "ingress"]);
    assert!(filters.is_empty(), "a lookout that ends takes its filters off: {filters}");
}

#[test]
fn ports_come_and_go_and_too_many_are_told() {
    let Some(network) = Network::new().map(Network::with_addresses) else { return };
    let mut lookout = Lookout::open(LookoutConfig { ports_max: 2, ..config(&network) }).unwrap();
    changes(&mut lookout);
    let left = lookout.watch(&[PORT, Watched::Udp(1), Watched::Udp(2)]).unwrap();
    assert_eq!(left, [Watched::Udp(2)]);
    send(&network, 5);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(taken(&mut lookout).rows.packets, 5);
    lookout.watch(&[Watched::Udp(1), Watched::Udp(2)]).unwrap();
    assert_eq!((lookout.take(PORT), lookout.take(Watched::Udp(2))), (None, Some(Arrived::default())));
    lookout.watch(&[PORT]).unwrap();
    assert_eq!(taken(&mut lookout), Arrived::default(), "a place is empty for who comes next");
}
