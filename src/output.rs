//! Where converted events go: a file that appears whole, or standard output, in one of three encodings.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use forebay_event::Event;
use forebay_event::export::{self, EventSink, Target};

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Encoding {
    /// One event a line, our own schema
    Jsonl,
    /// The nested line of ML Defender's RAGLogger
    Raglogger,
    /// Columns with an Arrow schema, zstd
    Parquet,
}

impl Encoding {
    /// What the name of the output says; JSON lines where it says nothing.
    pub(crate) fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|extension| extension == "parquet") { Self::Parquet } else { Self::Jsonl }
    }

    fn target(self) -> Target {
        match self {
            Self::Jsonl => Target::Jsonl,
            Self::Raglogger => Target::RagLogger,
            Self::Parquet => Target::Parquet,
        }
    }
}

/// An output being written.
pub(crate) struct Output {
    sink: Box<dyn EventSink>,
    part: Option<Part>,
}

/// A file under its temporary name; dropped before it is kept, it is removed.
struct Part {
    written: PathBuf,
    wanted: PathBuf,
    kept: bool,
}

impl Output {
    /// Opens `path`, or standard output for `-`.
    pub(crate) fn create(path: &Path, encoding: Encoding) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            if encoding == Encoding::Parquet && io::stdout().is_terminal() {
                bail!("Parquet is not for a terminal; name a file with --out");
            }
            return Ok(Self { sink: export::open(encoding.target(), Box::new(io::stdout()))?, part: None });
        }
        let part = Part::of(path);
        let file: Box<dyn Write + Send> = Box::new(fs_err::File::create(&part.written)?);
        Ok(Self { sink: export::open(encoding.target(), file)?, part: Some(part) })
    }

    /// One event more.
    pub(crate) fn write(&mut self, event: &Event) -> anyhow::Result<()> {
        Ok(self.sink.write(event)?)
    }

    /// Everything is written: the file gets its name.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        self.sink.finish()?;
        self.part.map_or(Ok(()), Part::keep)
    }
}

impl Part {
    /// `events.jsonl` is written as `.events.jsonl.part`, in the same folder, so that renaming is one step.
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let written = path.with_file_name(format!(".{name}.part"));
        Self { written, wanted: path.to_owned(), kept: false }
    }

    fn keep(mut self) -> anyhow::Result<()> {
        fs_err::File::open(&self.written)?.sync_all()?;
        fs_err::rename(&self.written, &self.wanted)
            .with_context(|| format!("{} is whole, but could not be renamed", self.written.display()))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing to be done where even this fails; the name says what it is.
            let _ = fs_err::remove_file(&self.written);
        }
    }
}
