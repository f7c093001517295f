//! Asks the sidecar.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use forebay_predictor::sidecar::BufferReport;
use reqwest::StatusCode;
use serde::Deserialize;

use crate::target;

/// How long an answer may take. The sidecar makes its first report within a second of its start.
const WAIT: Duration = Duration::from_secs(2);

/// Most bytes of an answer: 16,384 buffers of 500 bytes, and more.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What is shown of a report; other members are passed over.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Shown {
    pub(super) time_us: i64,
    pub(super) policy: String,
    pub(super) dry_run: bool,
    pub(super) budget_bytes: u64,
    pub(super) committed_bytes: u64,
    pub(super) queued_bytes: u64,
    pub(super) is_short: bool,
    pub(super) buffers: Vec<BufferReport>,
    pub(super) tick_us: u64,
    pub(super) pass_us: u64,
}

pub(super) struct Source {
    client: reqwest::blocking::Client,
    url: String,
    address: SocketAddr,
    token: String,
}

impl Source {
    pub(super) fn new(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let client = target::plain().timeout(WAIT).build()?;
        Ok(Self { client, url: format!("http://{address}/v1/buffers"), address, token: token.to_owned() })
    }

    pub(super) fn ask(&self) -> anyhow::Result<Shown> {
        let mut request = self.client.get(&self.url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let absent = || {
            format!(
                "no sidecar answers at {}; start one with `forebay sidecar`, or name its address with --at",
                self.address
            )
        };
        let answer = request.send().with_context(absent)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => bail!("the sidecar at {} wants a token; set sidecar.token", self.address),
            StatusCode::SERVICE_UNAVAILABLE => {
                bail!("the sidecar at {} has only just started; try again", self.address)
            }
            other => bail!("{} answered {other}; is it a sidecar?", self.address),
        }
        if answer.content_length().is_some_and(|length| length > ANSWER_BYTES_MAX) {
            bail!("{} answered with more than {ANSWER_BYTES_MAX} bytes", self.address);
        }
        let text = answer.bytes().with_context(absent)?;
        serde_json::from_slice(&text).with_context(|| format!("{} answered what is no report", self.address))
    }
}
