//! Every bound of the crate, in one place.

/// Events in one run of the network. Larger batches leave the cache and get slower.
pub const BATCH_EVENTS_MAX: usize = 1024;

/// Texts in one run of the network; a text is up to hundreds of ids wide, so fewer than events.
pub const BATCH_TEXTS_MAX: usize = 64;

/// Largest `manifest.json`, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 256 * 1024;

/// Largest `.onnx` file, in bytes. The ONNX format itself ends at 2 GiB.
pub const MODEL_BYTES_MAX: u64 = 1 << 30;

/// Largest dimension of a vector.
pub const DIMENSION_MAX: usize = 8192;

/// Largest number of hash buckets of a tokenizer.
pub const BUCKETS_MAX: u32 = 1 << 24;

/// Largest number of ids kept of a text.
pub const IDS_MAX: usize = 4096;

/// ONNX operator sets (default domain) that every supported runtime loads and guarantees.
pub const OPSET_RANGE: std::ops::RangeInclusive<i64> = 7..=23;

/// ONNX IR versions that every supported runtime loads.
pub const IR_RANGE: std::ops::RangeInclusive<i64> = 3..=11;

/// How far from 1 the squared length of a vector may be: room for int8 and half-precision rounding, none for a graph
/// without normalisation.
pub const LENGTH_TOLERANCE: f32 = 0.01;

/// Most sessions in a pool.
pub const POOL_SESSIONS_MAX: usize = 256;

const _: () = assert!(BATCH_TEXTS_MAX <= BATCH_EVENTS_MAX);
