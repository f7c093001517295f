//! Forms that other crates own, described for the `OpenAPI` document. Nothing here is ever made: the real types are
//! `forebay_event::Event` and `forebay_index::Filter`, and tests hold the two together.

#![expect(dead_code, reason = "these types exist for their descriptions alone")]
#![expect(clippy::struct_field_names, reason = "the names are those of the event")]

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// One bidirectional network flow.
#[derive(Serialize, ToSchema)]
pub(crate) struct Event {
    /// Version of this form: "1".
    schema_version: String,
    /// UUID, version 7.
    #[schema(format = Uuid)]
    event_id: String,
    /// Time of the first packet, Unix epoch, microseconds.
    start_us: i64,
    /// Time of the last packet, Unix epoch, microseconds.
    end_us: i64,
    /// The machine that saw the flow.
    node_id: String,
    /// The program that saw the flow.
    sensor: String,
    /// The interface, or the file, it was seen on.
    interface: String,
    /// Who spoke with whom.
    flow: Flow,
    /// What they spoke, where a source knows it.
    app: App,
    /// What detectors made of it, each 0 to 1.
    scores: Scores,
    /// What it was judged to be.
    class: Class,
    /// What an analyst or a data set says it was.
    label: Label,
    /// The 83 features by name; null where unknown.
    #[schema(value_type = BTreeMap<String, Option<f64>>)]
    features: BTreeMap<String, Option<f64>>,
    /// The journal's seal, where there is one.
    #[schema(value_type = Option<Object>)]
    integrity: Option<()>,
}

/// The two ends of a flow. Source is the sender of the first packet.
#[derive(Serialize, ToSchema)]
#[schema(as = EventFlow)]
pub(crate) struct Flow {
    /// IPv4 or IPv6.
    src_ip: String,
    /// IPv4 or IPv6.
    dst_ip: String,
    /// 0 where the protocol has no ports.
    src_port: u16,
    /// 0 where the protocol has no ports.
    dst_port: u16,
    /// IANA protocol number.
    protocol: u8,
    /// Outermost VLAN identifier.
    vlan: Option<u16>,
    /// Which piece of a flow that was cut at the active timeout; 0 for the first.
    segment: u32,
    /// Community ID v1.
    community_id: String,
}

/// The application.
#[derive(Serialize, ToSchema)]
#[schema(as = EventApp)]
pub(crate) struct App {
    /// For example `tls`.
    protocol: Option<String>,
    /// TLS SNI, HTTP Host or DNS name. Untrusted text: whoever sent the packet chose it.
    host: Option<String>,
}

/// Scores, each 0 to 1.
#[derive(Serialize, ToSchema)]
#[schema(as = EventScores)]
pub(crate) struct Scores {
    fast: Option<f32>,
    ml: Option<f32>,
    r#final: Option<f32>,
    divergence: Option<f32>,
}

/// The judgement.
#[derive(Serialize, ToSchema)]
#[schema(as = EventClass)]
pub(crate) struct Class {
    /// `benign`, `suspicious` or `malicious`.
    verdict: Option<String>,
    /// For example `port_scan`.
    family: Option<String>,
    /// ATT&CK technique, for example `T1046`.
    technique: Option<String>,
}

/// Ground truth.
#[derive(Serialize, ToSchema)]
#[schema(as = EventLabel)]
pub(crate) struct Label {
    truth: Option<String>,
    validated: bool,
}

/// A condition on one event: an object with one member, whose name is the kind of condition.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(no_recursion)]
pub(crate) enum Filter {
    /// All of these hold; of none, true.
    And(Vec<Filter>),
    /// At least one of these holds; of none, false.
    Or(Vec<Filter>),
    /// This does not hold. An unknown value satisfies `not`.
    Not(Box<Filter>),
    /// An address lies in a network, for example `{"ip": {"end": "src", "net": "10.0.0.0/8"}}`.
    Ip {
        end: End,
        /// A network with its length; a single address has /32 or /128.
        net: String,
    },
    /// A port lies in `from..=to`.
    Port { end: End, from: u16, to: u16 },
    /// The IANA protocol number.
    Protocol(u8),
    /// The service, by its name or a known alias.
    Service(String),
    /// The flow started in `from_us..to_us` (Unix epoch, microseconds); an absent end is open.
    Time { from_us: Option<i64>, to_us: Option<i64> },
    /// `benign`, `suspicious` or `malicious`.
    Verdict(String),
    /// `class.family`, ignoring ASCII case.
    Family(String),
    /// `app.host`, ignoring ASCII case.
    Host { how: HostMatch, host: String },
    /// A feature compared with a number; an unknown feature never matches.
    Feature {
        /// A name of a feature, or `bytes` or `packets` (both directions).
        name: String,
        op: Compare,
        value: f64,
    },
}

/// An end of a flow.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    Src,
    Dst,
    Any,
}

/// How a host name is compared: the whole name, the name or one below it, or anywhere in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostMatch {
    Exact,
    Domain,
    Contains,
}

/// A comparison of numbers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compare {
    Lt,
    Le,
    Eq,
    Ge,
    Gt,
}
