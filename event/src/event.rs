//! One bidirectional network flow, as it is seen, scored, classed and labelled.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::{EventId, Features, SCHEMA_VERSION};

/// One flow: the envelope and the features.
///
/// Absent strings of origin (`node_id`, `sensor`, `interface`) are empty; everything else that may be unknown is an
/// `Option`. The lengths of strings are bounded by [`crate::limits`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Always [`SCHEMA_VERSION`] in what this version writes.
    pub schema_version: String,
    /// The key by which an event is known everywhere.
    pub event_id: EventId,
    /// Time of the first packet, Unix epoch, microseconds.
    pub start_us: i64,
    /// Time of the last packet, Unix epoch, microseconds.
    pub end_us: i64,
    /// The machine that saw the flow.
    #[serde(default)]
    pub node_id: String,
    /// The program that saw the flow.
    #[serde(default)]
    pub sensor: String,
    /// The interface, or the file, it was seen on.
    #[serde(default)]
    pub interface: String,
    /// Who spoke with whom.
    pub flow: Flow,
    /// What they spoke, where a source knows it.
    #[serde(default)]
    pub app: App,
    /// What detectors made of it.
    #[serde(default)]
    pub scores: Scores,
    /// What it was judged to be.
    #[serde(default)]
    pub class: Class,
    /// What an analyst or a data set says it was.
    #[serde(default)]
    pub label: Label,
    /// The 83 features.
    #[serde(default)]
    pub features: Features,
    /// The journal's seal, where there is one.
    #[serde(default)]
    pub integrity: Option<Integrity>,
}

/// The two ends of a flow. Source is the sender of the first packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Address of the sender of the first packet.
    pub src_ip: IpAddr,
    /// Address of the other end.
    pub dst_ip: IpAddr,
    /// 0 where the protocol has no ports.
    #[serde(default)]
    pub src_port: u16,
    /// 0 where the protocol has no ports.
    #[serde(default)]
    pub dst_port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Outermost VLAN identifier.
    #[serde(default)]
    pub vlan: Option<u16>,
    /// Which piece of a flow that was cut at the active timeout; 0 for the first.
    #[serde(default)]
    pub segment: u32,
    /// Community ID v1 of the 5-tuple.
    #[serde(default)]
    pub community_id: String,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            src_ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            dst_ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            src_port: 0,
            dst_port: 0,
            protocol: 0,
            vlan: None,
            segment: 0,
            community_id: String::new(),
        }
    }
}

/// The application, as far as a source knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct App {
    /// Lower case, for example `tls` or `dns`.
    pub protocol: Option<String>,
    /// TLS SNI, HTTP Host or DNS name. Untrusted text: whoever sent the packet chose it.
    pub host: Option<String>,
}

/// Scores of detectors, each 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scores {
    /// The fast rule-like detector.
    pub fast: Option<f32>,
    /// The learned detector.
    pub ml: Option<f32>,
    /// `max(fast, ml)` when both are known.
    pub r#final: Option<f32>,
    /// `abs(fast - ml)` when both are known.
    pub divergence: Option<f32>,
}

/// The judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Class {
    /// How bad it is.
    pub verdict: Option<Verdict>,
    /// For example `port_scan`.
    pub family: Option<String>,
    /// ATT&CK technique, for example `T1046`.
    pub technique: Option<String>,
}

/// How bad a flow was judged to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing wrong with it.
    Benign,
    /// Worth a look.
    Suspicious,
    /// An attack.
    Malicious,
}

/// Final score from which a flow is malicious, unless its source says otherwise.
pub const MALICIOUS_FROM: f32 = 0.70;

/// Ground truth. Never an input of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Label {
    /// What it really was.
    pub truth: Option<String>,
    /// Whether a person confirmed it.
    pub validated: bool,
}

/// The journal's seal on an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integrity {
    /// Place in the journal.
    pub seq: u64,
    /// Hex digest of the record before.
    pub prev: String,
    /// Hex message authentication code of this record.
    pub mac: String,
}

impl Default for Event {
    fn default() -> Self {
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            event_id: EventId::NIL,
            start_us: 0,
            end_us: 0,
            node_id: String::new(),
            sensor: String::new(),
            interface: String::new(),
            flow: Flow::default(),
            app: App::default(),
            scores: Scores::default(),
            class: Class::default(),
            label: Label::default(),
            features: Features::UNKNOWN,
            integrity: None,
        }
    }
}

impl Event {
    /// Fills what follows from other fields and was not given: `scores.final` and `scores.divergence`, and a verdict of
    /// malicious from a final score of at least [`MALICIOUS_FROM`].
    pub fn complete(&mut self) {
        self.scores.complete();
        self.complete_verdict();
    }

    pub(crate) fn complete_verdict(&mut self) {
        if self.class.verdict.is_none() && self.scores.r#final.is_some_and(|score| score >= MALICIOUS_FROM) {
            self.class.verdict = Some(Verdict::Malicious);
        }
    }
}

impl Verdict {
    /// The verdict called `word` in JSON.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Benign, Self::Suspicious, Self::Malicious].into_iter().find(|verdict| verdict.as_str() == word)
    }

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Suspicious => "suspicious",
            Self::Malicious => "malicious",
        }
    }
}

impl Scores {
    /// Fills `final` and `divergence` from `fast` and `ml` where both are known and the source gave neither.
    pub fn complete(&mut self) {
        if let (Some(fast), Some(ml)) = (self.fast, self.ml) {
            self.r#final.get_or_insert(fast.max(ml));
            self.divergence.get_or_insert((fast - ml).abs());
        }
    }
}
