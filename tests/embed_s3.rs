//! Goal: `forebay embed` reads objects of a bucket as it reads files: one, all under a prefix, and by pattern, in order of their keys;
//! through connections that break; and says what is wrong where an object is not there or the server refuses.
//!
//! Method: a real server process, `moto_server` (`pip install 'moto[server]'`, found in PATH, under ~/.cache/forebay/venv-embed or by
//! `MOTO_SERVER`), with objects put over HTTP; a proxy of a few lines that breaks connections. The identifiers of the output are
//! compared with those of the same job over files. Skipped, loudly, where there is no such server or no ONNX Runtime.
#![cfg(feature = "s3")]
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take to start.
const START_MAX: Duration = Duration::from_mins(1);

/// Every so many connections through the proxy, one is broken after some bytes of its answer.
const BROKEN_EVERY: usize = 3;
const BROKEN_AFTER: usize = 100_000;

/// The server, ended with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME")?);
    let named = std::env::var_os("MOTO_SERVER").map(PathBuf::from);
    let kept = home.join(".cache/forebay/venv-embed/bin/moto_server");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("moto_server")).find(|file| file.is_file());
    named.into_iter().chain([kept]).find(|file| file.is_file()).or(in_path)
}

fn serve() -> Option<Server> {
    let Some(program) = program() else {
        eprintln!("SKIPPED: no moto_server; pip install 'moto[server]'");
        return None;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(program)
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server { child, port };
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < START_MAX, "moto_server does not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
    Some(server)
}

/// Puts `body` at `path` (`/BUCKET` or `/BUCKET/KEY`).
fn put(port: u16, path: &str, body: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A port that leads to `port`; some of its connections break.
fn breaking_proxy(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
            let answer_max = if number % BROKEN_EVERY == BROKEN_EVERY - 1 { BROKEN_AFTER } else { usize::MAX };
            let (asks, asked) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || copy(asks, asked, usize::MAX));
            std::thread::spawn(move || copy(server, client, answer_max));
        }
    });
    own
}

fn copy(mut from: TcpStream, mut to: TcpStream, bytes_max: usize) {
    let (mut buffer, mut copied) = ([0; 16 * 1024], 0);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        copied += count;
        if copied > bytes_max || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn forebay(port: u16, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forebay"))
        .args(arguments)
        .env("FOREBAY_LOG_LEVEL", "error")
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")])
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .output()
        .unwrap()
}

fn error_of(run: &Output) -> String {
    String::from_utf8_lossy(&run.stderr).into_owned()
}

/// Embeds `input`; gives the vectors.
fn vectors(port: u16, input: &str, out: &Path) -> Vec<u8> {
    let run = forebay(port, &["embed", "--no-index", "--npy", input, "--out", out.to_str().unwrap()]);
    assert!(run.status.success(), "{input}: {}", error_of(&run));
    fs_err::read(out.join("vectors.npy")).unwrap()
}

#[test]
fn objects_are_read_as_files_are() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/sample/traffic.pcap.gz");
    let whole = forebay(
        0,
        &["embed", "--no-index", "--npy", sample.to_str().unwrap(), "--out", at("capture").to_str().unwrap()],
    );
    if error_of(&whole).contains("ONNX Runtime was not found") {
        eprintln!("SKIPPED: no ONNX Runtime; run `make setup`");
        return;
    }
    let Some(server) = serve() else { return };
    let port = server.port;
    put(port, "/flows", b"");
    put(port, "/flows/capture.pcap.gz", &fs_err::read(&sample).unwrap());
    assert!(
        forebay(0, &["meter", sample.to_str().unwrap(), "--out", at("all.jsonl").to_str().unwrap()]).status.success()
    );
    let lines = fs_err::read_to_string(at("all.jsonl")).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    fs_err::create_dir(at("in")).unwrap();
    for (number, lines) in lines.chunks(1000).enumerate() {
        let text = lines.join("\n") + "\n";
        put(port, &format!("/flows/day/{number}.jsonl"), text.as_bytes());
        fs_err::write(at(&format!("in/{number}.jsonl")), text).unwrap();
    }
    put(port, "/flows/day/notes.txt", b"buy milk\n");

    let files = vectors(port, at("in/*.jsonl").to_str().unwrap(), &at("files"));
    assert_eq!(vectors(port, "s3://flows/day/*.jsonl", &at("pattern")), files);
    let through = breaking_proxy(port);
    assert_eq!(vectors(through, "s3://flows/day/[0-9].jsonl", &at("broken")), files, "through broken connections");
    assert_eq!(
        vectors(port, "s3://flows/capture.pcap.gz", &at("object")),
        fs_err::read(at("capture/vectors.npy")).unwrap()
    );

    for (input, wanted) in [
        ("s3://flows/day/", "notes.txt"),
        ("s3://flows/none.jsonl", "no such bucket or object"),
        ("s3://nowhere/none.jsonl", "no such bucket or object"),
        ("s3://flows/*.none", "no object matches"),
    ] {
        let run = forebay(port, &["embed", "--no-index", input, "--out", at("bad").to_str().unwrap()]);
        assert!(!run.status.success() && error_of(&run).contains(wanted), "{input}: {}", error_of(&run));
        assert!(!at("bad").exists());
    }
}
