//! Two network namespaces with a wire (a veth pair) between them: one for what receives and the sidecar, one for the sender.
//!
//! **Promise.** However the proving ground ends, also by SIGKILL, the namespaces go and `net.ipv4.udp_mem` is what it was: a shell that
//! ignores signals waits for the end of a pipe that only we hold, and puts both back.

use std::io;
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where the programs receive (TEST-NET-1, RFC 5737), and where the sender is.
pub(crate) const RECEIVER: &str = "192.0.2.1";
const SENDER: &str = "192.0.2.2";

/// Our end of the wire in each namespace. Addresses of the cards are fixed, so that nobody has to ask for them.
const WIRE: &str = "ground0";
const RECEIVER_CARD: &str = "02:00:00:00:00:01";
const SENDER_CARD: &str = "02:00:00:00:00:02";

const UDP_MEM: &str = "/proc/sys/net/ipv4/udp_mem";
const PAGE_BYTES: u64 = 4_096;

/// What is done at the end, by a program that outlives us.
const PUT_BACK: &str = "trap '' INT TERM HUP; cat >/dev/null; [ -z \"$3\" ] || echo \"$3\" >/proc/sys/net/ipv4/udp_mem; \
                        ip netns del \"$1\"; ip netns del \"$2\"";

/// See the module.
pub(crate) struct Ground {
    sender: String,
    guardian: Child,
}

impl Ground {
    /// Makes the namespaces, sets the limit of the machine if one is given, and moves the calling thread to where programs receive.
    pub(crate) fn enter(udp_mem_bytes: Option<u64>) -> io::Result<Self> {
        let [receiver, sender] = ["r", "s"].map(|end| format!("forebay-ground-{}-{end}", std::process::id()));
        let before = match udp_mem_bytes {
            Some(_) => fs_err::read_to_string(UDP_MEM)?.trim().to_owned(),
            None => String::new(),
        };
        let guardian = Command::new("sh")
            .args(["-c", PUT_BACK, "guardian", &receiver, &sender, &before])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // From here on dropping it puts everything back.
        let ground = Self { sender, guardian };
        if let Some(bytes) = udp_mem_bytes {
            // For UDP the first of the three numbers binds: its sockets know no pressure (`__sk_mem_raise_allocated` in `net/core/sock.c`).
            let pages = bytes / PAGE_BYTES;
            fs_err::write(UDP_MEM, format!("{pages} {pages} {pages}"))?;
        }
        let sender = ground.sender.as_str();
        ip(&["netns", "add", &receiver])?;
        ip(&["netns", "add", sender])?;
        let wire =
            ["-n", &receiver, "link", "add", WIRE, "address", RECEIVER_CARD, "type", "veth", "peer", "name", WIRE];
        ip(&[&wire[..], &["address", SENDER_CARD, "netns", sender]].concat())?;
        for (netns, address, other, card) in
            [(receiver.as_str(), RECEIVER, SENDER, SENDER_CARD), (sender, SENDER, RECEIVER, RECEIVER_CARD)]
        {
            ip(&["-n", netns, "addr", "add", &format!("{address}/30"), "dev", WIRE])?;
            ip(&["-n", netns, "link", "set", WIRE, "up"])?;
            ip(&["-n", netns, "neigh", "replace", other, "lladdr", card, "dev", WIRE, "nud", "permanent"])?;
        }
        go_to(&receiver)?;
        Ok(ground)
    }

    /// Name of the sender's namespace.
    pub(crate) fn sender(&self) -> String {
        self.sender.clone()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

/// Moves the calling thread into the namespace `name`.
pub(crate) fn go_to(name: &str) -> io::Result<()> {
    let namespace = fs_err::File::open(format!("/run/netns/{name}"))?;
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

fn ip(arguments: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim())))
}

/// Datagrams that were read, and those dropped because a limit of a socket was reached, in this thread's namespace so far. Those that
/// `udp_mem` had no room for are in neither (and on Linux 6.18 not in `MemErrors` either), only in the drops of their sockets.
pub(crate) fn counted() -> io::Result<(u64, u64)> {
    let text = fs_err::read_to_string("/proc/thread-self/net/snmp")?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let value = |name: &str| {
        let place = names.split_whitespace().position(|other| other == name);
        place.and_then(|place| values.split_whitespace().nth(place)?.parse().ok()).unwrap_or(0)
    };
    Ok((value("InDatagrams"), value("RcvbufErrors")))
}
