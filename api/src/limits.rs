//! Every bound of the crate, in one place. What a deployment may want to change is in [`crate::Settings`] instead.

use std::time::Duration;

/// Longest body of a search request, in bytes.
pub const SEARCH_BODY_BYTES_MAX: usize = 256 * 1024;

/// Longest question, in characters: as many as are read of one.
pub const QUERY_CHARS_MAX: usize = forebay_index::question::TEXT_MAX;

/// Most hits of one answer unless a deployment allows fewer.
pub const K_MAX: usize = 1_000;

/// Deepest nesting of a filter: `and`, `or` and `not` count, and so does the leaf.
pub const FILTER_DEPTH_MAX: usize = 16;

/// Most nodes of a filter, leaves included.
pub const FILTER_NODES_MAX: usize = 256;

/// Longest cursor, in bytes.
pub const CURSOR_BYTES_MAX: usize = 1_024;

/// Most entries of `drop`.
pub const DROP_MAX: usize = 64;

/// Largest head of a request (request line and headers), in bytes; also how much of a body is read at once, for which less
/// would cost an ingest of 100,000 events a second too many calls of the system.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Most headers of a request.
pub const HEADERS_MAX: usize = 64;

/// How long a client may take over the head of a request; also how long an idle connection is kept.
pub const HEAD_WAIT: Duration = Duration::from_secs(15);

/// How long a client may leave a body without a byte before it is given up.
pub const BODY_WAIT: Duration = Duration::from_mins(1);

/// Most bytes that are read off a body that was refused, so that its sender gets to read why.
pub const REFUSED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a refused body is read off.
pub const REFUSED_WAIT: Duration = Duration::from_secs(2);

/// How long a client may leave our answer unread before the connection is closed.
pub const WRITE_WAIT: Duration = Duration::from_secs(30);

/// Most connections at once; more wait in the listen queue of the system.
pub const CONNECTIONS_MAX: usize = 1_024;

/// Most ingest streams at once; more are told to come back.
pub const INGESTS_MAX: usize = 8;

/// Most lines that are embedded and stored together.
pub const BATCH_LINES_MAX: usize = 2_048;

/// Most batches of one stream that are being stored at once: while one is synced, the next are parsed and embedded.
pub const BATCHES_AT_ONCE: usize = 3;

/// Most bytes of lines that wait to be stored together.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longest wait of a line for others to be stored with. With the time to store them it stays under the promised second.
pub const BATCH_WAIT: Duration = Duration::from_millis(200);

/// Compressed bytes that are decompressed in one step. DEFLATE grows at most 1032-fold (RFC 1951), so one step of gzip
/// gives at most 1 MiB.
pub const INFLATE_STEP_BYTES: usize = 1_024;

/// Largest window of a zstd stream, as a power of two: 8 MiB, what RFC 8878 asks every decoder to support.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Result lines that wait for the client to read them, in bytes.
pub const RESULT_BUFFER_BYTES: usize = 256 * 1024;

/// Bytes of result lines that are handed to the connection at once.
pub const RESULT_PIECE_BYTES: usize = 32 * 1024;

/// Longest name of a copy of the index, in bytes.
pub const COPY_NAME_BYTES_MAX: usize = 64;

/// Seconds after which a client that was turned away for load may try again.
pub const RETRY_AFTER_S: u64 = 1;

const _: () = assert!(QUERY_CHARS_MAX == 2_000, "the description of the API and the page say so");
const _: () = assert!(BATCH_BYTES_MAX >= forebay_event::limits::LINE_BYTES_MAX, "a batch holds the longest line");
const _: () = assert!(BATCH_WAIT.as_millis() < 1_000, "searchable within a second");
