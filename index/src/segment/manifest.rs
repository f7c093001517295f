//! What a segment says of itself: its size, its ranges, and the checksum of every file in it.

use std::io::Read;
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{MANIFEST_FILE, MAPPED_FILES};
use crate::{IndexError, sealed};

/// The format this version writes and reads.
pub(crate) const SEGMENT_FORMAT: u32 = 2;

/// Bytes read at a time to compute a checksum.
const CHECKSUM_BLOCK_BYTES: usize = 256 * 1024;

/// What a segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentManifest {
    /// [`SEGMENT_FORMAT`].
    pub(crate) format: u32,
    /// The name of its folder.
    pub(crate) name: String,
    /// The vector space.
    pub(crate) space: String,
    /// Numbers in a vector.
    pub(crate) dimension: usize,
    /// Rows.
    pub(crate) events: u32,
    /// Lowest number of an event in it.
    pub(crate) first_seq: u64,
    /// Highest number of an event in it.
    pub(crate) last_seq: u64,
    /// Earliest start of a flow.
    pub(crate) first_start_us: i64,
    /// Latest start of a flow.
    pub(crate) last_start_us: i64,
    /// Words in all rendered events together.
    pub(crate) text_tokens: u64,
    /// The engine over its vectors.
    pub(crate) engine: String,
    /// Segments this one was merged from, and stands for.
    pub(crate) replaces: Vec<String>,
    /// Every other file, with its checksum.
    pub(crate) files: Vec<FileEntry>,
}

/// One file of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    /// Path inside the segment, with `/`.
    pub(crate) path: String,
    /// Length.
    pub(crate) bytes: u64,
    /// SHA-256 in hex.
    pub(crate) sha256: String,
}

impl SegmentManifest {
    /// Bytes of all files together.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Reads the manifest of the segment in `dir`.
    pub(crate) fn read(dir: &Path) -> Result<Self, Fault> {
        let manifest: Self = match sealed::read(&dir.join(MANIFEST_FILE)) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Err(Fault::Damaged(format!("{MANIFEST_FILE}: missing"))),
            Err(reason) => return Err(Fault::Damaged(format!("{MANIFEST_FILE}: {reason}"))),
        };
        if manifest.format != SEGMENT_FORMAT {
            let reason = format!(
                "segment {}: format {}, this version reads {SEGMENT_FORMAT}; use the version that wrote it, or import its \
                 sources again into a new index",
                manifest.name, manifest.format
            );
            return Err(Fault::Unreadable(std::io::Error::other(reason)));
        }
        Ok(manifest)
    }

    /// Reads the manifest of the segment in `dir` and verifies every file it lists.
    pub(crate) fn read_verified(dir: &Path) -> Result<Self, Fault> {
        let manifest = Self::read(dir)?;
        manifest.verify(dir, |_| true)?;
        Ok(manifest)
    }

    /// Verifies the files of `dir` that `which` says.
    pub(crate) fn verify(&self, dir: &Path, which: impl Fn(&FileEntry) -> bool) -> Result<(), Fault> {
        self.files.iter().filter(|file| which(file)).try_for_each(|file| file.verify(dir))
    }

    /// Bytes of the files that [`FileEntry::is_mapped`].
    pub(crate) fn mapped_bytes(&self) -> u64 {
        self.files.iter().filter(|file| file.is_mapped()).map(|file| file.bytes).sum()
    }
}

impl FileEntry {
    /// The entry for the file at `path` inside `dir`.
    pub(crate) fn of(dir: &Path, path: &str) -> Result<Self, IndexError> {
        let (bytes, sha256) = checksum(&dir.join(path))?;
        Ok(Self { path: path.to_owned(), bytes, sha256 })
    }

    /// Whether it is one of our arrays, which are looked at where they lie and can hold any bytes without harm. Everything
    /// else is parsed by a library that trusts its input.
    pub(crate) fn is_mapped(&self) -> bool {
        MAPPED_FILES.contains(&self.path.as_str())
    }

    fn verify(&self, dir: &Path) -> Result<(), Fault> {
        let damaged = |reason: String| Err(Fault::Damaged(format!("{}: {reason}", self.path)));
        // The manifest's seal is right, so its paths are ours; still, nothing outside the segment is ever opened.
        if self.path.split('/').any(|part| part == "..") || self.path.starts_with('/') {
            return damaged("not a path inside the segment".to_owned());
        }
        match checksum(&dir.join(&self.path)) {
            Ok((bytes, _)) if bytes != self.bytes => damaged(format!("{bytes} bytes instead of {}", self.bytes)),
            Ok((_, sha256)) if sha256 != self.sha256 => damaged("its checksum does not match".to_owned()),
            Ok(_) => Ok(()),
            Err(error) if is_damage(&error) => damaged(error.to_string()),
            Err(error) => Err(Fault::Unreadable(error)),
        }
    }
}

/// Why a segment does not serve.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Its bytes are not those that were written: it is set aside.
    Damaged(String),
    /// It could not be looked at (no permission, too many open files): nothing is known of its bytes, so it stays.
    Unreadable(std::io::Error),
}

/// Whether an error of the system says that the file is gone or the disk cannot give its bytes.
fn is_damage(error: &std::io::Error) -> bool {
    /// `EIO` on every Unix this runs on.
    const EIO: i32 = 5;
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::IsADirectory)
        || error.raw_os_error() == Some(EIO)
}

fn checksum(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; CHECKSUM_BLOCK_BYTES];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok((bytes, sealed::hex(&hasher.finalize())));
        }
        hasher.update(&block[..read]);
        bytes += read as u64;
    }
}
