//! Goal: `forebay embed` reads objects of a bucket as it reads files: one, all under a prefix, and by pattern, in order of their keys,
//! whole or in shards; through connections that break; and says what is wrong, where, and what to do, where a bucket, an object
//! or the server is not there, also when an object goes away between finding and reading it.
//!
//! Method: a real server process, `moto_server`, which `scripts/setup.sh test` installs (or another, named by `MOTO_SERVER`), with
//! objects put over HTTP; proxies of a few lines that break connections or remove an object. Vectors are compared with those of
//! the same job over files. Without the server the test fails; it skips, loudly, only where pip could not install it (never in
//! CI), or where there is no ONNX Runtime.
#![cfg(feature = "s3")]
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long the server may take to start.
const START_MAX: Duration = Duration::from_mins(1);

/// Every so many connections through the proxy, one is broken after some bytes of its answer.
const BROKEN_EVERY: usize = 3;
const BROKEN_AFTER: usize = 100_000;

/// Objects that the lines of the sample are put into.
const OBJECTS: usize = 8;

/// Machines that share a bucket.
const SHARDS: usize = 3;

/// Numbers in a vector of the built-in model.
const DIMENSION: usize = 256;

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

/// Where `scripts/setup.sh` puts what it installs.
fn cache() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("FOREBAY_CACHE")
        .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("forebay")))
        .unwrap_or_else(|| folder("HOME").unwrap().join(".cache/forebay"))
}

/// The server's program; none where pip could not install it, outside of CI.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("MOTO_SERVER") {
        return Some(PathBuf::from(named));
    }
    let installed = cache().join("venv-s3");
    if installed.join("ready").exists() {
        return Some(installed.join("bin/moto_server"));
    }
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    match fs_err::read_to_string(installed.join("unavailable")) {
        Ok(reason) if !in_ci => {
            eprintln!("SKIPPED: no S3 server: {}", reason.trim());
            None
        }
        _ => panic!("no S3 server in {}; run `scripts/setup.sh test`", installed.display()),
    }
}

fn serve() -> Option<Server> {
    let program = program()?;
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
    let answer = ask(port, "PUT", path, body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Who asks, as the server wants to know it before it removes anything; it checks no signature.
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// The answer to one request.
fn ask(port: u16, method: &str, path: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {SIGNED}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
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

/// A port that leads to `port`; the object at `path` is removed when it is about to be read.
fn removing_proxy(port: u16, path: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
            let (answers, answered) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || copy(answers, answered, usize::MAX));
            std::thread::spawn(move || {
                let mut buffer = [0; 16 * 1024];
                while let Ok(count @ 1..) = client.read(&mut buffer) {
                    if buffer[..count].starts_with(format!("GET {path} ").as_bytes()) {
                        assert!(ask(port, "DELETE", path, b"").starts_with("HTTP/1.1 204"));
                    }
                    if server.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    own
}

fn forebay(endpoint: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forebay"))
        .args(arguments)
        .env("FOREBAY_LOG_LEVEL", "error")
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")])
        .env("AWS_ENDPOINT_URL", endpoint)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn at(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn error_of(run: &Output) -> String {
    String::from_utf8_lossy(&run.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Embeds `input`; gives the vectors.
fn vectors(port: u16, input: &str, out: &Path) -> Vec<u8> {
    let run = forebay(&at(port), &["embed", "--no-index", "--npy", input, "--out", text(out)]);
    assert!(run.status.success(), "{input}: {}", error_of(&run));
    fs_err::read(out.join("vectors.npy")).unwrap()
}

/// The rows of a file of vectors, sorted.
fn rows(npy: &[u8]) -> Vec<&[u8]> {
    let header = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let mut rows: Vec<&[u8]> = npy[10 + header..].chunks_exact(DIMENSION * size_of::<f32>()).collect();
    rows.sort_unstable();
    rows
}

/// What every test starts with: a bucket `flows` with the sample as lines under `day/` and as the capture it was, and the same in
/// files.
struct Bucket {
    server: Server,
    folder: tempfile::TempDir,
    sample: PathBuf,
}

impl Bucket {
    /// None where a test is to be skipped.
    fn new() -> Option<Self> {
        let server = serve()?;
        let (port, folder) = (server.port, tempfile::tempdir().unwrap());
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/sample/traffic.pcap.gz");
        let bucket = Self { server, folder, sample };
        if error_of(&forebay("", &["embed", "--no-index", "-", "--out", text(&bucket.path("probe"))]))
            .contains("ONNX Runtime was not found")
        {
            eprintln!("SKIPPED: no ONNX Runtime; run `make setup`");
            return None;
        }
        put(port, "/flows", b"");
        put(port, "/flows/capture.pcap.gz", &fs_err::read(&bucket.sample).unwrap());
        let all = bucket.path("all.jsonl");
        assert!(forebay("", &["meter", text(&bucket.sample), "--out", text(&all)]).status.success());
        let lines = fs_err::read_to_string(all).unwrap();
        let lines: Vec<&str> = lines.lines().collect();
        fs_err::create_dir(bucket.path("in")).unwrap();
        for (number, lines) in lines.chunks(lines.len().div_ceil(OBJECTS)).enumerate() {
            let text = lines.join("\n") + "\n";
            put(port, &format!("/flows/day/{number}.jsonl"), text.as_bytes());
            fs_err::write(bucket.path(&format!("in/{number}.jsonl")), text).unwrap();
        }
        Some(bucket)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn files(&self) -> Vec<u8> {
        vectors(self.server.port, text(&self.path("in/*.jsonl")), &self.path("files"))
    }
}

#[test]
fn objects_are_read_as_files_are() {
    let Some(bucket) = Bucket::new() else { return };
    let (port, files) = (bucket.server.port, bucket.files());
    assert_eq!(vectors(port, "s3://flows/day/*.jsonl", &bucket.path("pattern")), files);
    assert_eq!(vectors(port, "s3://flows/day/", &bucket.path("prefix")), files);
    let through = breaking_proxy(port);
    assert_eq!(
        vectors(through, "s3://flows/day/[0-9].jsonl", &bucket.path("broken")),
        files,
        "through broken connections"
    );
    assert_eq!(
        vectors(port, "s3://flows/capture.pcap.gz", &bucket.path("object")),
        vectors(port, text(&bucket.sample), &bucket.path("capture"))
    );
}

#[test]
fn the_shards_of_a_bucket_are_the_whole() {
    let Some(bucket) = Bucket::new() else { return };
    let files = bucket.files();
    let (mut parts, mut shares) = (Vec::new(), Vec::new());
    for shard in 0..SHARDS {
        let out = bucket.path(&format!("shard-{shard}"));
        let share = format!("{shard}/{SHARDS}");
        let run = forebay(
            &at(bucket.server.port),
            &["embed", "--no-index", "--npy", "--json", "s3://flows/day/", "--shard", &share, "--out", text(&out)],
        );
        assert!(run.status.success(), "{share}: {}", error_of(&run));
        let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
        shares.push(summary["events"].as_u64().unwrap() as usize);
        parts.push(fs_err::read(out.join("vectors.npy")).unwrap());
    }
    let mut together: Vec<&[u8]> = parts.iter().flat_map(|part| rows(part)).collect();
    together.sort_unstable();
    let whole = rows(&files);
    assert_eq!(shares.iter().sum::<usize>(), whole.len(), "{shares:?}");
    assert!(shares.iter().filter(|share| **share > 0).count() > 1, "{shares:?}: one shard took all");
    assert!(together == whole, "the shards hold other vectors than the whole");
}

#[test]
fn what_is_not_there_is_said_with_place_and_reason() {
    let Some(bucket) = Bucket::new() else { return };
    let port = bucket.server.port;
    put(port, "/flows/mixed/notes.txt", b"buy milk\n");
    put(port, "/flows/gone.jsonl", b"{}\n");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let removing = removing_proxy(port, "/flows/gone.jsonl");
    let tls = at(port).replace("http:", "https:");
    for (endpoint, input, wanted) in [
        (at(port), "s3://flows/mixed/", ["s3://flows/mixed/notes.txt", "not", ""]),
        (
            at(port),
            "s3://flows/none.jsonl",
            ["s3://flows/none.jsonl: no such object in the bucket flows", "at http://127", "s3://flows/PREFIX/"],
        ),
        (
            at(port),
            "s3://nowhere/none.jsonl",
            ["s3://nowhere/none.jsonl: no such bucket", "at http://127", "AWS_ENDPOINT_URL"],
        ),
        (at(port), "s3://nowhere/", ["s3://nowhere/: no such bucket", "at http://127", "AWS_ENDPOINT_URL"]),
        (at(port), "s3://flows/*.none", ["s3://flows/*.none", "no object matches", ""]),
        (
            at(nobody),
            "s3://flows/day/",
            ["s3://flows/day/: asking http://127", "onnection refused", "AWS_ENDPOINT_URL"],
        ),
        (tls, "s3://flows/day/", ["s3://flows/day/: asking https://127", "", "AWS_ENDPOINT_URL"]),
        (
            at(removing),
            "s3://flows/gone.jsonl",
            ["s3://flows/gone.jsonl", "it was removed after it was found", "run the job again"],
        ),
    ] {
        let out = bucket.path("bad");
        let run = forebay(&endpoint, &["embed", "--no-index", input, "--out", text(&out)]);
        let error = error_of(&run);
        assert_eq!(run.status.code(), Some(1), "{input} at {endpoint}: {error}");
        assert!(wanted.iter().all(|words| error.contains(words)), "{input} at {endpoint}: {error}");
        assert!(!error.contains("panicked") && !out.exists(), "{input} at {endpoint}: {error}");
    }
}
