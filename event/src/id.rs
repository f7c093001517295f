//! Event identifiers: UUID version 7 (RFC 9562, section 5.7).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// The key of an event. Ordered by the time of the flow's first packet, to the millisecond.
///
/// An importer *derives* it from what it read ([`EventId::derive`]), so that the same capture read twice gives the same
/// identifiers, and a resumed job does not store an event under two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Uuid);

impl EventId {
    /// The identifier of no event.
    pub const NIL: Self = Self(Uuid::nil());

    /// An identifier with the time of `start_us` and 74 bits of SHA-256 over `parts` in place of random ones.
    ///
    /// `parts` must tell the event apart within its millisecond: the bytes of the line, or the 5-tuple with the flow's
    /// ordinal. Times before 1970 count as 1970.
    pub fn derive(start_us: i64, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let digest = hasher.finalize();
        let mut bits = [0u8; 10];
        bits.copy_from_slice(&digest[..10]);
        let millis = u64::try_from(start_us / 1000).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &bits).into_uuid())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EventId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_version_7_stable_and_apart() {
        let id = EventId::derive(1_700_000_000_123_456, &[b"line"]);
        assert_eq!(id, EventId::derive(1_700_000_000_123_999, &[b"line"]));
        assert_ne!(id, EventId::derive(1_700_000_000_123_456, &[b"li", b"ne"]));
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.0.as_u128() >> 80, 1_700_000_000_123);
    }
}
