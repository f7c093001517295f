//! Objects of S3 and of servers that speak its protocol, found by URL and read in order.
//!
//! `s3://BUCKET/KEY` is one object, `s3://BUCKET/PREFIX/` everything under a prefix, and `*`, `?`, `[...]` in the key match as in
//! file names (`**` goes through prefixes). Credentials, region and endpoint come from the environment as the AWS tools have
//! it: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`; on AWS's own
//! machines also from the role of the machine.
//!
//! **Promise.** An object is read in pieces of [`PIECE_BYTES`], [`PIECES_AHEAD`] of them under way while the last is worked on, so
//! memory does not depend on the object. Every piece is asked for with the tag the object had when it was found: one that is
//! replaced meanwhile is an error, never a mixture. A piece whose connection fails is asked for again.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, RetryConfig};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::names::S3;
use crate::tls;

/// Bytes asked for at a time.
const PIECE_BYTES: u64 = 8 << 20;

/// Pieces under way.
const PIECES_AHEAD: usize = 3;

/// Times a piece is asked for before the job fails, beyond what the client does about refused requests.
const TRIES_MAX: u32 = 5;

/// Pause before the second try; it doubles with each one.
const PAUSE: Duration = Duration::from_millis(200);

/// What the client does about requests that a server refuses for now.
const RETRIES_MAX: usize = 5;
const RETRY_TIME_MAX: Duration = Duration::from_mins(1);

/// What S3 calls its refusals (its API reference, "Error responses").
const DENIALS: [&str; 5] =
    ["AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"];

/// Does the waiting; the callers are ordinary threads.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("s3").enable_all().build()
});

/// An object, as it was when it was found.
#[derive(Clone)]
pub(crate) struct Object {
    store: Arc<AmazonS3>,
    url: String,
    key: Path,
    bytes: u64,
    tag: Option<String>,
}

impl Object {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Tells whether it is still the same.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{} bytes, tag {}", self.bytes, self.tag.as_deref().unwrap_or("none"))
    }

    /// Its content.
    pub(crate) fn read(&self) -> impl Read + Send + use<> {
        Content { object: self.clone(), asked: 0, coming: VecDeque::new(), piece: Box::new([0u8; 0]), used: 0 }
    }
}

/// The objects that `url` stands for, sorted by key; an error if there are more than `matches_max`.
pub(crate) fn find(url: &str, matches_max: usize) -> anyhow::Result<Vec<Object>> {
    let (bucket, key) = parts(url)?;
    let store = store(bucket).map_err(|error| explained(url, &error))?;
    let object = |meta: ObjectMeta| Object {
        url: format!("{S3}{bucket}/{}", meta.location),
        store: Arc::clone(&store),
        bytes: meta.size,
        tag: meta.e_tag,
        key: meta.location,
    };
    let runtime = runtime()?;
    let first_special = key.find(['*', '?', '[']);
    if first_special.is_none() && !key.is_empty() && !key.ends_with('/') {
        let path = Path::parse(key).with_context(|| format!("{url}: not a key"))?;
        let meta = runtime.block_on(store.head(&path)).map_err(|error| match error {
            Error::NotFound { .. } => not_there(url, bucket, &store, runtime),
            other => explained(url, &other),
        })?;
        return Ok(vec![object(meta)]);
    }
    let literal = &key[..first_special.unwrap_or(key.len())];
    let prefix = literal.rfind('/').map_or("", |end| &literal[..end]);
    let prefix = Path::parse(prefix).with_context(|| format!("{url}: not a prefix"))?;
    let pattern = first_special.map(|_| glob::Pattern::new(key)).transpose();
    let pattern = pattern.with_context(|| format!("{url}: not a pattern"))?;
    let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
    let mut found = runtime
        .block_on(async {
            let mut found = Vec::new();
            let mut listed = store.list(Some(&prefix));
            while let Some(meta) = listed.try_next().await? {
                let fits = pattern.as_ref().is_none_or(|pattern| pattern.matches_with(meta.location.as_ref(), options));
                // Some tools make empty objects to stand for folders.
                let is_folder = meta.size == 0 && meta.location.as_ref().ends_with('/');
                if fits && !is_folder && found.len() <= matches_max {
                    found.push(meta);
                }
            }
            Ok(found)
        })
        .map_err(|error: Error| explained(url, &error))?;
    if found.len() > matches_max {
        bail!("{url}: stands for more than {matches_max} objects; use several patterns");
    }
    found.sort_by(|a, b| a.location.as_ref().cmp(b.location.as_ref()));
    Ok(found.into_iter().map(object).collect())
}

/// Bucket and key of a URL.
fn parts(url: &str) -> anyhow::Result<(&str, &str)> {
    let rest = url.strip_prefix(S3).unwrap_or(url);
    match rest.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() => Ok((bucket, key)),
        _ => bail!("{url}: write s3://BUCKET/KEY, s3://BUCKET/PREFIX/ or a pattern of keys"),
    }
}

fn store(bucket: &str) -> Result<Arc<AmazonS3>, Error> {
    tls::ready();
    // Whoever names an endpoint without encryption means it.
    let plain = server().starts_with("http://");
    let retry = RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY_TIME_MAX, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
    if plain {
        builder = builder.with_allow_http(true);
    }
    Ok(Arc::new(builder.build()?))
}

fn runtime() -> anyhow::Result<&'static Runtime> {
    RUNTIME.as_ref().map_err(|error| anyhow!("threads for S3 could not be started: {error}"))
}

/// Whether the bucket or the object is missing: an answer about one object does not say, a listing does.
fn not_there(url: &str, bucket: &str, store: &AmazonS3, runtime: &Runtime) -> anyhow::Error {
    match runtime.block_on(store.list(None).try_next()) {
        Err(error) if Cause::of(&error) == Cause::NoBucket => explained(url, &error),
        _ => anyhow!(
            "{url}: no such object in the bucket {bucket} at {}. Upper and lower case count in keys; s3://{bucket}/PREFIX/ \
             takes all under a prefix",
            server()
        ),
    }
}

/// What lies behind an error, as far as a user can do something about it.
#[derive(PartialEq)]
enum Cause {
    NoBucket,
    Denied,
    Other,
}

impl Cause {
    fn of(error: &Error) -> Self {
        match error {
            Error::NotFound { .. } => Self::NoBucket,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Denied,
            // The library does not tell the refusals of a listing apart; the server's answer, which it quotes, does.
            other => {
                let words = reason(other);
                let says = |code: &str| words.contains(&format!("<Code>{code}</Code>"));
                if says("NoSuchBucket") {
                    Self::NoBucket
                } else if DENIALS.into_iter().any(says) {
                    Self::Denied
                } else {
                    Self::Other
                }
            }
        }
    }
}

/// The server that is asked, in words.
fn server() -> String {
    let named = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()));
    named.unwrap_or_else(|| "AWS".to_owned())
}

/// What went wrong, and what to do.
fn explained(url: &str, error: &Error) -> anyhow::Error {
    let server = server();
    match Cause::of(error) {
        Cause::NoBucket => anyhow!(
            "{url}: no such bucket at {server}. Check its name, the region (AWS_REGION), and whether AWS_ENDPOINT_URL names the \
             server that has it"
        ),
        Cause::Denied => anyhow!(
            "{url}: access denied by {server}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) to \
             credentials that may list and read it"
        ),
        Cause::Other => anyhow!(
            "{url}: asking {server}: {}. Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the region from \
             AWS_REGION, another server than AWS from AWS_ENDPOINT_URL",
            reason(error)
        ),
    }
}

/// An error with what is behind it, for the library's own words leave out whether a connection was refused.
fn reason(error: &Error) -> String {
    let mut words = error.to_string();
    let mut behind = std::error::Error::source(error);
    while let Some(error) = behind {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        behind = error.source();
    }
    words
}

type Piece = Box<dyn AsRef<[u8]> + Send>;

/// The bytes of an object, in order.
struct Content {
    object: Object,
    /// How far pieces were asked for.
    asked: u64,
    coming: VecDeque<JoinHandle<Result<Piece, Error>>>,
    piece: Piece,
    used: usize,
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.used == (*self.piece).as_ref().len() {
            let Some(piece) = self.next_piece()? else { return Ok(0) };
            (self.piece, self.used) = (piece, 0);
        }
        let rest = &(*self.piece).as_ref()[self.used..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.used += count;
        Ok(count)
    }
}

impl Content {
    fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        let runtime = runtime().map_err(io::Error::other)?;
        while self.coming.len() < PIECES_AHEAD && self.asked < self.object.bytes {
            let end = (self.asked + PIECE_BYTES).min(self.object.bytes);
            let range = self.asked..end;
            self.coming.push_back(runtime.spawn(piece(self.object.clone(), range)));
            self.asked = end;
        }
        let Some(next) = self.coming.pop_front() else { return Ok(None) };
        let piece = runtime.block_on(next).map_err(|error| io::Error::new(io::ErrorKind::Interrupted, error))?;
        piece.map(Some).map_err(|error| medium_error(&error))
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.coming.iter().for_each(JoinHandle::abort);
    }
}

/// One piece, asked for as often as makes sense.
async fn piece(object: Object, range: std::ops::Range<u64>) -> Result<Piece, Error> {
    let mut tries = 1;
    loop {
        match ask(&object, range.clone()).await {
            Err(error) if is_passing(&error) && tries < TRIES_MAX => {
                tracing::warn!(url = object.url, at = range.start, tries, "asking again: {error}");
                tokio::time::sleep(PAUSE * 2u32.pow(tries - 1)).await;
                tries += 1;
            }
            other => return other,
        }
    }
}

async fn ask(object: &Object, range: std::ops::Range<u64>) -> Result<Piece, Error> {
    let length = (range.end - range.start) as usize;
    let options =
        GetOptions { range: Some(GetRange::Bounded(range)), if_match: object.tag.clone(), ..GetOptions::default() };
    let bytes = object.store.get_opts(&object.key, options).await?.bytes().await?;
    if bytes.len() != length {
        let source = format!("{} bytes came where {length} were asked for", bytes.len()).into();
        return Err(Error::Generic { store: "S3", source });
    }
    Ok(Box::new(bytes))
}

/// Whether asking again may help.
fn is_passing(error: &Error) -> bool {
    !matches!(
        error,
        Error::NotFound { .. }
            | Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::Precondition { .. }
            | Error::InvalidPath { .. }
    )
}

/// The medium's failure; of a kind that nobody takes for damage of the content.
fn medium_error(error: &Error) -> io::Error {
    let (kind, text) = match error {
        Error::NotFound { .. } => {
            (io::ErrorKind::NotFound, "it was removed after it was found; run the job again".to_owned())
        }
        Error::Precondition { .. } => {
            (io::ErrorKind::StaleNetworkFileHandle, "it was replaced while it was read; run the job again".to_owned())
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            (io::ErrorKind::PermissionDenied, "access was denied while it was read".to_owned())
        }
        other => (io::ErrorKind::ConnectionAborted, format!("{} (asked {TRIES_MAX} times)", reason(other))),
    };
    io::Error::new(kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_a_listing_are_told_apart() {
        let refusal = |code: &str| Error::Generic { store: "S3", source: format!("404: <Code>{code}</Code>").into() };
        assert!(Cause::of(&refusal("NoSuchBucket")) == Cause::NoBucket);
        assert!(Cause::of(&refusal("InvalidAccessKeyId")) == Cause::Denied);
        assert!(explained("s3://b/", &refusal("AccessDenied")).to_string().contains("AWS_SECRET_ACCESS_KEY"));
        assert!(Cause::of(&refusal("SlowDown")) == Cause::Other);
    }

    #[test]
    fn urls_have_a_bucket_and_a_key() {
        assert_eq!(parts("s3://flows/2026/a.jsonl").unwrap(), ("flows", "2026/a.jsonl"));
        assert_eq!(parts("s3://flows/").unwrap(), ("flows", ""));
        assert!(parts("s3://flows").is_err() && parts("s3:///x").is_err());
    }
}
