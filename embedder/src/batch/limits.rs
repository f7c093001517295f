//! Every bound of the batch job, in one place.

/// Events of a part unless the caller says otherwise: about 64 MiB of vectors.
pub const PART_EVENTS: usize = 65_536;

/// Most events of a batch, which is what goes from the reader to a worker and becomes one row group: about 25 MiB of lines,
/// and half as much encoded.
pub const ROW_GROUP_ROWS: usize = 8192;

/// Batches of a part: one is at most so large that a part is cut near the size asked for.
pub const BATCHES_PER_PART: usize = 8;

/// Bytes of lines of one batch; it is closed when it holds this many.
pub const BATCH_LINE_BYTES_MAX: usize = 32 << 20;

/// Bytes of a part gathered before they are hashed and written.
pub const WRITE_BYTES: usize = 1 << 20;

/// Parts that may be written but not yet on the disk, besides the one being synced.
pub const COMMITS_WAITING_MAX: usize = 1;

/// Rejected items of one batch; it is closed when it holds this many.
pub const BATCH_REJECTED_MAX: usize = 1024;

/// Bytes of rejected items of one batch; it is closed when it holds this many.
pub const BATCH_REJECTED_BYTES_MAX: usize = 4 << 20;

/// Batches that go round: one for each worker, and these for the reader and the writer.
pub const SPARE_BATCHES: usize = 3;

/// Most workers.
pub const WORKERS_MAX: usize = 256;

/// Kinds of rejection counted apart; the rest is counted together.
pub const REASONS_MAX: usize = 64;

/// Characters kept of a reason where it is counted.
pub const REASON_CHARS_MAX: usize = 120;

/// Most inputs of one job.
pub const INPUTS_MAX: usize = 1_000_000;

/// Largest manifest of a job that is read.
pub const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// Bytes at either end of an input that its fingerprint covers.
pub const FINGERPRINT_BYTES: u64 = 1 << 20;

const _: () = assert!(ROW_GROUP_ROWS <= PART_EVENTS);
