//! Every bound of the crate, in one place.

use std::time::Duration;

/// Most hits of one page.
pub const HITS_MAX: usize = 1_000;

/// Most hits that cursors lead through, over all pages of one search.
pub const CURSOR_DEPTH_MAX: usize = 10_000;

/// Longest cursor that is read, in characters.
pub const CURSOR_CHARS_MAX: usize = 12_288;

/// Deepest nesting of a filter; the root is at depth 1.
pub const FILTER_DEPTH_MAX: usize = 16;

/// Most nodes of a filter, `and`, `or` and `not` included.
pub const FILTER_NODES_MAX: usize = 256;

/// Longest string inside a filter, in bytes.
pub const FILTER_TEXT_BYTES_MAX: usize = forebay_event::limits::HOST_BYTES_MAX;

/// Longest `words` of a search, in bytes.
pub const WORDS_BYTES_MAX: usize = 4_096;

/// Most different words of a search that are looked up; what follows is left out and counted in the plan.
pub const TERMS_MAX: usize = 32;

/// Greatest weight of the text score beside the similarity. Equal weights are already worse than vectors alone.
pub const TEXT_WEIGHT_MAX: f32 = 0.5;

/// Weight of the text score unless the search says otherwise: the largest that costs nothing on validation sources, where
/// 0.05 and 0.1 leave precision@10 as it is and 0.3 lowers it by 0.02. Words still decide where names stand in them.
pub const TEXT_WEIGHT_DEFAULT: f32 = 0.1;

/// Largest dimension of vectors.
pub const DIMENSION_MAX: usize = 4_096;

/// Longest name of a model space, in bytes.
pub const SPACE_BYTES_MAX: usize = 128;

/// Most events of one `append`, and of one segment: rows are 32-bit numbers, and a merge rewrites a segment whole.
pub const SEGMENT_EVENTS_MAX: usize = 4_000_000;

/// Most live segments; `append` refuses more until they are merged.
pub const SEGMENTS_MAX: usize = 4_096;

/// Segments of one tier that are merged into one of the next.
pub const MERGE_FACTOR: usize = 8;

/// Events up to which a segment belongs to the lowest tier; each tier above holds [`MERGE_FACTOR`] times as many.
pub const TIER_EVENTS: u64 = 512;

/// Hot events from which they are written as a segment. Fewer make more segments to merge; more make searches slower, for
/// the hot part is scanned exactly: 32,768 vectors of 256 numbers take about 3 ms.
pub const SEAL_EVENTS: usize = 32_768;

/// Bytes of a log file from which it is ended, however few events it holds.
pub const SEAL_BYTES: u64 = 128 * 1024 * 1024;

/// Age of a log file from which it is ended. It is as safe in the log; but opening is faster without.
pub const SEAL_AFTER: Duration = Duration::from_mins(10);

/// Hot events from which closing an index writes them as a segment, so that the next opening need not read them.
pub const CLOSE_SEAL_EVENTS: u64 = 4_096;

/// Hot events at which appends wait until some are sealed, as a multiple of what is sealed at once.
pub const HOT_SEALS_MAX: usize = 4;

/// Hot bytes, in the log, at which appends wait until some are sealed.
pub const HOT_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Longest frame of the log, in bytes. A batch that is larger becomes a segment at once.
pub const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Largest event in the log, in bytes: a line of the event format, and room for the frame around it.
pub const LOG_EVENT_BYTES_MAX: usize = forebay_event::limits::LINE_BYTES_MAX + 1_024;

/// Bytes of frames that are written and synced together, from which further ones wait for the next round.
pub const GROUP_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Slices of one tier in memory that are joined into one; each tier holds slices this many times as large as the one below.
pub const COALESCE_FACTOR: usize = 4;

/// Events from which a slice is left alone: there are few of them, and they are copied once more when they are sealed.
pub const COALESCE_BELOW_EVENTS: u32 = 4_096;

/// Windows of time into which the time that events are kept is divided, where it is limited: a segment spans at most one
/// of them through merging, so it can be dropped within an eighth of that time after its last event is due.
pub const RETENTION_WINDOWS: i64 = 8;

/// How long closing an index waits for a merge that is under way.
pub const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// How long a background thread rests when there is nothing to do.
pub const WORKER_REST: Duration = Duration::from_secs(1);

/// How long a background thread rests after a failure.
pub const WORKER_RETRY: Duration = Duration::from_secs(5);

/// Priority of merging and of the building of engines, 0 to 19: at 19 a thread gets a seventieth of what a search or an
/// append beside it gets, and whatever they leave. The writing of segments itself is short, and appends wait for it: it
/// has the priority of the process.
pub const WORKER_NICE: i32 = 19;

/// A generation of hot events that filled in less than this is written without an engine and gets it later: building one
/// takes seconds on a free processor and, because it gives way, many more on a busy one, while the next generations fill.
pub const ENGINE_PATIENCE: Duration = Duration::from_secs(30);

/// Most bins of a timeline.
pub const TIMELINE_BINS_MAX: usize = 60;

/// Most values of one facet.
pub const FACET_VALUES_MAX: usize = 10;

/// Most features named as standing out in one hit.
pub const FEATURE_REASONS_MAX: usize = 3;

/// Largest page that may come from an index; larger ones are exact scans. A cursor names every hit of such a page.
pub const INDEX_HITS_MAX: usize = 1_000;

/// Most events of a segment whose values are looked at for its profile of features.
pub const PROFILE_EVENTS_MAX: u32 = 10_000;

/// Fewest events an index must know before a feature can stand out among them.
pub const PROFILE_EVENTS_MIN: u64 = 100;

/// Largest index or segment manifest that is read, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Bytes of mapped files whose checksums are verified while an index is opened, which takes under a second also where they
/// come from the disk; the rest is verified in the background while it serves. What a library parses is always verified first.
pub const VERIFY_AT_OPEN_BYTES: u64 = 256 << 20;

const _: () = assert!(HITS_MAX <= CURSOR_DEPTH_MAX);
const _: () = assert!(SEGMENT_EVENTS_MAX < u32::MAX as usize);
const _: () = assert!(MERGE_FACTOR >= 2);
const _: () = assert!(COALESCE_FACTOR.is_power_of_two() && COALESCE_FACTOR >= 2);
const _: () = assert!(SEAL_BYTES < HOT_BYTES_MAX && HOT_SEALS_MAX >= 2, "sealing begins before appends wait");
const _: () = assert!(SEAL_BYTES + 2 * FRAME_BYTES_MAX as u64 <= HOT_BYTES_MAX);
const _: () = assert!(TEXT_WEIGHT_DEFAULT <= TEXT_WEIGHT_MAX && TEXT_WEIGHT_MAX <= 0.5);
