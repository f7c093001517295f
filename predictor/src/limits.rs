//! Every bound of the crate that is no deployment's choice, in one place. What a deployment may change is in
//! [`crate::sidecar::Settings`].

use std::time::Duration;

/// Most targets in a configuration.
pub const TARGETS_MAX: usize = 256;

/// Longest list of targets, in bytes.
pub const TARGETS_BYTES_MAX: usize = 64 * 1024;

/// Most buffers watched at once; further ones are left alone and counted.
pub const BUFFERS_MAX: usize = 16_384;

/// Most processes looked at in one pass; beyond it the youngest are not seen.
pub const PROCESSES_MAX: usize = 65_536;

/// Most open files of one process looked at in one pass.
pub const FILES_MAX: usize = 65_536;

/// How often programs and sockets are looked for. Half of the promised 100 ms goes to the pass itself and to adopting.
pub const PASS_EVERY: Duration = Duration::from_millis(50);

/// Part of a core that looking for programs may take; a pass that costs more makes the next one wait longer.
pub const PASS_SHARE: u32 = 20;

/// How long a process counts as young: its name is read anew in each pass, since a program is often started by a fork that
/// becomes it by exec.
pub const YOUNG: Duration = Duration::from_secs(2);

/// Passes in which the name of every older process is read anew once.
pub const OLD_PASSES: usize = 20;

/// Least time between two ticks where drops make them come early: so a port that drops all the time costs five times the usual at most.
pub const EARLY_EVERY: Duration = Duration::from_millis(2);

/// Clients of the recommendation stream at once.
pub const CLIENTS_MAX: usize = 64;

/// How long a client may leave our lines unread before it is dropped.
pub const CLIENT_WAIT: Duration = Duration::from_secs(10);

/// How often reports are made for clients and views.
pub const REPORT_EVERY: Duration = Duration::from_millis(100);

/// How often a report is made when nobody looks, for metrics and for the first answer to whoever comes.
pub const REPORT_IDLE: Duration = Duration::from_secs(1);

/// How long one plain request counts as somebody looking.
pub const INTEREST: Duration = Duration::from_secs(5);

/// Most headers of a request, most bytes of its head, and how long it may take.
pub const HEADERS_MAX: usize = 64;
/// See [`HEADERS_MAX`].
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// See [`HEADERS_MAX`].
pub const HEAD_WAIT: Duration = Duration::from_secs(10);

/// Largest state file that is read back, in bytes: about 500 for each buffer.
pub const STATE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Smallest limit a buffer is ever given, in bytes: that of the kernel is 2,304 (`SOCK_MIN_RCVBUF`), less than one large datagram.
pub const CEILING_MIN_BYTES: u64 = 16 * 1024;

/// Largest limit a socket can have, in bytes: the option is an int, which the kernel doubles.
pub const CEILING_MAX_BYTES: u64 = 1 << 30;

const _: () = assert!(BUFFERS_MAX <= crate::budget::BUFFERS_MAX, "the allocator takes all buffers there may be");
const _: () = assert!(PASS_EVERY.as_millis() <= 50, "new sockets within 100 ms");
