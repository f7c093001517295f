//! Sends what is due, from a namespace of its own.

use std::io;
use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use crate::arrivals::Arrival;
use crate::ground::{RECEIVER, go_to};

/// How often the sender wakes; what is due by then goes out back to back.
const STEP: Duration = Duration::from_micros(500);

/// Sends all of it; how many datagrams went to each port. Moves the calling thread into the namespace `netns`.
pub(crate) fn send(arrivals: &[Arrival], datagram: &[u8], ports: &[u16], netns: &str) -> io::Result<Vec<u64>> {
    go_to(netns)?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let to: Vec<std::net::SocketAddr> = ports
        .iter()
        .map(|port| format!("{RECEIVER}:{port}").parse())
        .collect::<Result<_, _>>()
        .map_err(io::Error::other)?;
    let mut sent = vec![0; ports.len()];
    let start = Instant::now();
    let mut rest = arrivals;
    while !rest.is_empty() {
        let now = start.elapsed();
        let due = rest.partition_point(|arrival| arrival.due <= now);
        for arrival in &rest[..due] {
            socket.send_to(datagram, to[arrival.receiver])?;
            sent[arrival.receiver] += 1;
        }
        rest = &rest[due..];
        thread::sleep(STEP);
    }
    Ok(sent)
}
