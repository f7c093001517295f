//! The configuration: one table of settings, four places a value may come from.
//!
//! **Precedence**, strongest first: a flag (`--serve-listen`), an environment variable (`FOREBAY_SERVE_LISTEN`), the file
//! (`serve.listen` in `forebay.toml`), the default. The file is the first that exists of: `--config`, `FOREBAY_CONFIG`,
//! `./forebay.toml`, `$XDG_CONFIG_HOME/forebay/forebay.toml` (or `~/.config/...`), `/etc/forebay/forebay.toml`.
//!
//! An unknown key, in the file or the environment, is an error that names the nearest known one: a misspelt limit that is
//! silently ignored is worse than a program that does not start.
//!
//! [`settings`] is the table, [`layers`] reads the four places, this file holds the result as types.

mod layers;
mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;

pub(crate) use layers::{Effective, read_environment};
pub(crate) use settings::SETTINGS;

/// Every value the program runs with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) data: Data,
    pub(crate) embed: Embed,
    pub(crate) index: Index,
    pub(crate) log: Log,
    pub(crate) meter: Meter,
    pub(crate) models: Models,
    pub(crate) retention: Retention,
    pub(crate) search: Search,
    pub(crate) serve: Serve,
    pub(crate) sidecar: Sidecar,
}

/// Where things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    /// Folder of all state; the index is its sub-folder `index`.
    pub(crate) dir: PathBuf,
}

/// How events are embedded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Embed {
    /// Events in one call of the network.
    pub(crate) batch: usize,
    /// `auto`, `fp32` or `int8`.
    pub(crate) precision: String,
    /// Workers, each with a session of one thread; 0 is one for each core.
    pub(crate) threads: usize,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// `auto`, `human` or `json`.
    pub(crate) format: String,
    /// A `tracing` filter, for example `info` or `forebay_api=debug`.
    pub(crate) level: String,
}

/// How packets become flows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meter {
    pub(crate) active_timeout_s: u64,
    pub(crate) activity_timeout_s: u64,
    pub(crate) flows_max: usize,
    pub(crate) idle_timeout_s: u64,
    pub(crate) node_id: String,
    pub(crate) sensor: String,
}

/// Which networks are used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Models {
    /// Folder of the event model; empty is the built-in one.
    pub(crate) event: PathBuf,
    /// Folder of the query model; empty is the built-in one.
    pub(crate) query: PathBuf,
    /// The ONNX Runtime library; empty is to look for it.
    pub(crate) runtime: PathBuf,
}

/// How segments of the index are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    /// What compares vectors in segments of `engine_from` events or more.
    pub(crate) engine: String,
    /// Events from which a segment gets that engine.
    pub(crate) engine_from: usize,
    /// Bytes of mapped files above which memory is given back; 0 is none.
    pub(crate) resident_bytes_max: u64,
}

/// What the index keeps; 0 is no limit.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "each is an upper bound, and its key says so")]
pub(crate) struct Retention {
    pub(crate) max_age_days: f64,
    pub(crate) max_bytes: u64,
    pub(crate) max_events: u64,
}

/// How questions are answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// Hits where a question does not say.
    pub(crate) k: usize,
    /// Cosine below which an event is no answer to the words.
    pub(crate) min_similarity: f32,
    /// Weight of BM25 beside the vectors.
    pub(crate) text_weight: f32,
}

/// The HTTP service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serve {
    pub(crate) body_bytes_max: u64,
    pub(crate) concurrent_max: usize,
    /// The folder that copies of the index are made in; empty is none.
    pub(crate) copies_dir: PathBuf,
    pub(crate) k_max: usize,
    pub(crate) listen: SocketAddr,
    pub(crate) shutdown_s: u64,
    pub(crate) timeout_s: u64,
    /// Bearer token; empty is none, which only a loopback address may have.
    pub(crate) token: String,
}

/// The sidecar. `targets` and `host` are read by the sidecar's own parsers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sidecar {
    pub(crate) budget_bytes: u64,
    pub(crate) changes_per_s: u32,
    pub(crate) hold_ms: u64,
    pub(crate) host: String,
    pub(crate) interfaces: String,
    pub(crate) listen: SocketAddr,
    pub(crate) policy: String,
    /// The Unix socket of recommendations; empty is none.
    pub(crate) socket: PathBuf,
    pub(crate) state_file: PathBuf,
    pub(crate) targets: String,
    pub(crate) tick_ms: u64,
    /// Bearer token; empty is none, which only a loopback address may have.
    pub(crate) token: String,
}

impl Config {
    /// The values as types. `effective` has checked each value by its kind, so a failure here is a fault of the table.
    pub(crate) fn from_effective(effective: &Effective) -> anyhow::Result<Self> {
        let mut config: Self =
            effective.to_table().try_into().context("the table of settings and the types disagree")?;
        let Self { data, models, serve, sidecar, .. } = &mut config;
        let models = [&mut models.event, &mut models.query, &mut models.runtime];
        let places = [&mut data.dir, &mut serve.copies_dir, &mut sidecar.socket, &mut sidecar.state_file];
        for path in models.into_iter().chain(places) {
            *path = settings::expand_home(path);
        }
        Ok(config)
    }
}

impl From<Retention> for forebay_index::Retention {
    fn from(kept: Retention) -> Self {
        let limit = |most: u64| (most > 0).then_some(most);
        let max_age = (kept.max_age_days > 0.0).then(|| Duration::from_secs_f64(kept.max_age_days * SECONDS_A_DAY));
        Self { max_age, max_events: limit(kept.max_events), max_bytes: limit(kept.max_bytes) }
    }
}

const SECONDS_A_DAY: f64 = 86_400.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_fit_the_types() {
        let effective = Effective::from_defaults();
        let config = Config::from_effective(&effective).unwrap();
        assert_eq!(config.serve.listen.to_string(), "127.0.0.1:8787");
        assert!(!config.data.dir.starts_with("~"));
    }
}
