//! Goal: a program that sizes itself learns its size over the Unix socket, as server-sent events and by a plain GET; the clients we show
//! work; a foreign address is refused without a token; a client that does not read holds nobody up.
//!
//! Method: a driven sidecar with targets that only want advice, the examples as real processes, HTTP by hand over TCP.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver as Channel, channel};
use std::thread;
use std::time::{Duration, Instant};

use forebay_predictor::advice::{AdviceError, Advisor, Listen, Publisher, Token};
use forebay_predictor::metrics::Metrics;
use forebay_predictor::policy::Kind;
use support::{Driven, Receiver, may_actuate, settings};

const BUDGET: u64 = 1 << 20;

/// What the clients end up with: `SO_RCVBUF` goes no further than `net.core.rmem_max`.
fn attainable() -> u64 {
    let max: u64 = fs_err::read_to_string("/proc/sys/net/core/rmem_max").unwrap().trim().parse().unwrap();
    BUDGET.min(2 * max)
}

struct Stage {
    driven: Driven,
    advisor: Advisor,
    publisher: Publisher,
    metrics: Metrics,
}

impl Stage {
    fn new(folder: &Path, targets: &str, token: &str) -> Self {
        let driven = Driven::start(&settings(folder, targets, BUDGET), Kind::AlwaysBig).unwrap();
        let metrics = Metrics::new();
        let listen = Listen {
            http: Some("127.0.0.1:0".parse().unwrap()),
            token: Token::new(token),
            socket: Some(folder.join("sidecar.sock")),
        };
        let (advisor, publisher) = Advisor::start(&listen, metrics.handle()).unwrap();
        Self { driven, advisor, publisher, metrics }
    }

    fn address(&self) -> SocketAddr {
        self.advisor.address().unwrap()
    }

    /// Ticks until `is_done`.
    fn go_until(&mut self, mut is_done: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_done() {
            assert!(start.elapsed() < Duration::from_secs(10), "nothing came");
            self.go();
        }
    }

    fn go(&mut self) {
        self.driven.go(1);
        if let Some(report) = self.publisher.offer(&self.driven.sidecar) {
            self.metrics.update(&report);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Lines of a child, as they come.
fn lines(child: &mut Child) -> Channel<String> {
    let (send, receive) = channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    receive
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn client_works(mut command: Command, stage: &mut Stage, port: u16) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = lines(&mut child);
    let wanted = format!("port {port}: {} bytes", attainable());
    stage.go_until(|| lines.try_iter().any(|line| line == wanted));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_clients_we_show_size_themselves() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut stage = Stage::new(folder.path(), &format!("port:{port} mode=advise"), "");
    let socket = folder.path().join("sidecar.sock");

    // Examples are built beside the tests: target/debug/deps/advice-... and target/debug/examples/client.
    let rust = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples/client");
    if rust.exists() {
        let mut command = Command::new(rust);
        command.arg(&socket).arg(format!("127.0.0.1:{port}"));
        client_works(command, &mut stage, port);
    } else {
        eprintln!("SKIPPED: the example is not built; `cargo test -p forebay-predictor` builds it");
    }

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.py");
    for source in [socket.to_str().unwrap().to_owned(), format!("http://{}", stage.address())] {
        let mut command = Command::new("python3");
        command.arg(&script).args([&source, "127.0.0.1", &port.to_string()]);
        client_works(command, &mut stage, port);
    }
    let examples = [include_str!("../examples/client.rs"), include_str!("../examples/client.py")];
    assert!(examples.iter().all(|text| text.lines().count() <= 42), "forty lines, and a few of remarks");
}

#[test]
fn a_plain_get_tells_sizes_reports_and_metrics() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let mut stage = Stage::new(folder.path(), &format!("port:{} mode=advise", receiver.port), "");
    let address = stage.address();
    assert!(get(address, "/v1/recommendations", "").starts_with("HTTP/1.1 503"), "before the first report");
    (0..3).for_each(|_| stage.go());
    // Reports are made once a second while nobody looks, and ten times as often once somebody has asked.
    let all = || get(address, &format!("/v1/recommendations?port={}", receiver.port), "");
    stage.go_until(|| all().contains(&format!("\"recommended_bytes\":{BUDGET}")));
    assert!(get(address, "/v1/recommendations?port=1", "").ends_with("[]"));
    assert!(get(address, "/v1/recommendations?colour=1", "").starts_with("HTTP/1.1 400"));
    let report = get(address, "/v1/buffers", "");
    assert!(report.contains("\"budget_bytes\":1048576") && report.contains("\"program\":\"receiver\""), "{report}");
    let text = get(address, "/metrics", "");
    for sample in ["forebay_sidecar_budget_bytes 1048576", "forebay_sidecar_changes_total{direction=\"grow\"}"] {
        assert!(text.contains(sample), "{sample} in {text}");
    }
    assert!(get(address, "/healthz", "").contains("200 OK"));
    assert!(get(address, "/metrics", "Origin: http://evil.example\r\n").starts_with("HTTP/1.1 403"));
    lint(text.split_once("\r\n\r\n").unwrap().1);
    stage.driven.sidecar.finish().unwrap();
}

/// `promtool check metrics`, where it is installed.
fn lint(text: &str) {
    let promtool = std::env::var("PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let child = Command::new(promtool).args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED: promtool (Debian: prometheus) is not installed");
        return;
    };
    // Chunks of the transfer coding are not part of the text; this answer fits into one piece and has none.
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_address_that_others_reach_wants_a_token() {
    let open = Listen { http: Some("0.0.0.0:0".parse().unwrap()), token: None, socket: None };
    let error = Advisor::start(&open, Metrics::new().handle()).err().unwrap();
    assert!(matches!(error, AdviceError::Unprotected(_)));
    assert!(error.to_string().contains("sidecar.token"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::new(folder.path(), "port:9", "secret");
    assert!(get(stage.address(), "/metrics", "").starts_with("HTTP/1.1 401"));
    assert!(get(stage.address(), "/metrics", "Authorization: Bearer secret\r\n").starts_with("HTTP/1.1 200"));
    assert!(get(stage.address(), "/healthz", "").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_socket_left_by_a_kill_is_replaced_and_another_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listen = Listen { http: None, token: None, socket: Some(path.clone()) };
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let (advisor, _publisher) = Advisor::start(&listen, Metrics::new().handle()).unwrap();
    assert!(UnixStream::connect(&path).is_ok());
    assert!(Advisor::start(&listen, Metrics::new().handle()).is_err(), "one that is in use is not taken over");
    drop(advisor);
    assert!(!path.exists());
    fs_err::write(&path, "precious").unwrap();
    assert!(Advisor::start(&listen, Metrics::new().handle()).is_err());
    assert_eq!(fs_err::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_client_that_does_not_read_holds_nobody_up() {
    if !may_actuate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&["127.0.0.1:0"]);
    let mut stage = Stage::new(folder.path(), &format!("port:{} mode=advise", receiver.port), "");
    let path = folder.path().join("sidecar.sock");
    let _deaf: Vec<UnixStream> = (0..20).map(|_| UnixStream::connect(&path).unwrap()).collect();
    let start = Instant::now();
    (0..50).for_each(|_| stage.go());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?} for 50 ticks", start.elapsed());
    let mut line = String::new();
    BufReader::new(UnixStream::connect(&path).unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"recommended_bytes\""), "{line}");
    stage.driven.sidecar.finish().unwrap();
}
