//! Two network namespaces with a cable between them, and programs that send.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static NETWORKS: AtomicU32 = AtomicU32::new(0);

/// `left` has 10.99.0.1, `right` nothing: it takes packets and answers none. IPv6 and ARP are off, so that nothing moves but
/// what a test sends. Both namespaces go when this is dropped.
pub struct Network {
    pub left: String,
    pub right: String,
}

pub const LEFT_IF: &str = "fbl";
pub const RIGHT_IF: &str = "fbr";
pub const RIGHT_IP: &str = "10.99.0.2";

impl Network {
    /// None, loudly, where namespaces cannot be made.
    pub fn new() -> Option<Self> {
        if super::kernel::is_missing() {
            return None;
        }
        let number = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let name = |side: &str| format!("fb-{}-{number}-{side}", std::process::id());
        let network = Self { left: name("l"), right: name("r") };
        if !try_run("ip", &["netns", "add", &network.left]) || !try_run("ip", &["netns", "add", &network.right]) {
            eprintln!("SKIPPED: no network namespace can be made here (ip netns)");
            return None;
        }
        for side in [&network.left, &network.right] {
            for key in ["all", "default"] {
                in_netns(side, &["sysctl", "-qw", &format!("net.ipv6.conf.{key}.disable_ipv6=1")]);
            }
        }
        let (left, right) = (network.left.as_str(), network.right.as_str());
        run("ip", &["-n", left, "link", "add", LEFT_IF, "type", "veth", "peer", "name", RIGHT_IF, "netns", right]);
        for (side, interface) in [(left, LEFT_IF), (right, RIGHT_IF)] {
            run("ip", &["-n", side, "link", "set", interface, "arp", "off", "up"]);
        }
        run("ip", &["-n", left, "addr", "add", "10.99.0.1/24", "dev", LEFT_IF]);
        Some(network)
    }

    /// Gives the right side an address and both a listener's life: TCP and UDP work both ways.
    pub fn with_addresses(self) -> Self {
        run("ip", &["-n", &self.right, "addr", "add", "10.99.0.2/24", "dev", RIGHT_IF]);
        for (side, interface) in [(&self.left, LEFT_IF), (&self.right, RIGHT_IF)] {
            run("ip", &["-n", side, "link", "set", interface, "arp", "on"]);
            run("ip", &["-n", side, "link", "set", "lo", "up"]);
        }
        self
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for side in [&self.left, &self.right] {
            try_run("ip", &["netns", "del", side]);
        }
    }
}

/// What an interface counts, for example `tx_packets`.
pub fn counter(side: &str, interface: &str, name: &str) -> u64 {
    let path = format!("/sys/class/net/{interface}/statistics/{name}");
    in_netns(side, &["cat", &path]).trim().parse().unwrap()
}

/// Runs a program of the test's own, written in Python, in a namespace and on one CPU. It waits for a line on its standard input.
pub fn python(side: &str, cpu: usize, program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", side, "taskset", "-c", &cpu.to_string(), "python3", "-c", program]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

pub fn in_netns(side: &str, command: &[&str]) -> String {
    let output = Command::new("ip").args(["netns", "exec", side]).args(command).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub fn try_run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}
