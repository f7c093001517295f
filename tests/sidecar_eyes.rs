//! Goal: the sidecar shows what arrives, counted by the kernel: exactly what was sent, in a namespace that a target names; an interface that
//! vanishes is told and counted, and counted on again when it is back; without the privileges it says what is missing and sizes
//! buffers all the same.
//!
//! Method: the built program, two network namespaces with a cable between them, receivers and senders in Python, `/metrics` and
//! `--once --json` as a user reads them. Needs root and namespaces; says so where it does not run.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

const PORT: u16 = 7000;
const IN: &str = "fbin";
const OUT: &str = "fbout";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Two namespaces with a cable, 10.97.0.1 to 10.97.0.2; they go when this is dropped.
struct Cable {
    left: String,
    right: String,
}

impl Cable {
    /// None, loudly, where it cannot be made.
    fn new() -> Option<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = |side: &str| format!("fbe-{}-{number}-{side}", std::process::id());
        let cable = Self { left: name("l"), right: name("r") };
        let is_made = [&cable.left, &cable.right].iter().all(|side| try_run("ip", &["netns", "add", side]));
        if !is_made || !Path::new("/sys/kernel/btf/vmlinux").exists() {
            eprintln!("SKIPPED: needs root, `ip netns` and a kernel with BTF");
            return None;
        }
        cable.lay();
        Some(cable)
    }

    fn lay(&self) {
        let (left, right) = (self.left.as_str(), self.right.as_str());
        run("ip", &["-n", left, "link", "add", OUT, "type", "veth", "peer", "name", IN, "netns", right]);
        for (side, interface, address) in [(left, OUT, "10.97.0.1/24"), (right, IN, "10.97.0.2/24")] {
            run("ip", &["-n", side, "addr", "add", address, "dev", interface]);
            run("ip", &["-n", side, "link", "set", interface, "up"]);
        }
    }

    /// Sends `count` datagrams of 100 bytes at a pace that a reader keeps up with.
    fn send(&self, count: u32) {
        let program = format!(
            "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range({count}):\n    s.sendto(b'x' * 100, ('10.97.0.2', {PORT}))\n    if n % 20 == 0: time.sleep(0.002)\n"
        );
        run("nsenter", &[&format!("--net=/run/netns/{}", self.left), "python3", "-c", &program]);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for side in [&self.left, &self.right] {
            try_run("ip", &["netns", "del", side]);
        }
    }
}

fn try_run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A child that is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads datagrams in the right namespace and says so when its socket is there.
fn receiver(cable: &Cable) -> Running {
    let program = format!(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('10.97.0.2', {PORT}))\nprint('ready', flush=True)\nwhile True: s.recv(2000)\n"
    );
    let mut child = Command::new("nsenter")
        .args([&format!("--net=/run/netns/{}", cable.right), "python3", "-c", &program])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    Running(child)
}

fn sidecar(folder: &Path, listen: &str, arguments: &[&str], before: &[&str]) -> Command {
    let forebay = env!("CARGO_BIN_EXE_forebay");
    let words: Vec<&str> =
        before.iter().copied().chain([forebay, "sidecar"]).chain(arguments.iter().copied()).collect();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .arg("--config")
        .arg(folder.join("forebay.toml"))
        .env("FOREBAY_LOG_LEVEL", "warn")
        .env("FOREBAY_SIDECAR_LISTEN", listen)
        .env("FOREBAY_SIDECAR_SOCKET", "")
        .env("FOREBAY_SIDECAR_STATE_FILE", folder.join("state.json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn configure(folder: &Path, targets: &str) {
    let text = format!("[sidecar]\nbudget_bytes = 8388608\ntargets = \"{targets}\"\n");
    fs_err::write(folder.join("forebay.toml"), text).unwrap();
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// One sample of `/metrics`; none while there is no answer.
fn metric(address: &str, series: &str) -> Option<u64> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse::<f64>().ok()).map(|value| value as u64)
}

/// Waits until the sample is `value`.
fn becomes(address: &str, series: &str, value: u64) {
    let start = Instant::now();
    while metric(address, series) != Some(value) {
        assert!(start.elapsed() < Duration::from_secs(15), "{series}: {:?} and not {value}", metric(address, series));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_arrives_is_what_was_sent_also_after_the_interface_was_away() {
    let Some(cable) = Cable::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let _receiver = receiver(&cable);
    configure(folder.path(), &format!("port:{PORT} name=flows netns={}", cable.right));
    let address = free_address();
    let mut running = Running(sidecar(folder.path(), &address, &[], &[]).spawn().unwrap());
    let packets = "forebay_sidecar_arrived_packets_total{target=\"flows\"}";
    becomes(&address, "forebay_sidecar_buffers{target=\"flows\"}", 1);
    let interfaces = metric(&address, "forebay_sidecar_eyes_interfaces").unwrap();
    assert!(interfaces >= 2, "ours and the cable's: {interfaces}");
    cable.send(5_000);
    becomes(&address, packets, 5_000);
    becomes(&address, "forebay_sidecar_new_flows_total{target=\"flows\"}", 1);
    assert_eq!(metric(&address, "forebay_sidecar_dropped_packets_total{target=\"flows\"}"), Some(0));

    run("ip", &["-n", &cable.right, "link", "del", IN]);
    becomes(&address, "forebay_sidecar_eyes_changes_total{event=\"gone\"}", 1);
    assert_eq!(metric(&address, packets), Some(5_000));
    cable.lay();
    becomes(&address, "forebay_sidecar_eyes_interfaces", interfaces);
    cable.send(300);
    becomes(&address, packets, 5_300);

    try_run("kill", &["-TERM", &running.0.id().to_string()]);
    assert!(running.0.wait().unwrap().success());
    let mut told = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(told.matches("an interface has gone").count(), 1, "{told}");
}

#[test]
fn one_look_shows_what_arrives_meanwhile() {
    let Some(cable) = Cable::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let _receiver = receiver(&cable);
    configure(folder.path(), &format!("port:{PORT} netns={}", cable.right));
    let look = sidecar(folder.path(), "127.0.0.1:0", &["--once", "--json"], &[]).spawn().unwrap();
    // For longer than the look takes, loading and all.
    cable.send(30_000);
    let output = look.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let buffer = &report["buffers"][0];
    assert_eq!(buffer["is_counted"], true, "{report}");
    let packets = buffer["arrived_packets"].as_u64().unwrap();
    assert!((500..30_000).contains(&packets), "a second of them: {packets}");
    // 100 bytes and two headers, and what the kernel charges beyond: the same for each.
    assert_eq!(buffer["arrived_bytes"].as_u64().unwrap(), packets * (128 + 768));
}

#[test]
fn without_the_privilege_it_says_so_once_and_sizes_all_the_same() {
    let Some(cable) = Cable::new() else { return };
    let no_bpf = ["setpriv", "--bounding-set=-bpf"];
    if !try_run(no_bpf[0], &[no_bpf[1], "true"]) {
        eprintln!("SKIPPED: needs `setpriv` of util-linux that knows CAP_BPF");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _receiver = receiver(&cable);
    configure(folder.path(), &format!("port:{PORT} name=flows netns={}", cable.right));
    let address = free_address();
    let mut running = Running(sidecar(folder.path(), &address, &[], &no_bpf).spawn().unwrap());
    becomes(&address, "forebay_sidecar_buffers{target=\"flows\"}", 1);
    becomes(&address, "forebay_sidecar_eyes_changes_total{event=\"blind\"}", 1);
    assert_eq!(metric(&address, "forebay_sidecar_eyes_interfaces"), Some(0));
    try_run("kill", &["-TERM", &running.0.id().to_string()]);
    assert!(running.0.wait().unwrap().success());
    let mut told = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("missing CAP_BPF") && told.contains("asked for in every tick instead"), "{told}");
    assert_eq!(told.matches("arrivals are not counted").count(), 1, "{told}");
}

#[test]
fn it_is_turned_off_by_a_word_and_a_missing_interface_is_named() {
    let Some(cable) = Cable::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let _receiver = receiver(&cable);
    configure(folder.path(), &format!("port:{PORT} netns={}", cable.right));
    let look = |interfaces: &str| {
        let mut command = sidecar(folder.path(), "127.0.0.1:0", &["--once", "--json"], &[]);
        let output = command.env("FOREBAY_SIDECAR_INTERFACES", interfaces).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (report, String::from_utf8(output.stderr).unwrap())
    };
    let (report, told) = look("none");
    assert_eq!((&report["interfaces"], &report["buffers"][0]["is_counted"]), (&0.into(), &false.into()));
    assert!(!told.contains("arrivals"), "{told}");
    let (report, told) = look("no-such-if0, lo");
    assert_eq!(report["counts"]["eyes"]["missing"], 1);
    assert!(told.contains("no-such-if0"), "{told}");
    assert_eq!(report["buffers"][0]["is_counted"], true, "the namespace that the target names has eyes of its own");
}
