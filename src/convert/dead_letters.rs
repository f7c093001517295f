//! Keeps rejected items in a file, which gets its name at the end even where an input broke off.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use forebay_event::dead_letter;
use forebay_event::source::Rejection;

use crate::output::{self, Part};

/// The file being written.
pub(super) struct DeadLetters {
    path: PathBuf,
    out: BufWriter<fs_err::File>,
    part: Option<Part>,
    line: Vec<u8>,
    kept: u64,
}

impl DeadLetters {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let (file, part) = output::create(path)?;
        Ok(Self { path: path.to_owned(), out: BufWriter::new(file), part, line: Vec::new(), kept: 0 })
    }

    pub(super) fn keep(&mut self, rejection: &Rejection) -> std::io::Result<()> {
        self.line.clear();
        dead_letter::write(rejection, &mut self.line);
        self.kept += 1;
        self.out.write_all(&self.line)
    }

    /// All inputs are read: the file gets its name, also where it is empty.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.out.flush()?;
        self.part.map_or(Ok(()), Part::keep)
    }

    /// The inputs broke off: what was kept until then gets its name and is told; nothing kept leaves no file.
    pub(super) fn break_off(self) -> anyhow::Result<()> {
        if self.kept == 0 {
            return Ok(());
        }
        let (path, kept) = (self.path.clone(), self.kept);
        self.finish()?;
        eprintln!("forebay: {kept} rejected items, those up to where reading broke off, lie in {}", path.display());
        Ok(())
    }
}
