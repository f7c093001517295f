//! An unmodified receiver for tests and for the proving ground: reads datagrams at a set rate and knows nothing of the sidecar.
//!
//! ```text
//! receiver ADDRESS [DRAIN_PPS] [RCVBUF]     udp (0 packets a second: reads nothing; RCVBUF as for SO_RCVBUF)
//! receiver tcp ADDRESS                      listens, accepts and reads nothing
//! receiver pipe                             holds a pipe and reads nothing
//! ```
//! It says `ready PORT INODE` on a line of its own, and ends when its standard input is closed, with `received N`.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often a paced reader wakes.
const STEP: Duration = Duration::from_millis(1);

/// How long a reader that was kept from reading may catch up.
const SAVED: Duration = Duration::from_millis(20);

static RECEIVED: AtomicU64 = AtomicU64::new(0);

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |place: usize| arguments.get(place).map(String::as_str);
    let number = |place: usize| argument(place).and_then(|text| text.parse().ok()).unwrap_or(0);
    match argument(0) {
        Some("tcp") => {
            let listener = TcpListener::bind(argument(1).unwrap_or("127.0.0.1:0"))?;
            say(listener.local_addr()?.port(), &listener)?;
            thread::spawn(move || {
                let mut held = Vec::new();
                while let Ok((stream, _)) = listener.accept() {
                    held.push(stream);
                }
            });
        }
        Some("pipe") => {
            let (reader, writer) = io::pipe()?;
            say(0, &reader)?;
            // Held to the end of the process.
            std::mem::forget((reader, writer));
        }
        Some(address) => {
            let socket = UdpSocket::bind(address)?;
            if number(2) > 0 {
                rustix::net::sockopt::set_socket_recv_buffer_size(&socket, number(2))?;
            }
            say(socket.local_addr()?.port(), &socket)?;
            let packets_per_s = number(1) as u64;
            thread::spawn(move || drain(&socket, packets_per_s));
        }
        None => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "usage: receiver ADDRESS [DRAIN_PPS] [RCVBUF]"));
        }
    }
    io::stdin().read_to_end(&mut Vec::new())?;
    writeln!(io::stdout(), "received {}", RECEIVED.load(Ordering::Relaxed))
}

fn say(port: u16, file: impl AsFd) -> io::Result<()> {
    let inode = rustix::fs::fstat(file)?.st_ino;
    let mut out = io::stdout();
    writeln!(out, "ready {port} {inode}")?;
    out.flush()
}

/// Reads `packets_per_s` datagrams a second, as long as there are any.
fn drain(socket: &UdpSocket, packets_per_s: u64) {
    let mut datagram = vec![0; 65_536];
    let mut last = Instant::now();
    let mut due = 0.0;
    if socket.set_nonblocking(true).is_err() {
        return;
    }
    loop {
        thread::sleep(STEP);
        let now = Instant::now();
        // What could have been read while nothing was there is saved up for no longer than `SAVED`: a program that was not
        // scheduled for a while may catch up, but not after an idle second.
        due += packets_per_s as f64 * (now - last).as_secs_f64();
        due = due.min(packets_per_s as f64 * SAVED.as_secs_f64());
        last = now;
        while due >= 1.0 && socket.recv(&mut datagram).is_ok() {
            due -= 1.0;
            RECEIVED.fetch_add(1, Ordering::Relaxed);
        }
    }
}
