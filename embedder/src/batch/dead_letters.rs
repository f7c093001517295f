//! Rejected items, one JSON object for each line, in the form of `forebay_event::dead_letter`.

use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use forebay_event::dead_letter;
use forebay_event::source::Rejection;

pub(super) const FILE: &str = "dead-letters.jsonl";

/// The file, open at its end.
pub(super) struct DeadLetters {
    file: BufWriter<fs_err::File>,
    line: Vec<u8>,
    bytes: u64,
    /// Length at the last [`DeadLetters::flush`].
    flushed: u64,
}

impl DeadLetters {
    /// Opens the file in `folder` and cuts it after its first `bytes`, which is what the manifest knows of.
    pub(super) fn open(folder: &Path, bytes: u64) -> io::Result<Self> {
        let mut file = open_cut(&folder.join(FILE), bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file: BufWriter::new(file), line: Vec::new(), bytes, flushed: bytes })
    }

    pub(super) fn write(&mut self, rejection: &Rejection) -> io::Result<()> {
        self.line.clear();
        dead_letter::write(rejection, &mut self.line);
        self.bytes += self.line.len() as u64;
        self.file.write_all(&self.line)
    }

    /// Gives everything to the system; gives the file, for whoever carries it to the disk, if it holds anything new.
    pub(super) fn flush(&mut self) -> io::Result<Option<fs_err::File>> {
        self.file.flush()?;
        if self.flushed == self.bytes {
            return Ok(None);
        }
        self.flushed = self.bytes;
        self.file.get_ref().try_clone().map(Some)
    }

    /// The file's length.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Opens `path` for writing, made if it is not there, with exactly its first `bytes`.
pub(super) fn open_cut(path: &Path, bytes: u64) -> io::Result<fs_err::File> {
    let file = fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let found = file.metadata()?.len();
    if found < bytes {
        return Err(io::Error::other(format!("{}: {found} bytes, but {bytes} were finished", path.display())));
    }
    file.set_len(bytes)?;
    Ok(file)
}
