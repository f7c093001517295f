//! Goal: `forebay sidecar` as a user runs it: it sizes a running program, puts back what it changed when it is stopped and, after
//! SIGKILL, at its next start; `--once --json` changes nothing; SIGHUP reads the configuration anew; `forebay top` draws on a terminal of 80x24.
//!
//! Method: the built program, a socket of a child process (Python's, which knows nothing of us), sizes read with `ss -m`'s source: the
//! kernel's own answer to the child.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

const BUDGET: u64 = 4 << 20;

/// Binds a UDP socket, says its port, and answers each line with the size of its receive buffer as the kernel has it.
const PROGRAM: &str = "\
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', int(sys.argv[1])))
print(s.getsockname()[1], flush=True)
for _ in sys.stdin:
    print(s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF), flush=True)
";

struct Program {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Program {
    fn start(port: u16) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", PROGRAM, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut program = Self { child, stdin, stdout, port: 0 };
        program.port = program.line().parse().unwrap();
        program
    }

    fn size(&mut self) -> u64 {
        writeln!(self.stdin).unwrap();
        self.line().parse().unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Waits until its buffer is `bytes`.
    fn becomes(&mut self, bytes: u64) {
        let start = Instant::now();
        while self.size() != bytes {
            assert!(start.elapsed() < Duration::from_secs(10), "{} and not {bytes}", self.size());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sidecar of the built program, with its own folder.
struct Sidecar(Child);

impl Sidecar {
    fn start(folder: &Path, listen: &str) -> Self {
        let child = command(folder, &["sidecar"]).env("FOREBAY_SIDECAR_LISTEN", listen).spawn().unwrap();
        Self(child)
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Stops it and waits; whether it ended well.
    fn stop(mut self, signal: &str) -> bool {
        self.signal(signal);
        self.0.wait().unwrap().success()
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    command
        .args(arguments)
        .arg("--config")
        .arg(folder.join("forebay.toml"))
        .env("FOREBAY_LOG_LEVEL", "warn")
        .env("FOREBAY_SIDECAR_SOCKET", "")
        .env("FOREBAY_SIDECAR_STATE_FILE", folder.join("state.json"));
    command
}

fn configure(folder: &Path, targets: &str) {
    let text = format!("[sidecar]\npolicy = \"always_big\"\nbudget_bytes = {BUDGET}\ntargets = \"{targets}\"\n");
    fs_err::write(folder.join("forebay.toml"), text).unwrap();
}

/// Root, and Python for the watched program.
fn can_run() -> bool {
    let is_root = fs_err::read_to_string("/proc/self/status").unwrap().contains("Uid:\t0\t0");
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    if !is_root || !has_python {
        eprintln!("SKIPPED: needs root and python3");
    }
    is_root && has_python
}

#[test]
fn it_sizes_a_program_and_puts_back_what_it_changed() {
    if !can_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(0);
    let before = program.size();
    configure(folder.path(), &format!("port:{}", program.port));

    let sidecar = Sidecar::start(folder.path(), "127.0.0.1:0");
    program.becomes(BUDGET);
    assert!(sidecar.stop("-INT"), "Ctrl-C is a good end");
    assert_eq!(program.size(), before);
    assert!(!folder.path().join("state.json").exists());

    let sidecar = Sidecar::start(folder.path(), "127.0.0.1:0");
    program.becomes(BUDGET);
    assert!(!sidecar.stop("-KILL"));
    assert_eq!(program.size(), BUDGET, "a killed program puts nothing back");
    assert!(folder.path().join("state.json").exists());

    // The next start puts it back before anything else, whatever its targets are now.
    configure(folder.path(), "process:no-such-program");
    let sidecar = Sidecar::start(folder.path(), "127.0.0.1:0");
    program.becomes(before);
    assert!(sidecar.stop("-TERM"));
}

#[test]
fn a_target_that_leaves_the_file_is_given_back_at_sighup() {
    if !can_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut stays, mut leaves) = (Program::start(0), Program::start(0));
    let before = leaves.size();
    configure(folder.path(), &format!("port:{}; port:{}", stays.port, leaves.port));
    let sidecar = Sidecar::start(folder.path(), "127.0.0.1:0");
    leaves.becomes(BUDGET / 2);
    // What is wrong changes nothing.
    configure(folder.path(), "prot:1");
    sidecar.signal("-HUP");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(leaves.size(), BUDGET / 2);
    configure(folder.path(), &format!("port:{}", stays.port));
    sidecar.signal("-HUP");
    leaves.becomes(before);
    stays.becomes(BUDGET);
    assert!(sidecar.stop("-TERM"));
}

#[test]
fn sighup_reads_budget_and_policy_too_and_names_what_needs_a_restart() {
    if !can_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(0);
    let before = program.size();
    configure(folder.path(), &format!("port:{}", program.port));
    let child = command(folder.path(), &["sidecar"])
        .env("FOREBAY_SIDECAR_LISTEN", "127.0.0.1:0")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut sidecar = Sidecar(child);
    program.becomes(BUDGET);
    let port = program.port;
    let write = |policy: &str, budget: u64, more: &str| {
        let text =
            format!("[sidecar]\npolicy = \"{policy}\"\nbudget_bytes = {budget}\ntargets = \"port:{port}\"\n{more}\n");
        fs_err::write(folder.path().join("forebay.toml"), text).unwrap();
    };
    // A lower budget does not wait for the hold; the policy is the same.
    write("always_big", BUDGET / 2, "");
    sidecar.signal("-HUP");
    program.becomes(BUDGET / 2);
    write("static", BUDGET, "hold_ms = 0\ninterfaces = \"lo\"");
    sidecar.signal("-HUP");
    program.becomes(before);
    sidecar.signal("-TERM");
    assert!(sidecar.0.wait().unwrap().success());
    let mut told = String::new();
    std::io::Read::read_to_string(&mut sidecar.0.stderr.take().unwrap(), &mut told).unwrap();
    assert!(told.contains("sidecar.interfaces") && told.contains("from the next start on"), "{told}");
}

#[test]
fn one_look_changes_nothing_and_tells_what_would_be_done() {
    if !can_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(0);
    let before = program.size();
    configure(folder.path(), &format!("port:{}; process:no-such-program", program.port));
    let output = command(folder.path(), &["sidecar", "--once", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let buffer = &report["buffers"][0];
    assert_eq!((&buffer["port"], &buffer["ceiling_bytes"]), (&program.port.into(), &before.into()));
    assert_eq!((&buffer["recommended_bytes"], &buffer["is_applied"]), (&BUDGET.into(), &false.into()));
    assert!(report["counts"]["missing"]["nothing"].as_u64().unwrap() >= 1);
    assert_eq!(program.size(), before);
    let text = command(folder.path(), &["sidecar", "--once"]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("python3") && text.contains("4.0M of 4.0M") && text.contains("no-such-program: nothing"),
        "{text}"
    );
}

#[test]
fn what_cannot_work_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |targets: &str, variable: (&str, &str)| {
        configure(folder.path(), targets);
        let output = command(folder.path(), &["sidecar"]).env(variable.0, variable.1).output().unwrap();
        assert!(!output.status.success(), "{targets}");
        String::from_utf8(output.stderr).unwrap()
    };
    let none = ("FOREBAY_LOG_LEVEL", "off");
    for (targets, variable, says) in [
        ("", none, "sidecar.targets"),
        ("port:x", none, "target 1 (`port:x`)"),
        ("port:9 min=8M", none, "sidecar.budget_bytes"),
        ("port:9", ("FOREBAY_SIDECAR_LISTEN", "0.0.0.0:0"), "sidecar.token"),
        ("port:9", ("FOREBAY_SIDECAR_HOST", "kernel.panic=1"), "sidecar.host"),
        ("port:9", ("FOREBAY_SIDECAR_STATE_FILE", "/proc/no/state"), "sidecar.state_file"),
    ] {
        let text = refused(targets, variable);
        assert!(text.contains(says), "{targets} {variable:?}: {text}");
    }
}

#[test]
fn top_draws_on_a_terminal_of_80_by_24_and_gives_it_back() {
    if !can_run() || Command::new("script").arg("--version").output().is_err() {
        eprintln!("SKIPPED: needs `script` of util-linux for a terminal");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(0);
    configure(folder.path(), &format!("port:{}", program.port));
    let listen =
        format!("127.0.0.1:{}", std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let alone = command(folder.path(), &["top", "--at", &listen]).output().unwrap();
    assert!(String::from_utf8_lossy(&alone.stderr).contains("forebay sidecar"), "without a sidecar it says so");

    let sidecar = Sidecar::start(folder.path(), &listen);
    program.becomes(BUDGET);
    let forebay = env!("CARGO_BIN_EXE_forebay");
    let config = folder.path().join("forebay.toml");
    let line = format!("stty rows 24 cols 80; exec {forebay} top --at {listen} --config {}", config.display());
    let mut top = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_secs(2));
    top.stdin.take().unwrap().write_all(b"jkq").unwrap();
    let output = top.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for part in ["\u{1b}[?1049h", "forebay", "always_big", "python3", &program.port.to_string(), "\u{1b}[?1049l"] {
        assert!(text.contains(part), "{part:?} is missing in {text:?}");
    }
    assert!(sidecar.stop("-TERM"));
}
