//! What one run of the proving ground is.

use std::error::Error;
use std::path::PathBuf;

use forebay_predictor::policy::Kind;
use forebay_predictor::target::parse_size;

use crate::program::Program;

/// Most programs that receive; each has a port of its own.
const RECEIVERS_MAX: usize = 200;

/// Longest run, in seconds.
const SECONDS_MAX: u64 = 600;

/// See the options in `main.rs`.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) program: Program,
    pub(crate) receivers: usize,
    /// How many of them read nothing.
    pub(crate) stuck: usize,
    pub(crate) seconds: u64,
    pub(crate) budget_bytes: u64,
    /// What all UDP sockets of the machine may hold together; as it is where none is given.
    pub(crate) udp_mem_bytes: Option<u64>,
    /// The longest that a datagram may wait, kept by the largest limit a buffer gets.
    pub(crate) wait_ms: Option<u64>,
    pub(crate) drain_pps: u64,
    pub(crate) burst: u64,
    /// Folder of arrival traces; bursts are made up where there is none.
    pub(crate) traces: Option<PathBuf>,
    pub(crate) seed: u64,
    /// What the run is called in its line, and what its rule is called there instead of its name.
    pub(crate) setting: String,
    pub(crate) label: Option<String>,
    pub(crate) policies: Vec<Kind>,
}

impl Plan {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut plan = Self {
            program: Program::Receiver,
            receivers: 8,
            stuck: 0,
            seconds: 10,
            budget_bytes: 8 << 20,
            udp_mem_bytes: None,
            wait_ms: None,
            drain_pps: 20_000,
            burst: 2_000,
            traces: None,
            seed: 1,
            setting: "budget".to_owned(),
            label: None,
            policies: Vec::new(),
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
            let size = || parse_size(&value).ok_or_else(|| format!("{name} wants a size"));
            match name.as_str() {
                "--program" => plan.program = value.parse()?,
                "--receivers" => plan.receivers = value.parse()?,
                "--stuck" => plan.stuck = value.parse()?,
                "--seconds" => plan.seconds = value.parse()?,
                "--budget" => plan.budget_bytes = size()?,
                "--udp-mem" => plan.udp_mem_bytes = Some(size()?),
                "--wait-ms" => plan.wait_ms = Some(value.parse()?),
                "--drain" => plan.drain_pps = value.parse()?,
                "--burst" => plan.burst = value.parse()?,
                "--traces" => plan.traces = Some(value.into()),
                "--seed" => plan.seed = value.parse()?,
                "--setting" => plan.setting = value,
                "--label" => plan.label = Some(value),
                "--policy" => plan.policies.push(value.parse()?),
                _ => return Err(format!("{name} is no option").into()),
            }
        }
        plan.check()
    }

    fn check(mut self) -> Result<Self, Box<dyn Error>> {
        if self.policies.is_empty() {
            self.policies = Kind::ALL.to_vec();
        }
        self.receivers = self.receivers.clamp(1, RECEIVERS_MAX);
        self.seconds = self.seconds.clamp(1, SECONDS_MAX);
        if self.stuck >= self.receivers {
            return Err("--stuck: one at least has to read".into());
        }
        if self.program != Program::Receiver && (self.stuck > 0 || self.wait_ms.is_some()) {
            return Err("--stuck and --wait-ms go with our own receiver, whose pace is known".into());
        }
        Ok(self)
    }

    /// The largest limit of a buffer that keeps the longest wait: what is read in that time.
    pub(crate) fn limit_bytes(&self) -> Option<u64> {
        let charged = self.program.charged_bytes();
        self.wait_ms.map(|wait_ms| (self.drain_pps * wait_ms / 1_000).saturating_mul(charged))
    }
}
