//! Goal: real collectors, unmodified, are found by their names, sized, counted and given back: nfcapd and rsyslog over UDP.
//!
//! Method: Debian's programs in a folder of their own, the built sidecar with `always_big`, datagrams sent and counted, sizes as the kernel has them.
//! Needs root and the programs; says so where it does not run, and with `CI` set missing programs are an error.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

const BUDGET: u64 = 8 << 20;
const DATAGRAMS: u64 = 2_000;

/// A child that is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn has(tool: &str, version: &str) -> bool {
    let is_root = fs_err::read_to_string("/proc/self/status").unwrap().contains("Uid:\t0\t0");
    let is_there = Command::new(tool).arg(version).output().is_ok();
    assert!(is_there || std::env::var_os("CI").is_none(), "{tool} is missing, and in CI nothing is skipped");
    if !is_root || !is_there {
        eprintln!("SKIPPED: needs root and {tool}");
    }
    is_root && is_there
}

/// A port that nobody has at the moment.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(command: &mut Command) -> Running {
    Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// The sidecar over `program` alone: the process by its number, so that another one of its name is left in peace.
fn sidecar(folder: &Path, program: &Running, listen: &str) -> Running {
    let text = format!(
        "[sidecar]\npolicy = \"always_big\"\nbudget_bytes = {BUDGET}\ntargets = \"pid:{} name=collector min=64k\"\n",
        program.0.id()
    );
    fs_err::write(folder.join("forebay.toml"), text).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_forebay"))
        .args(["sidecar", "--config"])
        .arg(folder.join("forebay.toml"))
        .env("FOREBAY_LOG_LEVEL", "error")
        .env("FOREBAY_SIDECAR_LISTEN", listen)
        .env("FOREBAY_SIDECAR_SOCKET", "")
        .env("FOREBAY_SIDECAR_STATE_FILE", folder.join("state.json"))
        .spawn()
        .unwrap();
    Running(child)
}

/// `GET /v1/buffers`, once there is an answer.
fn report(address: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET /v1/buffers HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()
}

/// Waits until the buffer of `port` is as `is_it` wants it.
fn becomes(address: &str, port: u16, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let report = report(address).unwrap_or_default();
        let buffers = report["buffers"].as_array().cloned().unwrap_or_default();
        if let Some(buffer) = buffers.iter().find(|buffer| buffer["port"] == port && is_it(buffer)) {
            return buffer.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: {report}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The limits of the UDP sockets with this port, from `ss`.
fn limits(port: u16) -> Vec<u64> {
    let output = Command::new("ss").args(["-Hnulm", &format!("sport = :{port}")]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut limits: Vec<u64> = text
        .split("rb")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
        .collect();
    limits.sort_unstable();
    limits
}

/// Sized, counted, given back.
fn prove(folder: &Path, program: &Running, port: u16, datagram: &[u8]) {
    let began = Instant::now();
    while limits(port).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "the collector does not listen");
        thread::sleep(Duration::from_millis(50));
    }
    let before = limits(port);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut running = sidecar(folder, program, &address);
    let sized = becomes(&address, port, "sized", |buffer| buffer["ceiling_bytes"].as_u64() > Some(1 << 20));
    assert_eq!(sized["is_counted"], true, "{sized}");
    let ours = sized["ceiling_bytes"].as_u64().unwrap();
    assert!(limits(port).contains(&ours) && ours <= BUDGET, "{ours}: {:?}", limits(port));
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for number in 0..DATAGRAMS {
        sender.send_to(datagram, ("127.0.0.1", port)).unwrap();
        if number.is_multiple_of(50) {
            thread::sleep(Duration::from_millis(2));
        }
    }
    let counted = becomes(&address, port, "counted", |buffer| buffer["arrived_packets"].as_u64() >= Some(DATAGRAMS));
    assert_eq!((&counted["arrived_packets"], &counted["dropped_packets"]), (&DATAGRAMS.into(), &0.into()));
    assert!(Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap().success());
    assert!(running.0.wait().unwrap().success());
    assert_eq!(limits(port), before, "given back");
}

#[test]
fn nfcapd_is_sized_and_counted() {
    if !has("nfcapd", "-V") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let program =
        start(Command::new("nfcapd").args(["-b", "127.0.0.1", "-p", &port.to_string(), "-w"]).arg(folder.path()));
    // No version of NetFlow: nfcapd reads it, and complains to itself.
    prove(folder.path(), &program, port, &[0; 200]);
}

#[test]
fn rsyslog_is_sized_and_counted() {
    if !has("rsyslogd", "-v") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let place = folder.path().display();
    let text = format!(
        "global(workDirectory=\"{place}\")\nmodule(load=\"imudp\")\ninput(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\")\naction(type=\"omfile\" file=\"{place}/messages\")\n"
    );
    fs_err::write(folder.path().join("rsyslog.conf"), text).unwrap();
    let program = start(
        Command::new("rsyslogd")
            .args(["-n", "-i"])
            .arg(folder.path().join("pid"))
            .arg("-f")
            .arg(folder.path().join("rsyslog.conf")),
    );
    prove(folder.path(), &program, port, b"<13>Nov 21 05:00:00 host program: a message of no importance");
}
