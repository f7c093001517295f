//! Structured filters: what must hold of an event, exactly.
//!
//! A filter is a small tree. Its JSON form names the node as the key, for example
//! `{"and": [{"port": {"end": "dst", "from": 22, "to": 22}}, {"not": {"ip": {"end": "src", "net": "10.0.0.0/8"}}}]}`.
//! [`Filter::matches`] is the meaning of every node; the engines must agree with it on every event.

mod describe;
mod matching;
mod validate;

pub use describe::{Met, protocol_name};
pub use matching::feature_value;
pub use validate::{FilterError, SUM_NAMES};

pub(crate) use matching::{MAPPED_PREFIX, host_matches, service_place};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use forebay_event::Verdict;

/// A condition on one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Filter {
    /// All of these hold; of none, true.
    And(Vec<Filter>),
    /// At least one of these holds; of none, false.
    Or(Vec<Filter>),
    /// This does not hold. An event whose value is unknown does not satisfy the inner filter, so it satisfies this one.
    Not(Box<Filter>),
    /// An address lies in a network; a single address is a network of full length.
    Ip {
        /// Which end of the flow.
        end: End,
        /// The network, IPv4 or IPv6.
        net: IpNet,
    },
    /// A port lies in `from..=to`.
    Port {
        /// Which end of the flow.
        end: End,
        /// Lowest port.
        from: u16,
        /// Highest port, inclusive.
        to: u16,
    },
    /// The IANA protocol number.
    Protocol(u8),
    /// The service, by a name or alias of `forebay_event::service::SERVICES`.
    Service(String),
    /// The flow started in `from_us..to_us`; an absent end is open. Unix epoch, microseconds.
    Time {
        /// First microsecond that counts.
        from_us: Option<i64>,
        /// First microsecond that no longer counts.
        to_us: Option<i64>,
    },
    /// The judgement.
    Verdict(Verdict),
    /// `class.family`, ignoring ASCII case.
    Family(String),
    /// `app.host`, ignoring ASCII case.
    Host {
        /// How to compare.
        how: HostMatch,
        /// What to compare with.
        host: String,
    },
    /// A feature compared with a number; an unknown feature never matches.
    Feature {
        /// A name of `forebay_event::FEATURE_NAMES`, or `bytes` or `packets`: the sum of the directions the source knows.
        name: String,
        /// The comparison.
        op: Compare,
        /// The number, in the feature's own unit.
        value: f64,
    },
}

/// An end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The sender of the first packet.
    Src,
    /// The other end.
    Dst,
    /// Either.
    Any,
}

/// How a host name is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostMatch {
    /// The whole name.
    Exact,
    /// The name, or a name below it: `example.org` matches `www.example.org`, not `badexample.org`.
    Domain,
    /// Anywhere in the name.
    Contains,
}

/// A comparison of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// Less than.
    Lt,
    /// At most.
    Le,
    /// Equal.
    Eq,
    /// At least.
    Ge,
    /// Greater than.
    Gt,
}
