//! Goal: a gauge says of each socket in hand what `SO_MEMINFO` says of it, in any namespace, as long as the socket lives; and it keeps
//! none of them alive.
//!
//! Method: sockets of this process and of a child, datagrams that wait, that are dropped and that are taken. Needs root; says so where it
//! does not run.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do
#![allow(unsafe_code)] // sockets are asked as the kernel asks for

mod support;

use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd as _};
use std::time::{Duration, Instant};

use forebay_ebpf::live::capabilities::keep_only;
use forebay_ebpf::live::{Gauge, Held};

fn read(gauge: &mut Gauge) -> BTreeMap<u64, Held> {
    let mut all = BTreeMap::new();
    gauge.read(&mut |held| assert!(all.insert(held.id, held).is_none(), "each once")).unwrap();
    all
}

/// What the kernel says of a socket when it is asked itself (`SO_MEMINFO`).
fn asked(id: u64, socket: impl AsFd) -> Held {
    let mut words = [0_u32; 9];
    let mut bytes = size_of_val(&words) as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: nine words and their size are what this option writes.
    let rc =
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_MEMINFO, words.as_mut_ptr().cast(), &raw mut bytes) };
    assert_eq!(rc, 0);
    Held { id, queued_bytes: words[0], limit_bytes: words[1], drops: words[8] }
}

#[test]
fn it_says_what_each_socket_says_itself() {
    if support::kernel::is_missing() {
        return;
    }
    let mut gauge = Gauge::open().unwrap();
    assert!(read(&mut gauge).is_empty());
    let receivers: Vec<UdpSocket> = (0..2_000).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for (id, receiver) in receivers.iter().enumerate() {
        gauge.hold(receiver.as_fd(), id as u64).unwrap();
    }
    gauge.hold(listener.as_fd(), 1 << 40).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    // Some wait in one socket, more than fit in another.
    for (place, count) in [(3, 10), (7, 2_000)] {
        let to = receivers[place].local_addr().unwrap();
        (0..count).for_each(|_| assert_eq!(sender.send_to(&[1; 100], to).unwrap(), 100));
    }
    let all = read(&mut gauge);
    assert_eq!(all.len(), 2_001, "more than one reading of the kernel's takes");
    for (id, receiver) in receivers.iter().enumerate() {
        assert_eq!(all[&(id as u64)], asked(id as u64, receiver));
    }
    assert_eq!(all[&(1 << 40)], asked(1 << 40, &listener));
    assert!(all[&3].queued_bytes > 1_000 && all[&3].drops == 0, "{:?}", all[&3]);
    assert!(all[&7].drops > 1_000 && all[&7].queued_bytes > 100_000, "{:?}", all[&7]);
    let mut datagram = [0; 200];
    (0..10).for_each(|_| assert_eq!(receivers[3].recv(&mut datagram).unwrap(), 100));
    assert_eq!(read(&mut gauge)[&3].queued_bytes, 0);
}

#[test]
fn a_socket_that_is_closed_or_let_go_is_gone() {
    if support::kernel::is_missing() {
        return;
    }
    let mut gauge = Gauge::open().unwrap();
    let sockets: Vec<UdpSocket> = (0..3).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for (id, socket) in sockets.iter().enumerate() {
        gauge.hold(socket.as_fd(), id as u64).unwrap();
    }
    gauge.hold(sockets[1].as_fd(), 11).unwrap();
    assert!(gauge.let_go(sockets[2].as_fd()) && !gauge.let_go(sockets[2].as_fd()));
    assert_eq!(read(&mut gauge).into_keys().collect::<Vec<_>>(), [0, 11]);
    let address = sockets[0].local_addr().unwrap();
    drop(sockets);
    UdpSocket::bind(address).expect("its port is free");
    // The kernel frees a socket when nobody can be looking at it any more, some milliseconds later.
    let began = Instant::now();
    while !read(&mut gauge).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "closed sockets stay");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn reading_and_holding_need_no_privilege_once_it_is_open() {
    if support::kernel::is_missing() {
        return;
    }
    std::thread::spawn(|| {
        let mut gauge = Gauge::open().unwrap();
        keep_only(&[]).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        gauge.hold(socket.as_fd(), 5).unwrap();
        assert_eq!(read(&mut gauge)[&5], asked(5, &socket));
        assert!(Gauge::open().unwrap_err().to_string().contains("missing CAP_BPF, CAP_PERFMON"));
    })
    .join()
    .unwrap();
}
