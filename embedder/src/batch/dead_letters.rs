//! Rejected items, one JSON object for each line: source, line, reason, bytes in base64, and text where it is UTF-8.

use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forebay_event::source::Rejection;
use serde::Serialize;

pub(super) const FILE: &str = "dead-letters.jsonl";

/// The file, open at its end.
pub(super) struct DeadLetters {
    file: BufWriter<fs_err::File>,
    bytes: u64,
}

#[derive(Serialize)]
struct Letter<'a> {
    source: &'a str,
    line: u64,
    reason: &'a str,
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

impl DeadLetters {
    /// Opens the file in `folder` and cuts it after its first `bytes`, which is what the manifest knows of.
    pub(super) fn open(folder: &Path, bytes: u64) -> io::Result<Self> {
        let mut file = open_cut(&folder.join(FILE), bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file: BufWriter::new(file), bytes })
    }

    pub(super) fn write(&mut self, rejection: &Rejection) -> io::Result<()> {
        let letter = Letter {
            source: &rejection.source,
            line: rejection.line,
            reason: &rejection.reason,
            bytes: STANDARD.encode(&rejection.bytes),
            text: std::str::from_utf8(&rejection.bytes).ok(),
        };
        let mut line = serde_json::to_vec(&letter).map_err(io::Error::other)?;
        line.push(b'\n');
        self.bytes += line.len() as u64;
        self.file.write_all(&line)
    }

    /// Carries everything to the disk; gives the file's length.
    pub(super) fn sync(&mut self) -> io::Result<u64> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        Ok(self.bytes)
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
