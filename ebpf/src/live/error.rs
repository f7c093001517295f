//! Why live metering cannot begin.

use std::io;

use crate::live::capabilities::Missing;

/// See the module. Nothing of it stays attached where one of these is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The process may not do it. The user's or the service manager's fault.
    #[error("{0}")]
    Capabilities(Missing),
    /// There is no such interface. The user's fault.
    #[error("interface {name}{place}: {error}; `ip link` shows those there are")]
    Interface {
        /// Its name.
        name: String,
        /// " in network namespace ..." where one was asked for.
        place: String,
        /// What the system said.
        error: io::Error,
    },
    /// There is no such network namespace, or it may not be entered. The user's fault.
    #[error("network namespace {name}: {reason}: {error}")]
    Netns {
        /// As it was asked for.
        name: String,
        /// What was tried.
        reason: String,
        /// What the system said.
        error: io::Error,
    },
    /// The kernel refuses the programs. Its fault, or ours.
    #[error(
        "the kernel (Linux {release}) refuses {what}: {reason}; needed are Linux 5.17 or newer and BPF (docs/capture.md)"
    )]
    Kernel {
        /// Program or map.
        what: &'static str,
        /// `uname -r`.
        release: String,
        /// What it said.
        reason: String,
    },
    /// More ports were asked for than room was made for. The caller's fault.
    #[error("port {port} cannot be watched: {reason}")]
    Port {
        /// The port.
        port: u16,
        /// Why not.
        reason: String,
    },
    /// A map cannot be read or written any more. Not the caller's fault.
    #[error("{what}: {error}")]
    Map {
        /// What was done.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

impl LiveError {
    pub(crate) fn map(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Map { what, error }
    }

    /// `error` with everything that caused it, cut to what a person reads.
    pub(crate) fn kernel(what: &'static str, error: &dyn std::error::Error) -> Self {
        Self::Kernel { what, release: release(), reason: chain(error) }
    }
}

/// Longest part of the verifier's words that is shown, bytes; its last words say what was wrong.
const REASON_BYTES_MAX: usize = 600;

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = next.source();
    }
    let start = text.len().saturating_sub(REASON_BYTES_MAX);
    let start = (start..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[start..].trim().to_owned()
}

fn release() -> String {
    fs_err::read_to_string("/proc/sys/kernel/osrelease").map_or_else(|_| "?".to_owned(), |text| text.trim().to_owned())
}
