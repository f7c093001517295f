//! Why a batch job failed.

use std::io;
use std::path::PathBuf;

use forebay_event::export::ExportError;
use forebay_event::source::SourceError;

use super::SinkError;
use crate::EmbedError;

/// Why a batch job did not finish. Everything committed before stays, and the job can go on unless the variant says no.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The caller's fault: nothing to do, or more than is taken.
    #[error("{0}")]
    Inputs(String),
    /// The caller's fault: the output folder holds something else.
    #[error("{}: exists and is not the output of a batch job; choose another folder", .0.display())]
    Occupied(PathBuf),
    /// The caller's fault: the folder belongs to a job with other inputs, model or options.
    #[error("{folder}: belongs to another job ({difference}). Run that job again to finish it, remove the folder, or choose another", folder = .folder.display())]
    OtherJob {
        /// The output folder, or the unfinished one.
        folder: PathBuf,
        /// What differs.
        difference: String,
    },
    /// The caller's fault: an unfinished job read from a pipe, which cannot be read again.
    #[error("{folder}: an unfinished job that read {input}, which cannot be read again. Remove the folder and start over", folder = .folder.display())]
    NotResumable {
        /// The unfinished folder.
        folder: PathBuf,
        /// The input.
        input: String,
    },
    /// The caller's fault: another process works on the same output.
    #[error("{}: another job writes here; wait for it or choose another folder", .0.display())]
    Locked(PathBuf),
    /// The folder of an unfinished job is damaged. The disk's fault, or somebody changed it.
    #[error("{file}: {reason}. Remove the folder and start over", file = .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An input failed; the message says whether it was the medium or the content.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The model or the runtime failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The disk failed; the message names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A row could not be encoded. Ours.
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Events could not be laid out in columns. Ours.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A batch could not be laid out in columns. Ours.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// The index (or whatever takes the vectors) failed.
    #[error("index: {0}")]
    Sink(SinkError),
}

impl BatchError {
    /// Whether the same command would go on where this run stopped, once the cause is gone. Otherwise the message says what
    /// to do.
    pub fn is_resumable(&self) -> bool {
        !matches!(
            self,
            Self::Inputs(_)
                | Self::Occupied(_)
                | Self::OtherJob { .. }
                | Self::NotResumable { .. }
                | Self::Locked(_)
                | Self::Damaged { .. }
        )
    }
}
