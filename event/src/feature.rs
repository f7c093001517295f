//! The 83 features of a flow: their names, order and units, and the array that holds them.
//!
//! Conventions that hold for all of them: forward is the direction of the first packet; a length is the IP length;
//! times are microseconds, rates per second, lengths bytes; deviations are of the population. A feature that a
//! source cannot give is NaN here and `null` in JSON.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// How many features an event has.
pub const FEATURE_COUNT: usize = 83;

/// Names, in the order of the array and of the JSON object.
pub const FEATURE_NAMES: [&str; FEATURE_COUNT] = [
    "duration",
    "spkts",
    "dpkts",
    "sbytes",
    "dbytes",
    "sload",
    "smean",
    "dmean",
    "flow_iat_mean",
    "flow_iat_std",
    "fwd_psh_flags",
    "bwd_psh_flags",
    "fwd_urg_flags",
    "bwd_urg_flags",
    "packet_len_mean",
    "packet_len_std",
    "packet_len_var",
    "fin_flag_count",
    "syn_flag_count",
    "rst_flag_count",
    "psh_flag_count",
    "ack_flag_count",
    "urg_flag_count",
    "dload",
    "rate",
    "srate",
    "drate",
    "spkts_ratio",
    "sbytes_ratio",
    "flow_iat_max",
    "flow_iat_min",
    "packet_len_max",
    "packet_len_min",
    "fwd_len_max",
    "fwd_len_min",
    "fwd_len_tot",
    "bwd_len_max",
    "bwd_len_min",
    "bwd_len_tot",
    "ece_flag_count",
    "cwr_flag_count",
    "fwd_header_len_mean",
    "bwd_header_len_mean",
    "fwd_iat_mean",
    "fwd_iat_std",
    "fwd_iat_max",
    "fwd_iat_min",
    "fwd_iat_tot",
    "bwd_iat_mean",
    "bwd_iat_std",
    "bwd_iat_max",
    "bwd_iat_min",
    "bwd_iat_tot",
    "active_mean",
    "active_max",
    "idle_mean",
    "idle_max",
    "fwd_len_std",
    "subflow_fwd_packets",
    "subflow_fwd_bytes",
    "subflow_bwd_packets",
    "subflow_bwd_bytes",
    "fwd_bulk_rate_avg",
    "fwd_bulk_size_avg",
    "fwd_bulk_duration_avg",
    "bwd_bulk_rate_avg",
    "bwd_bulk_size_avg",
    "bwd_bulk_duration_avg",
    "init_fwd_win_bytes",
    "init_bwd_win_bytes",
    "bwd_len_std",
    "fwd_header_len_max",
    "fwd_header_len_min",
    "bwd_header_len_max",
    "bwd_header_len_min",
    "flow_pkts_per_sec",
    "flow_bytes_per_sec",
    "down_up_ratio",
    "avg_packet_size",
    "avg_fwd_segment_size",
    "avg_bwd_segment_size",
    "fwd_avg_packets_bulk",
    "bwd_avg_packets_bulk",
];

/// Place of `duration`, us: last packet - first packet.
pub const DURATION: usize = 0;
/// Place of `spkts`, packets: forward.
pub const SPKTS: usize = 1;
/// Place of `dpkts`, packets: backward.
pub const DPKTS: usize = 2;
/// Place of `sbytes`, bytes: forward.
pub const SBYTES: usize = 3;
/// Place of `dbytes`, bytes: backward.
pub const DBYTES: usize = 4;
/// Place of `sload`, bit/s: sbytes * 8 / duration.
pub const SLOAD: usize = 5;
/// Place of `smean`, bytes: mean forward length.
pub const SMEAN: usize = 6;
/// Place of `dmean`, bytes: mean backward length.
pub const DMEAN: usize = 7;
/// Place of `flow_iat_mean`, us: both directions.
pub const FLOW_IAT_MEAN: usize = 8;
/// Place of `flow_iat_std`, us.
pub const FLOW_IAT_STD: usize = 9;
/// Place of `fwd_psh_flags`, count.
pub const FWD_PSH_FLAGS: usize = 10;
/// Place of `bwd_psh_flags`, count.
pub const BWD_PSH_FLAGS: usize = 11;
/// Place of `fwd_urg_flags`, count.
pub const FWD_URG_FLAGS: usize = 12;
/// Place of `bwd_urg_flags`, count.
pub const BWD_URG_FLAGS: usize = 13;
/// Place of `packet_len_mean`, bytes: both directions.
pub const PACKET_LEN_MEAN: usize = 14;
/// Place of `packet_len_std`, bytes.
pub const PACKET_LEN_STD: usize = 15;
/// Place of `packet_len_var`, bytes^2.
pub const PACKET_LEN_VAR: usize = 16;
/// Place of `fin_flag_count`, count.
pub const FIN_FLAG_COUNT: usize = 17;
/// Place of `syn_flag_count`, count.
pub const SYN_FLAG_COUNT: usize = 18;
/// Place of `rst_flag_count`, count.
pub const RST_FLAG_COUNT: usize = 19;
/// Place of `psh_flag_count`, count.
pub const PSH_FLAG_COUNT: usize = 20;
/// Place of `ack_flag_count`, count.
pub const ACK_FLAG_COUNT: usize = 21;
/// Place of `urg_flag_count`, count.
pub const URG_FLAG_COUNT: usize = 22;
/// Place of `dload`, bit/s: dbytes * 8 / duration.
pub const DLOAD: usize = 23;
/// Place of `rate`, packets/s: both directions.
pub const RATE: usize = 24;
/// Place of `srate`, packets/s: forward.
pub const SRATE: usize = 25;
/// Place of `drate`, packets/s: backward.
pub const DRATE: usize = 26;
/// Place of `spkts_ratio`, 0..1: spkts / (spkts + dpkts).
pub const SPKTS_RATIO: usize = 27;
/// Place of `sbytes_ratio`, 0..1: sbytes / (sbytes + dbytes).
pub const SBYTES_RATIO: usize = 28;
/// Place of `flow_iat_max`, us.
pub const FLOW_IAT_MAX: usize = 29;
/// Place of `flow_iat_min`, us.
pub const FLOW_IAT_MIN: usize = 30;
/// Place of `packet_len_max`, bytes.
pub const PACKET_LEN_MAX: usize = 31;
/// Place of `packet_len_min`, bytes.
pub const PACKET_LEN_MIN: usize = 32;
/// Place of `fwd_len_max`, bytes.
pub const FWD_LEN_MAX: usize = 33;
/// Place of `fwd_len_min`, bytes.
pub const FWD_LEN_MIN: usize = 34;
/// Place of `fwd_len_tot`, bytes: payload bytes (above L4), forward.
pub const FWD_LEN_TOT: usize = 35;
/// Place of `bwd_len_max`, bytes.
pub const BWD_LEN_MAX: usize = 36;
/// Place of `bwd_len_min`, bytes.
pub const BWD_LEN_MIN: usize = 37;
/// Place of `bwd_len_tot`, bytes: payload bytes (above L4), backward.
pub const BWD_LEN_TOT: usize = 38;
/// Place of `ece_flag_count`, count.
pub const ECE_FLAG_COUNT: usize = 39;
/// Place of `cwr_flag_count`, count.
pub const CWR_FLAG_COUNT: usize = 40;
/// Place of `fwd_header_len_mean`, bytes: IP + L4 headers.
pub const FWD_HEADER_LEN_MEAN: usize = 41;
/// Place of `bwd_header_len_mean`, bytes.
pub const BWD_HEADER_LEN_MEAN: usize = 42;
/// Place of `fwd_iat_mean`, us.
pub const FWD_IAT_MEAN: usize = 43;
/// Place of `fwd_iat_std`, us.
pub const FWD_IAT_STD: usize = 44;
/// Place of `fwd_iat_max`, us.
pub const FWD_IAT_MAX: usize = 45;
/// Place of `fwd_iat_min`, us.
pub const FWD_IAT_MIN: usize = 46;
/// Place of `fwd_iat_tot`, us.
pub const FWD_IAT_TOT: usize = 47;
/// Place of `bwd_iat_mean`, us.
pub const BWD_IAT_MEAN: usize = 48;
/// Place of `bwd_iat_std`, us.
pub const BWD_IAT_STD: usize = 49;
/// Place of `bwd_iat_max`, us.
pub const BWD_IAT_MAX: usize = 50;
/// Place of `bwd_iat_min`, us.
pub const BWD_IAT_MIN: usize = 51;
/// Place of `bwd_iat_tot`, us.
pub const BWD_IAT_TOT: usize = 52;
/// Place of `active_mean`, us.
pub const ACTIVE_MEAN: usize = 53;
/// Place of `active_max`, us.
pub const ACTIVE_MAX: usize = 54;
/// Place of `idle_mean`, us.
pub const IDLE_MEAN: usize = 55;
/// Place of `idle_max`, us.
pub const IDLE_MAX: usize = 56;
/// Place of `fwd_len_std`, bytes.
pub const FWD_LEN_STD: usize = 57;
/// Place of `subflow_fwd_packets`, packets.
pub const SUBFLOW_FWD_PACKETS: usize = 58;
/// Place of `subflow_fwd_bytes`, bytes.
pub const SUBFLOW_FWD_BYTES: usize = 59;
/// Place of `subflow_bwd_packets`, packets.
pub const SUBFLOW_BWD_PACKETS: usize = 60;
/// Place of `subflow_bwd_bytes`, bytes.
pub const SUBFLOW_BWD_BYTES: usize = 61;
/// Place of `fwd_bulk_rate_avg`, bytes/s.
pub const FWD_BULK_RATE_AVG: usize = 62;
/// Place of `fwd_bulk_size_avg`, bytes.
pub const FWD_BULK_SIZE_AVG: usize = 63;
/// Place of `fwd_bulk_duration_avg`, us.
pub const FWD_BULK_DURATION_AVG: usize = 64;
/// Place of `bwd_bulk_rate_avg`, bytes/s.
pub const BWD_BULK_RATE_AVG: usize = 65;
/// Place of `bwd_bulk_size_avg`, bytes.
pub const BWD_BULK_SIZE_AVG: usize = 66;
/// Place of `bwd_bulk_duration_avg`, us.
pub const BWD_BULK_DURATION_AVG: usize = 67;
/// Place of `init_fwd_win_bytes`, bytes: TCP window of the first forward packet, unscaled; null for other protocols.
pub const INIT_FWD_WIN_BYTES: usize = 68;
/// Place of `init_bwd_win_bytes`, bytes: the same, backward.
pub const INIT_BWD_WIN_BYTES: usize = 69;
/// Place of `bwd_len_std`, bytes.
pub const BWD_LEN_STD: usize = 70;
/// Place of `fwd_header_len_max`, bytes.
pub const FWD_HEADER_LEN_MAX: usize = 71;
/// Place of `fwd_header_len_min`, bytes.
pub const FWD_HEADER_LEN_MIN: usize = 72;
/// Place of `bwd_header_len_max`, bytes.
pub const BWD_HEADER_LEN_MAX: usize = 73;
/// Place of `bwd_header_len_min`, bytes.
pub const BWD_HEADER_LEN_MIN: usize = 74;
/// Place of `flow_pkts_per_sec`, packets/s: equals rate where duration > 0; kept because importers bring it.
pub const FLOW_PKTS_PER_SEC: usize = 75;
/// Place of `flow_bytes_per_sec`, bytes/s.
pub const FLOW_BYTES_PER_SEC: usize = 76;
/// Place of `down_up_ratio`, ratio: dbytes / sbytes; 0 if sbytes is 0.
pub const DOWN_UP_RATIO: usize = 77;
/// Place of `avg_packet_size`, bytes: mean payload length, both directions.
pub const AVG_PACKET_SIZE: usize = 78;
/// Place of `avg_fwd_segment_size`, bytes: mean payload length, forward.
pub const AVG_FWD_SEGMENT_SIZE: usize = 79;
/// Place of `avg_bwd_segment_size`, bytes: mean payload length, backward.
pub const AVG_BWD_SEGMENT_SIZE: usize = 80;
/// Place of `fwd_avg_packets_bulk`, packets.
pub const FWD_AVG_PACKETS_BULK: usize = 81;
/// Place of `bwd_avg_packets_bulk`, packets.
pub const BWD_AVG_PACKETS_BULK: usize = 82;

/// The features of one event, in the order of [`FEATURE_NAMES`]; NaN where the source does not know.
#[derive(Clone, Copy, PartialEq)]
pub struct Features(pub [f64; FEATURE_COUNT]);

impl Features {
    /// No feature known.
    pub const UNKNOWN: Self = Self([f64::NAN; FEATURE_COUNT]);

    /// The value of the feature at `place`, if it is known.
    pub fn known(&self, place: usize) -> Option<f64> {
        Some(self.0[place]).filter(|value| !value.is_nan())
    }

    /// Equal where known and unknown in the same places; `==` says false wherever a NaN stands.
    pub fn same(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
    }
}

impl Default for Features {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = FEATURE_NAMES.iter().zip(&self.0).filter(|(_, value)| !value.is_nan());
        f.debug_map().entries(known).finish()
    }
}

/// The place of the feature called `name`.
pub fn place_of(name: &str) -> Option<usize> {
    /// The names in order of the alphabet, and where each stands.
    static PLACES: LazyLock<Vec<(&str, usize)>> = LazyLock::new(|| {
        let mut places: Vec<_> = FEATURE_NAMES.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        places.sort_unstable();
        places
    });
    PLACES.binary_search_by_key(&name, |(known, _)| known).ok().map(|found| PLACES[found].1)
}

impl Serialize for Features {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(FEATURE_COUNT))?;
        for (name, value) in FEATURE_NAMES.iter().zip(&self.0) {
            let value = Some(*value).filter(|value| value.is_finite());
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByName)
    }
}

/// Reads the object of features; names this version does not know are passed over.
struct ByName;

impl<'de> Visitor<'de> for ByName {
    type Value = Features;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of features")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Features, A::Error> {
        let mut features = Features::UNKNOWN;
        // Our own writer keeps the order, so the next name is nearly always the next place.
        let mut guess = 0;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let expected = FEATURE_NAMES.get(guess).is_some_and(|expected| *expected == name);
            let Some(place) = (if expected { Some(guess) } else { place_of(&name) }) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            features.0[place] = map.next_value::<Option<f64>>()?.unwrap_or(f64::NAN);
            guess = place + 1;
        }
        Ok(features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_at_their_places() {
        assert_eq!(place_of("duration"), Some(DURATION));
        assert_eq!(place_of("bwd_avg_packets_bulk"), Some(FEATURE_COUNT - 1));
        assert_eq!(place_of("Duration"), None);
    }

    #[test]
    fn unknown_is_null_and_comes_back() {
        let mut features = Features::UNKNOWN;
        features.0[SBYTES] = 1500.0;
        let text = serde_json::to_string(&features).unwrap();
        assert!(text.starts_with(r#"{"duration":null,"#));
        let back: Features = serde_json::from_str(&text).unwrap();
        assert!(back.same(&features));
    }
}
