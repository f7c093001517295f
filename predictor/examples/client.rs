//! A program that sizes its own receive buffer by the sidecar's recommendations.
//!
//! ```text
//! client /run/forebay/sidecar.sock 127.0.0.1:514      with the target `port:514 mode=advise`
//! ```
use std::io::{self, BufRead as _, BufReader};
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::thread;

use rustix::net::sockopt::{set_socket_recv_buffer_size, socket_recv_buffer_size};
use serde::Deserialize;

/// The members of a line that this program wants; others are passed over.
#[derive(Deserialize)]
struct Recommendation {
    port: u16,
    recommended_bytes: usize,
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "/run/forebay/sidecar.sock".to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let socket = UdpSocket::bind(address)?;
    let port = socket.local_addr()?.port();
    let reader = socket.try_clone()?;
    thread::spawn(move || while reader.recv(&mut [0; 4_096]).is_ok() {});
    for line in BufReader::new(UnixStream::connect(path)?).lines() {
        let recommendation: Recommendation = serde_json::from_str(&line?)?;
        if recommendation.port == port {
            // The kernel doubles what it is given, and the recommendation is of what it then has.
            set_socket_recv_buffer_size(&socket, recommendation.recommended_bytes / 2)?;
            println!("port {port}: {} bytes", socket_recv_buffer_size(&socket)?);
        }
    }
    Ok(())
}
