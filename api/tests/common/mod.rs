//! A real server on a real socket with the built-in models and an index of its own, and events to give it.

#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use forebay_api::{Ask, Backend, LineResult, Server, Settings, Sources, StartError, Summary};
use reqwest::blocking::{Client, Response};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// When the events of these tests begin: 2026-01-01 00:00 UTC.
pub(crate) const START_US: i64 = 1_767_225_600_000_000;

/// A server that runs until it is dropped or stopped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    stop: CancellationToken,
    thread: Option<JoinHandle<Result<(), StartError>>>,
    dir: Option<TempDir>,
    index: PathBuf,
}

impl Running {
    /// With default settings and an empty index.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let index = dir.path().join("index");
        let mut running = Self::on(settings, &index);
        running.dir = Some(dir);
        running
    }

    /// On an index that is there already.
    pub(crate) fn on(mut settings: Settings, index: &Path) -> Self {
        settings.listen.set_port(0);
        let (sender, receiver) = std::sync::mpsc::channel();
        let stop = CancellationToken::new();
        let (stopping, sources) = (stop.clone(), sources(index));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let server = Server::bind(settings, Ask::default()).await?;
                sender.send(server.address()).unwrap();
                server.run(move || Backend::open(&sources), stopping).await
            })
        });
        let address = receiver.recv().expect("the server takes its address");
        // Built together with the program, the client can speak TLS and wants to know whose cryptography to use.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(Duration::from_mins(1)).no_proxy().build().unwrap();
        let index = index.to_owned();
        Self { address, client, stop, thread: Some(thread), dir: None, index }.wait()
    }

    fn wait(self) -> Self {
        let patience = Instant::now() + Duration::from_mins(1);
        loop {
            let status = self.client.get(self.url("/readyz")).send().unwrap().status();
            if status != 503 {
                return self;
            }
            assert!(Instant::now() < patience, "the server is not ready; is ONNX Runtime installed (make setup)?");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn index(&self) -> &Path {
        &self.index
    }

    /// Asks the server to stop, without waiting.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Stops and waits; gives how it ended and the folder it used.
    pub(crate) fn stop(mut self) -> (Result<(), StartError>, Option<TempDir>) {
        self.stop.cancel();
        (self.thread.take().unwrap().join().unwrap(), self.dir.take())
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().unwrap()
    }

    pub(crate) fn post(&self, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Response {
        self.client.post(self.url(path)).header(CONTENT_TYPE, media_type).body(body.into()).send().unwrap()
    }

    pub(crate) fn try_search(&self, request: &Value) -> Response {
        self.post("/v1/search", "application/json", request.to_string())
    }

    /// The answer to a request that must succeed.
    pub(crate) fn search(&self, request: &Value) -> Value {
        let response = self.try_search(request);
        let status = response.status();
        let text = response.text().unwrap();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Stores lines; gives the results and the summary.
    pub(crate) fn ingest(&self, lines: impl Into<Vec<u8>>) -> (Vec<LineResult>, Summary) {
        let response = self.post("/v1/events", "application/x-ndjson", lines);
        assert_eq!(response.status(), 200);
        read_results(&response.text().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn sources(index: &Path) -> Sources {
    Sources {
        index: index.to_owned(),
        event_model: None,
        query_model: None,
        runtime: None,
        precision: forebay_embedder::Precision::Auto,
        threads: 2,
        retention: forebay_index::Retention::default(),
        engine: forebay_index::engine::EngineKind::default(),
        engine_from: forebay_index::Options::ENGINE_FROM,
        resident_bytes_max: None,
    }
}

/// Splits the lines of an ingest answer.
pub(crate) fn read_results(text: &str) -> (Vec<LineResult>, Summary) {
    let mut lines: Vec<&str> = text.lines().collect();
    let last: forebay_api::LastLine = serde_json::from_str(lines.pop().expect("a last line")).expect("a summary");
    (lines.into_iter().map(|line| serde_json::from_str(line).unwrap()).collect(), last.summary)
}

/// A flow that starts `i` seconds after [`START_US`], from 10.0.0.(i mod 200) to 192.0.2.1.
pub(crate) fn event(i: i64, port: u16, bytes: f64) -> Value {
    let start = START_US + i * 1_000_000;
    json!({
        "schema_version": "1", "start_us": start, "end_us": start + 500_000,
        "flow": {
            "src_ip": format!("10.0.0.{}", i % 200), "dst_ip": "192.0.2.1",
            "src_port": 40_000 + i % 20_000, "dst_port": port, "protocol": 6,
        },
        "features": {"duration": 500_000.0, "sbytes": bytes, "dbytes": bytes / 2.0, "spkts": 10.0, "dpkts": 8.0},
    })
}

/// `count` events as lines, to port 22, 443 and 53 in turn.
pub(crate) fn lines(count: i64) -> String {
    let lines =
        (0..count).map(|i| event(i, [22, 443, 53][(i % 3) as usize], 1000.0 * (i + 1) as f64).to_string() + "\n");
    lines.collect()
}

/// The identifiers of an answer's hits.
pub(crate) fn ids(answer: &Value) -> Vec<String> {
    let hits = answer["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["event"]["event_id"].as_str().unwrap().to_owned()).collect()
}
