//! Goal: what people deploy the sidecar with is sound: its metrics pass Prometheus's own linter, its unit systemd's own check.
//!
//! Method: `promtool check metrics` on what the built program answers; `systemd-analyze verify` on the unit, with the path of the built program in it.
//! Where a tool is missing it says so; with `CI` set that is an error.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Whether `tool` can be run. Set-up installs it, so that CI has it.
fn has(tool: &str, package: &str) -> bool {
    let is_there = Command::new(tool).arg("--version").output().is_ok();
    if !is_there {
        assert!(
            std::env::var_os("CI").is_none(),
            "{tool} (Debian's {package}) is missing, and in CI nothing is skipped"
        );
        eprintln!("SKIPPED: needs {tool} (Debian's {package})");
    }
    is_there
}

/// The body of `/metrics` once the first report is in it.
fn metrics(address: &str) -> String {
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < Duration::from_secs(20), "no metrics at {address}");
        thread::sleep(Duration::from_millis(100));
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && head.contains(" 200 ")
            && body.contains("forebay_sidecar_tick_duration_seconds_count")
            && body.contains("forebay_sidecar_arrived_packets_total{")
        {
            return body.to_owned();
        }
    }
}

#[test]
fn promtool_finds_nothing_in_the_metrics() {
    if !has("promtool", "prometheus") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    fs_err::write(folder.path().join("forebay.toml"), "").unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut sidecar = Command::new(env!("CARGO_BIN_EXE_forebay"))
        .args(["sidecar", "--dry-run", "--config"])
        .arg(folder.path().join("forebay.toml"))
        .env("FOREBAY_LOG_LEVEL", "error")
        .env("FOREBAY_SIDECAR_LISTEN", &address)
        .env("FOREBAY_SIDECAR_SOCKET", "")
        .env("FOREBAY_SIDECAR_STATE_FILE", folder.path().join("state.json"))
        .env("FOREBAY_SIDECAR_TARGETS", format!("port:{}", socket.local_addr().unwrap().port()))
        .spawn()
        .unwrap();
    let text = metrics(&address);
    sidecar.kill().unwrap();
    sidecar.wait().unwrap();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.trim().is_empty(), "{told}\n{text}");
}

#[test]
fn systemd_finds_nothing_in_the_unit() {
    if !has("systemd-analyze", "systemd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "forebay-sidecar.service";
    let unit =
        fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/systemd/forebay-sidecar.service")).unwrap();
    let installed = "/usr/local/bin/forebay";
    assert!(unit.contains(installed));
    fs_err::write(folder.path().join(name), unit.replace(installed, env!("CARGO_BIN_EXE_forebay"))).unwrap();
    let output =
        Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(folder.path().join(name)).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("forebay")).collect();
    assert!(ours.is_empty(), "{told}");
    for set in ["CapabilityBoundingSet", "AmbientCapabilities"] {
        let line = format!("{set}=CAP_NET_ADMIN CAP_SYS_PTRACE CAP_BPF CAP_PERFMON");
        assert!(unit.lines().any(|other| other == line), "{line}");
    }
}
