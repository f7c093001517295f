//! Every bound of the crate, in one place.

/// Longest line of any text format, in bytes, without its line end. A longer one is rejected, not cut.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Deepest nesting of a JSON line that is read.
pub const JSON_DEPTH_MAX: usize = 8;

/// Longest `node_id`, `sensor` or `interface`, in bytes.
pub const ORIGIN_BYTES_MAX: usize = 64;

/// Longest `app.host`, in bytes: the longest DNS name (RFC 1035, section 2.3.4).
pub const HOST_BYTES_MAX: usize = 255;

/// Longest of the short words of the envelope (`app.protocol`, `class.family`, `class.technique`, `label.truth`),
/// in bytes.
pub const WORD_BYTES_MAX: usize = 64;

/// Longest digest of the journal's seal (`integrity.prev`, `integrity.mac`), in bytes: 64 bytes in hexadecimal.
pub const SEAL_BYTES_MAX: usize = 128;
