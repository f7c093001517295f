//! Whom `search` and `events` ask: the index in the data folder, or a server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use forebay_api::{Answer, Ask, Backend, LastLine, OpenError, Problem, SearchRequest, Sources, Stats, Summary};
use forebay_event::Event;
use forebay_index::engine::EngineKind;
use forebay_index::{IndexError, Options};
use reqwest::blocking::{Client, ClientBuilder, RequestBuilder, Response};
use reqwest::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::shown::printable;

/// How much longer than the server's own limit an answer is waited for.
const REPLY_GRACE: Duration = Duration::from_secs(5);

/// Whom to ask.
pub(crate) enum Target {
    /// The index in the data folder, opened by this process.
    Local(Box<Backend>, Ask),
    /// A server.
    Server(Server),
}

/// A server and how to speak to it.
pub(crate) struct Server {
    client: Client,
    base: String,
    token: String,
}

impl Target {
    /// The server at `url` where one is given, else the local index; where a server of ours has that open, that server.
    pub(crate) fn open(config: &Config, url: Option<&str>) -> anyhow::Result<Self> {
        if let Some(url) = url {
            return Ok(Self::Server(Server::new(config, url)?));
        }
        let mut sources = sources(config)?;
        // One question at a time is asked here, so one network of each kind is enough.
        sources.threads = 1;
        if !sources.index.is_dir() {
            bail!(
                "there is no index at {}. Make one with `forebay embed FILE... --out DIR --index {0}`, set data.dir, or ask a server \
                 with --url",
                sources.index.display()
            );
        }
        match Backend::open(&sources) {
            Ok(backend) => Ok(Self::Local(Box::new(backend), ask(config))),
            Err(OpenError::Index(IndexError::Locked { .. })) => Self::server_instead(config, &sources.index),
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody else has the index open: most likely `forebay serve` with this very configuration.
    fn server_instead(config: &Config, index: &Path) -> anyhow::Result<Self> {
        let base = format!("http://{}", reachable(config.serve.listen));
        eprintln!("forebay: {} is open in another process; asking the server at {base}", index.display());
        let server = Server::new(config, &base)?;
        server.ready().with_context(|| {
            format!(
                "{} is open in another process, and no server of it answers; stop that process or give --url",
                index.display()
            )
        })?;
        Ok(Self::Server(server))
    }

    pub(crate) fn search(&self, request: &SearchRequest) -> anyhow::Result<Answer> {
        match self {
            Self::Local(backend, ask) => forebay_api::answer(backend, ask, request).map_err(|error| anyhow!("{error}")),
            Self::Server(server) => server.search(request),
        }
    }

    /// The event called `id`, if there is one.
    pub(crate) fn event(&self, id: &str) -> anyhow::Result<Option<Event>> {
        let id = id.parse().with_context(|| format!("`{id}` is not the identifier of an event (a UUID)"))?;
        match self {
            Self::Local(backend, _) => Ok(backend.event(id)?),
            Self::Server(server) => server.event(&id.to_string()),
        }
    }
}

impl Target {
    /// How many events there are to search.
    pub(crate) fn events(&self) -> anyhow::Result<u64> {
        match self {
            Self::Local(backend, _) => Ok(backend.stats().events),
            Self::Server(server) => server.events(),
        }
    }

    /// How events get into this index, for a person who has found it empty.
    pub(crate) fn how_to_fill(&self, config: &Config) -> String {
        match self {
            Self::Local(..) => {
                format!("Fill it with `forebay embed FILE... --out DIR --index {}`.", index_dir(config).display())
            }
            Self::Server(server) => format!(
                "POST lines of JSON to {}/v1/events; or stop that server and run `forebay embed FILE... --out DIR --index \
                 DATA/index`, where DATA is its data.dir.",
                server.base
            ),
        }
    }
}

impl Server {
    /// The server at `url`, with the configuration's token; it is not asked anything yet.
    pub(crate) fn new(config: &Config, url: &str) -> anyhow::Result<Self> {
        if !url.starts_with("http://") {
            bail!("--url takes an address such as http://127.0.0.1:8787 (for TLS, put a tunnel or proxy in between)");
        }
        let wait = Duration::from_secs(config.serve.timeout_s) + REPLY_GRACE;
        let client = plain().timeout(wait).build()?;
        Ok(Self { client, base: url.trim_end_matches('/').to_owned(), token: config.serve.token.clone() })
    }

    /// Whether it answers.
    pub(crate) fn ready(&self) -> anyhow::Result<()> {
        self.send(self.client.get(format!("{}/readyz", self.base))).map(drop)
    }

    /// Stores events, one a line; gives what became of them.
    pub(crate) fn store(&self, lines: Vec<u8>) -> anyhow::Result<Summary> {
        let post = self.client.post(format!("{}/v1/events?results=rejected", self.base));
        let answer = self.send(post.header(CONTENT_TYPE, "application/x-ndjson").body(lines))?.text()?;
        let last = answer.lines().last().unwrap_or_default();
        let last: LastLine = serde_json::from_str(last)
            .map_err(|error| anyhow!(printable(&error.to_string())))
            .context("the server's answer was cut off, or is of another version")?;
        Ok(last.summary)
    }

    fn search(&self, request: &SearchRequest) -> anyhow::Result<Answer> {
        let body = serde_json::to_vec(request)?;
        let post = self.client.post(format!("{}/v1/search", self.base)).header(CONTENT_TYPE, "application/json");
        read(self.send(post.body(body))?)
    }

    fn event(&self, id: &str) -> anyhow::Result<Option<Event>> {
        let response = self.attempt(self.client.get(format!("{}/v1/events/{id}", self.base)))?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read(self.accepted(response)?).map(Some)
    }

    fn events(&self) -> anyhow::Result<u64> {
        let stats: Stats = read(self.send(self.client.get(format!("{}/v1/stats", self.base)))?)?;
        Ok(stats.events)
    }

    /// The answer, if it is not a problem.
    fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = self.attempt(request)?;
        self.accepted(response)
    }

    fn attempt(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        request.send().with_context(|| format!("asking {}", self.base))
    }

    fn accepted(&self, response: Response) -> anyhow::Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        match serde_json::from_str::<Problem>(&response.text().unwrap_or_default()) {
            // Whoever answers at that address chose the words.
            Ok(problem) => bail!("{}: {}. {}", self.base, printable(&problem.title), printable(&problem.detail)),
            Err(_) => bail!("{} answered {status}; is it a forebay server?", self.base),
        }
    }
}

/// A client without TLS and proxies: a proxy of the environment is for the world outside.
pub(crate) fn plain() -> ClientBuilder {
    let builder = Client::builder().no_proxy();
    // Where objects of S3 can be read, a client is made ready for TLS, and would read the system's certificates for it, or fail
    // where there are none.
    #[cfg(feature = "s3")]
    let builder = {
        crate::tls::ready();
        builder.tls_certs_only([])
    };
    builder
}

fn read<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    // The reader's own words may quote the answer.
    serde_json::from_str(&response.text()?)
        .map_err(|error| anyhow!(printable(&error.to_string())))
        .context("the server's answer is not of the expected form; is it of another version?")
}

/// Where index and models are, as the configuration says.
pub(crate) fn sources(config: &Config) -> anyhow::Result<Sources> {
    let named = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
    Ok(Sources {
        index: index_dir(config),
        event_model: named(&config.models.event),
        query_model: named(&config.models.query),
        runtime: named(&config.models.runtime),
        precision: config.embed.precision.parse().map_err(|error| anyhow!("embed.precision: {error}"))?,
        threads: config.embed.threads,
        retention: config.retention.into(),
        engine: engine(config)?,
        engine_from: config.index.engine_from,
        resident_bytes_max: (config.index.resident_bytes_max > 0).then_some(config.index.resident_bytes_max),
    })
}

/// How an index of vectors of `dimension` numbers in `space` is opened by a command, as the configuration says. What is
/// kept for how long is left to the server.
pub(crate) fn index_options(config: &Config, dimension: usize, space: &str) -> anyhow::Result<Options> {
    Ok(Options { engine: engine(config)?, engine_from: config.index.engine_from, ..Options::new(dimension, space) })
}

fn engine(config: &Config) -> anyhow::Result<EngineKind> {
    config.index.engine.parse().map_err(|error| anyhow!("index.engine: {error}"))
}

/// Where the index lies.
pub(crate) fn index_dir(config: &Config) -> PathBuf {
    config.data.dir.join("index")
}

/// How questions are answered, as the configuration says.
pub(crate) fn ask(config: &Config) -> Ask {
    Ask {
        k: config.search.k,
        k_max: config.serve.k_max,
        text_weight: config.search.text_weight,
        min_similarity: config.search.min_similarity,
    }
}

/// The address to connect to for a server that listens on `listen`: a server on all addresses is reached on loopback.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        let loopback =
            if listen.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { IpAddr::from(Ipv6Addr::LOCALHOST) };
        listen.set_ip(loopback);
    }
    listen
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A server that gives `answer` to whoever asks first, in place of one of ours.
    fn stranger(answer: &'static str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        Server { client: plain().build().unwrap(), base, token: String::new() }
    }

    #[test]
    fn the_words_of_a_server_cannot_drive_the_terminal() {
        let problem = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{\"type\":\"/x\",\"title\":\"a\\u001b[2J\",\
                       \"status\":400,\"detail\":\"b\\u009b2J\",\"instance\":\"c\"}";
        let odd = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"understood\":\"d\\u001b[2J\"}";
        for (answer, shown) in [(problem, "a\\u{1b}[2J. b\\u{9b}2J"), (odd, "d\\")] {
            let error = format!("{:#}", stranger(answer).search(&SearchRequest::default()).unwrap_err());
            assert!(error.contains(shown), "{error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
    }

    #[test]
    fn a_server_on_every_address_is_asked_on_loopback() {
        assert_eq!(reachable("0.0.0.0:80".parse().unwrap()).to_string(), "127.0.0.1:80");
        assert_eq!(reachable("[::]:80".parse().unwrap()).to_string(), "[::1]:80");
        assert_eq!(reachable("192.0.2.7:80".parse().unwrap()).to_string(), "192.0.2.7:80");
    }
}
