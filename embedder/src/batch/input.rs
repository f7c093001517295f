//! One input of a job: how to call it, how to open it, and how to tell that it is still the same.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use forebay_event::source::{EventSource, SourceError};
use sha2::{Digest, Sha256};

use super::limits::FINGERPRINT_BYTES;
use crate::model::hex;

type Open = dyn Fn() -> Result<Box<dyn EventSource>, SourceError> + Send + Sync;

/// One input of a job. Each call of `open` must give the same items in the same order.
pub struct Input {
    pub(super) name: String,
    pub(super) bytes: Option<u64>,
    pub(super) fingerprint: Option<String>,
    open: Box<Open>,
}

impl Input {
    /// An input that can be read only once, such as a pipe; a job that reads one cannot be resumed.
    pub fn stream(
        name: impl Into<String>,
        open: impl Fn() -> Result<Box<dyn EventSource>, SourceError> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), bytes: None, fingerprint: None, open: Box::new(open) }
    }

    /// A file, which is looked at now: its length and the digest of its two ends tell later whether it is the same.
    pub fn file(
        path: &Path,
        open: impl Fn() -> Result<Box<dyn EventSource>, SourceError> + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let mut file = fs_err::File::open(path)?;
        let metadata = file.metadata()?;
        let name = path.display().to_string();
        if !metadata.is_file() {
            return Ok(Self::stream(name, open));
        }
        let bytes = metadata.len();
        let mut ends = Vec::new();
        (&mut file).take(FINGERPRINT_BYTES).read_to_end(&mut ends)?;
        file.seek(SeekFrom::Start(bytes.saturating_sub(FINGERPRINT_BYTES)))?;
        file.take(FINGERPRINT_BYTES).read_to_end(&mut ends)?;
        let fingerprint = format!("{bytes} bytes, ends {}", hex(&Sha256::digest(&ends)));
        Ok(Self { name, bytes: Some(bytes), fingerprint: Some(fingerprint), open: Box::new(open) })
    }

    /// Something of `bytes` bytes that can be read again, and is the same as long as its `fingerprint` is.
    pub fn object(
        name: impl Into<String>,
        bytes: u64,
        fingerprint: String,
        open: impl Fn() -> Result<Box<dyn EventSource>, SourceError> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), bytes: Some(bytes), fingerprint: Some(fingerprint), open: Box::new(open) }
    }

    /// What it is called in messages and dead letters.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn open(&self) -> Result<Box<dyn EventSource>, SourceError> {
        (self.open)()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(path: &Path) -> String {
        Input::file(path, || unreachable!()).unwrap().fingerprint.unwrap()
    }

    #[test]
    fn a_change_at_either_end_or_of_the_length_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in");
        let mut content = vec![0u8; 3 * FINGERPRINT_BYTES as usize];
        let mut seen = std::collections::HashSet::new();
        for change in 0..4 {
            match change {
                1 => content[0] = 1,
                2 => *content.last_mut().unwrap() = 1,
                3 => content.push(1),
                _ => {}
            }
            fs_err::write(&path, &content).unwrap();
            assert!(seen.insert(fingerprint(&path)));
        }
    }
}
