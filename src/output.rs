//! Where converted events go: a file that appears whole, or standard output, in one of three encodings.
//!
//! A device or a pipe with a name (`/dev/null`, a FIFO) is written to as it is, like standard output: renaming a file over it
//! would destroy it.

mod part;
mod place;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use anyhow::bail;
use forebay_event::Event;
use forebay_event::export::{self, EventSink, Target};

pub(crate) use part::Part;
pub(crate) use place::refuse_same;

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Encoding {
    /// One event a line, our own schema
    Jsonl,
    /// The nested line of ML Defender's `RAGLogger`
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

impl Output {
    /// Opens `path`, or standard output for `-`.
    pub(crate) fn create(path: &Path, encoding: Encoding) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            if encoding == Encoding::Parquet && io::stdout().is_terminal() {
                bail!("Parquet is not for a terminal; name a file with --out");
            }
            return Ok(Self { sink: export::open(encoding.target(), Box::new(io::stdout()))?, part: None });
        }
        let (file, part) = create(path)?;
        Ok(Self { sink: export::open(encoding.target(), Box::new(file))?, part })
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

    /// The inputs broke off. A stream gets what was read until then, as whole events; a file does not appear. Gives whether
    /// what was read is written.
    pub(crate) fn break_off(self) -> anyhow::Result<bool> {
        if self.part.is_some() {
            return Ok(false);
        }
        self.sink.finish()?;
        Ok(true)
    }
}

/// Begins the file that shall be called `path`; no part where `path` is a device or a pipe.
pub(crate) fn create(path: &Path) -> anyhow::Result<(fs_err::File, Option<Part>)> {
    let is_stream = fs_err::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if is_stream {
        return Ok((fs_err::OpenOptions::new().write(true).open(path)?, None));
    }
    let (part, file) = Part::create(path)?;
    Ok((file, Some(part)))
}
