//! Every bound of the crate, in one place.

/// Longest line of any text format, in bytes, without its line end. A longer one is rejected, not cut.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Deepest nesting of a JSON line that is read.
pub const JSON_DEPTH_MAX: usize = 8;

/// Earliest time an event may have, microseconds since 1970: 1900-01-01 00:00 UTC. What lies before is a broken clock or a
/// broken file; 0 stands where a source knows no time.
pub const TIME_US_MIN: i64 = -2_208_988_800_000_000;

/// Latest time an event may have, microseconds since 1970: 9999-01-01 00:00 UTC, so that it can be written as a date in
/// every time zone, and the distance of two times is far from the limits of 64 bits.
pub const TIME_US_MAX: i64 = 253_370_764_800_000_000;

/// Longest `node_id`, `sensor` or `interface`, in bytes.
pub const ORIGIN_BYTES_MAX: usize = 64;

/// Longest `app.host`, in bytes: the longest DNS name (RFC 1035, section 2.3.4).
pub const HOST_BYTES_MAX: usize = 255;

/// Longest of the short words of the envelope (`app.protocol`, `class.family`, `class.technique`, `label.truth`),
/// in bytes.
pub const WORD_BYTES_MAX: usize = 64;

/// Longest digest of the journal's seal (`integrity.prev`, `integrity.mac`), in bytes: 64 bytes in hexadecimal.
pub const SEAL_BYTES_MAX: usize = 128;
