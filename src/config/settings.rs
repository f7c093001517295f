//! The table of settings: every key with its default, its kind and what it is for.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::Value;

/// One value that can be set.
pub(crate) struct Setting {
    /// Section and name, for example `serve.listen`.
    pub(crate) key: &'static str,
    /// The default as text, read by [`Kind::parse`].
    pub(crate) default: &'static str,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// One sentence for `--help` and the documentation.
    pub(crate) help: &'static str,
}

/// What values a setting takes.
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// Text that is not empty.
    Filled,
    /// Text that is not shown to anyone.
    Secret,
    /// A socket address such as `127.0.0.1:8787`.
    Address,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number, bounds included.
    Integer(i64, i64),
    /// A number, bounds included.
    Number(f64, f64),
}

const fn setting(key: &'static str, default: &'static str, kind: Kind, help: &'static str) -> Setting {
    Setting { key, default, kind, help }
}

/// Every setting, in the order of their keys.
pub(crate) const SETTINGS: &[Setting] = &[
    setting(
        "data.dir",
        "~/.local/share/forebay",
        Kind::Filled,
        "Folder of all state; the index is its sub-folder `index`",
    ),
    setting("embed.batch", "1024", Kind::Integer(1, 1024), "Events in one call of the network"),
    setting("embed.precision", "auto", Kind::OneOf(&["auto", "fp32", "int8"]), "Which file of a model is used"),
    setting(
        "embed.threads",
        "0",
        Kind::Integer(0, 1024),
        "Embedding workers of one thread each; 0 is one for each core",
    ),
    setting(
        "index.engine",
        "cells",
        Kind::Filled,
        "What compares vectors in large segments: cells, flat, faiss:FACTORY (such as faiss:HNSW32), hnsw[@m=16,efc=200,ef=128]",
    ),
    setting(
        "index.engine_from",
        "8192",
        Kind::Integer(1, 4_000_000),
        "Events from which a segment is large; in smaller ones all that match is compared",
    ),
    setting(
        "index.resident_bytes_max",
        "0",
        Kind::Integer(0, 1 << 50),
        "Give memory of mapped files back above this, at the price of reading again; 0 leaves it to the system",
    ),
    setting("log.format", "auto", Kind::OneOf(&["auto", "human", "json"]), "Log lines for people or for programs"),
    setting("log.level", "info", Kind::Text, "What is logged: error, warn, info, debug, trace, or a filter by module"),
    setting("meter.active_timeout_s", "120", Kind::Integer(1, 3_600), "A flow is cut after this long"),
    setting("meter.activity_timeout_s", "5", Kind::Integer(1, 3_600), "A longer gap ends a flow's active period"),
    setting(
        "meter.flows_max",
        "1000000",
        Kind::Integer(1, 100_000_000),
        "Flows followed at once; the oldest idle one goes",
    ),
    setting("meter.idle_timeout_s", "120", Kind::Integer(1, 86_400), "A flow ends after this long without a packet"),
    setting("meter.node_id", "", Kind::Text, "Name of this machine, written into every event"),
    setting("meter.sensor", "forebay", Kind::Text, "Name of this program, written into every event"),
    setting("models.event", "", Kind::Text, "Folder of the event model; empty is the built-in one"),
    setting("models.query", "", Kind::Text, "Folder of the query model; empty is the built-in one"),
    setting("models.runtime", "", Kind::Text, "The ONNX Runtime library; empty is to look in the usual places"),
    setting(
        "retention.max_age_days",
        "0",
        Kind::Number(0.0, 100_000.0),
        "Drop events that started longer ago, by whole segments; 0 keeps all",
    ),
    setting(
        "retention.max_bytes",
        "0",
        Kind::Integer(0, 1 << 50),
        "Drop the oldest while the index is larger; 0 is no limit",
    ),
    setting(
        "retention.max_events",
        "0",
        Kind::Integer(0, 1 << 40),
        "Drop the oldest while there are more events; 0 is no limit",
    ),
    setting("search.k", "10", Kind::Integer(1, 1_000), "Hits where a question does not say"),
    setting(
        "search.min_similarity",
        "0",
        Kind::Number(-1.0, 1.0),
        "Cosine below which an event is no answer to the words",
    ),
    setting("search.text_weight", "0.1", Kind::Number(0.0, 0.5), "Weight of BM25 beside the vectors"),
    setting(
        "serve.body_bytes_max",
        "1073741824",
        Kind::Integer(1_024, 1 << 40),
        "Longest body of an ingest request, in bytes",
    ),
    setting("serve.concurrent_max", "64", Kind::Integer(1, 65_536), "Searches at once; more are told to come back"),
    setting(
        "serve.copies_dir",
        "",
        Kind::Text,
        "Folder for copies of the index that requests ask for; empty allows none",
    ),
    setting("serve.k_max", "1000", Kind::Integer(1, 1_000), "Most hits that one request may ask for"),
    setting(
        "serve.listen",
        "127.0.0.1:8787",
        Kind::Address,
        "Address of the HTTP service; not loopback needs `serve.token`",
    ),
    setting(
        "serve.shutdown_s",
        "10",
        Kind::Integer(0, 600),
        "How long requests in flight may take after a stop signal",
    ),
    setting("serve.timeout_s", "30", Kind::Integer(1, 3_600), "How long one search may take"),
    setting("serve.token", "", Kind::Secret, "Bearer token that requests must carry; empty is none"),
    setting(
        "sidecar.budget_bytes",
        "67108864",
        Kind::Integer(65_536, 1 << 40),
        "Memory that all watched buffers share, as the kernel counts it",
    ),
    setting("sidecar.changes_per_s", "20", Kind::Integer(1, 1_000), "Changes of one buffer a second at most"),
    setting(
        "sidecar.hold_ms",
        "10000",
        Kind::Integer(0, 3_600_000),
        "How long a limit stays after it was last needed, unless others lack the room",
    ),
    setting(
        "sidecar.host",
        "",
        Kind::Text,
        "Limits of the machine raised while the sidecar runs: net.core.netdev_max_backlog=N; net.ipv4.udp_mem=N,N,N; pfifo:INTERFACE=N",
    ),
    setting(
        "sidecar.interfaces",
        "",
        Kind::Text,
        "Where arrivals are counted: names separated by `,`, `none`, or nothing for all interfaces that are up",
    ),
    setting(
        "sidecar.listen",
        "127.0.0.1:8788",
        Kind::Address,
        "Address of recommendations, reports and metrics; not loopback needs `sidecar.token`",
    ),
    setting(
        "sidecar.policy",
        "max_of_window",
        Kind::OneOf(&["static", "always_big", "reactive_doubling", "max_of_window", "ewma", "pd"]),
        "The rule that says what a buffer needs",
    ),
    setting(
        "sidecar.socket",
        "/run/forebay/sidecar.sock",
        Kind::Text,
        "Unix socket of the stream of recommendations; empty is none",
    ),
    setting(
        "sidecar.state_file",
        "/run/forebay/sidecar.json",
        Kind::Filled,
        "Where it is written down what is changed, so that it can be put back after a crash",
    ),
    setting(
        "sidecar.targets",
        "",
        Kind::Text,
        "What is watched, such as `port:514; process:nfcapd min=256k max=64M` (docs/sidecar.md has all options)",
    ),
    setting("sidecar.tick_ms", "10", Kind::Integer(1, 1_000), "How often the buffers are looked at"),
    setting("sidecar.token", "", Kind::Secret, "Bearer token that HTTP requests must carry; empty is none"),
];

impl Setting {
    /// `serve.listen` as `serve-listen`.
    pub(crate) fn flag(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }

    /// `serve.listen` as `FOREBAY_SERVE_LISTEN`.
    pub(crate) fn variable(&self) -> String {
        format!("FOREBAY_{}", self.key.replace('.', "_").to_uppercase())
    }

    /// The setting called `key`, or the nearest known key.
    pub(crate) fn find(key: &str) -> Result<&'static Self, &'static str> {
        SETTINGS.iter().find(|setting| setting.key == key).ok_or_else(|| nearest(key, SETTINGS.iter().map(|s| s.key)))
    }
}

/// The candidate most like `name`.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> &'a str {
    candidates.max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b))).unwrap_or("")
}

impl Kind {
    /// Reads a value written as text: a flag, a variable or a default.
    pub(crate) fn parse(&self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::Integer(..) => {
                Value::Integer(text.trim().parse().map_err(|_| format!("`{text}` is not a whole number"))?)
            }
            Self::Number(..) => Value::Float(text.trim().parse().map_err(|_| format!("`{text}` is not a number"))?),
            _ => Value::String(text.to_owned()),
        };
        self.check(value)
    }

    /// The value itself if it is of this kind, or what is wrong with it.
    pub(crate) fn check(&self, value: Value) -> Result<Value, String> {
        match (self, value) {
            (Self::Filled, Value::String(text)) if text.is_empty() => Err("it must not be empty".to_owned()),
            (Self::Text | Self::Filled | Self::Secret, Value::String(text)) => Ok(Value::String(text)),
            (Self::Address, Value::String(text)) => match text.parse::<SocketAddr>() {
                Ok(_) => Ok(Value::String(text)),
                Err(_) => Err(format!("`{text}` is not an address with a port, such as 127.0.0.1:8787")),
            },
            (Self::OneOf(words), Value::String(text)) if words.contains(&text.as_str()) => Ok(Value::String(text)),
            (Self::OneOf(words), Value::String(text)) => Err(format!("`{text}` is none of {}", words.join(", "))),
            (Self::Integer(low, high), Value::Integer(number)) if (low..=high).contains(&&number) => {
                Ok(Value::Integer(number))
            }
            (Self::Integer(low, high), Value::Integer(number)) => Err(format!("{number} is not in {low}..={high}")),
            (Self::Number(low, high), Value::Float(number)) if (low..=high).contains(&&number) => {
                Ok(Value::Float(number))
            }
            (Self::Number(low, high), Value::Float(number)) => Err(format!("{number} is not in {low}..={high}")),
            (Self::Number(..), Value::Integer(number)) => self.check(Value::Float(number as f64)),
            (_, other) => Err(format!("a {} stands where {} is wanted", other.type_str(), self.wanted())),
        }
    }

    fn wanted(&self) -> &'static str {
        match self {
            Self::Integer(..) => "a whole number",
            Self::Number(..) => "a number",
            _ => "text in quotes",
        }
    }
}

/// `~/x` as `x` in the user's home folder; anything else as it is.
pub(crate) fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_of_its_kind_and_every_key_once() {
        for setting in SETTINGS {
            assert!(setting.kind.parse(setting.default).is_ok(), "{}", setting.key);
        }
        assert!(SETTINGS.windows(2).all(|pair| pair[0].key < pair[1].key), "the table is in the order of its keys");
    }

    #[test]
    fn a_misspelt_key_finds_its_neighbour() {
        assert_eq!(Setting::find("serve.lisen").err(), Some("serve.listen"));
        assert_eq!(Setting::find("meter.flow_max").err(), Some("meter.flows_max"));
    }

    #[test]
    fn wrong_values_are_told_apart() {
        let weight = Setting::find("search.text_weight").ok().unwrap();
        assert!(weight.kind.parse("0.9").unwrap_err().contains("0..=0.5"));
        assert!(weight.kind.check(Value::String("x".into())).unwrap_err().contains("a number"));
        assert!(weight.kind.parse("NaN").is_err());
    }
}
