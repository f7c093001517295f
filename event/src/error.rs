//! Why a line is not an event.

use crate::limits::{JSON_DEPTH_MAX, LINE_BYTES_MAX};

/// What is wrong with one line. Always the fault of whoever wrote the line; the rest of the source is unharmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The line is longer than is read; nothing of it was looked at.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// The line is not JSON, or nests deeper than is read.
    #[error("not JSON of at most {JSON_DEPTH_MAX} levels: {0}")]
    Json(String),
    /// The line is not text in UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// The line is JSON, but no object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A field that every event of this format has is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A field holds another kind of value.
    #[error("`{field}` is not {expected}")]
    Type {
        /// The field, with its path.
        field: &'static str,
        /// What it should be, with its article.
        expected: &'static str,
    },
    /// A field holds a value that cannot be.
    #[error("`{field}`: {reason}")]
    Invalid {
        /// The field, with its path.
        field: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
    /// The row has another number of cells than its header names.
    #[error("{found} cells where the header names {expected}")]
    Cells {
        /// Cells of the row.
        found: usize,
        /// Names of the header.
        expected: usize,
    },
}

impl ParseError {
    /// [`ParseError::Invalid`] without the ceremony.
    pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }
}
