//! What the sidecar sees and does at one moment, for people, programs and metrics.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use crate::target::Kind;

/// Version of the form of reports and recommendations.
pub const VERSION: u32 = 1;

/// One moment. Bytes are truesize.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// When, in microseconds since 1970.
    pub time_us: i64,
    /// The rule in use.
    pub policy: &'static str,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// The memory that all buffers share.
    pub budget_bytes: u64,
    /// The sum of all ceilings in force.
    pub committed_bytes: u64,
    /// The sum of what is queued.
    pub queued_bytes: u64,
    /// Whether the budget keeps someone from what they want.
    pub is_short: bool,
    /// The worth of the next byte, in prices of a dropped byte.
    pub price: f64,
    /// Targets, in the order of the configuration.
    pub targets: Vec<TargetReport>,
    /// Buffers, by target.
    pub buffers: Vec<BufferReport>,
    /// What was counted since the start.
    pub counts: Counts,
    /// Interfaces on which arrivals are counted.
    pub interfaces: usize,
    /// How long the last tick took, in microseconds.
    pub tick_us: u64,
    /// How long the last look for programs took, in microseconds.
    pub pass_us: u64,
}

/// One target. The sums outlive its buffers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetReport {
    /// Its name.
    pub name: String,
    /// Buffers it has now.
    pub buffers: usize,
    /// What they hold.
    pub queued_bytes: u64,
    /// The sum of their ceilings.
    pub ceiling_bytes: u64,
    /// Packets dropped since the start.
    pub dropped_packets: u64,
    /// Bytes that arrived since the start; see [`BufferReport::arrived_bytes`].
    pub arrived_bytes: u64,
    /// Packets that arrived since the start, where they are counted. So the next two.
    pub arrived_packets: u64,
    /// Flows that began.
    pub new_flows: u64,
    /// TCP connection requests.
    pub syns: u64,
}

/// One buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferReport {
    /// The inode; unique among the buffers there are.
    pub id: u64,
    /// Name of its target.
    pub target: String,
    /// Name of its program.
    pub program: String,
    /// The process it is reached through.
    pub pid: u32,
    /// What kind.
    pub kind: Kind,
    /// Its local port; 0 for none.
    pub port: u16,
    /// What is queued.
    pub queued_bytes: u64,
    /// The limit in force.
    pub ceiling_bytes: u64,
    /// The limit it should have.
    pub recommended_bytes: u64,
    /// The limit its program or the kernel gave it.
    pub original_bytes: u64,
    /// Packets dropped since it was met.
    pub dropped_packets: u64,
    /// Bytes that arrived since it was met. Where nothing counts arrivals: those that were still queued at the end of their
    /// tick, and those dropped, so at least this many.
    pub arrived_bytes: u64,
    /// Packets that arrived since it was met, where they are counted.
    pub arrived_packets: u64,
    /// Whether arrivals are counted.
    pub is_counted: bool,
    /// Whether its limit is set, and not only recommended.
    pub is_applied: bool,
    /// Quantiles .5, .9, .99 and .999 of the backlog to come, where the rule forecasts.
    pub forecast_bytes: Option<[u64; 4]>,
}

/// The size one buffer should have, for programs that size themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The inode of the socket or pipe.
    pub id: u64,
    /// Name of its target.
    pub target: String,
    /// The process it is reached through.
    pub pid: u32,
    /// Its local port; 0 for none.
    pub port: u16,
    /// The limit it should have, in truesize. `SO_RCVBUF` takes half of it: the kernel doubles what it is given.
    pub recommended_bytes: u64,
}

impl From<&BufferReport> for Recommendation {
    fn from(buffer: &BufferReport) -> Self {
        Self {
            id: buffer.id,
            target: buffer.target.clone(),
            pid: buffer.pid,
            port: buffer.port,
            recommended_bytes: buffer.recommended_bytes,
        }
    }
}
