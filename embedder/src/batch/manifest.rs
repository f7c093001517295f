//! `manifest.json` of a job: what it is, what is finished, and where to go on.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::BatchError;
use super::files::write_atomically;
use super::limits::{MANIFEST_BYTES_MAX, REASON_CHARS_MAX, REASONS_MAX};

/// Version of the layout of the output folder.
pub(super) const FORMAT: u32 = 1;

/// File name within the folder.
pub(super) const FILE: &str = "manifest.json";

/// Where everything beyond [`REASONS_MAX`] kinds is counted.
const OTHER_REASONS: &str = "other reasons";

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Whether the job is done.
    pub complete: bool,
    /// What the job is.
    pub job: Identity,
    /// The finished parts, in order.
    pub parts: Vec<Part>,
    /// How far the inputs are read by them.
    pub position: Position,
    /// Sums over the parts.
    pub totals: Totals,
}

/// What makes two runs the same job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the folder's layout.
    pub format: u32,
    /// Version of the program: another one may read an input differently.
    pub program: String,
    /// Version of the event schema.
    pub schema_version: String,
    /// The model.
    pub model: ModelIdentity,
    /// Events of a part.
    pub part_events: usize,
    /// Events of a batch.
    pub batch_events: usize,
    /// Whether `vectors.npy` is written.
    pub npy: bool,
    /// Everything else that decides what the inputs are read as (the flow meter's settings), one setting a line; the batch job
    /// only compares it. Empty in manifests written before it was kept.
    #[serde(default)]
    pub source_settings: String,
    /// Whether there is a sink, and where it keeps what it takes.
    pub index: Option<String>,
    /// Name and fingerprint of each input, in order; no fingerprint for one that cannot be read again.
    pub inputs: Vec<(String, Option<String>)>,
}

/// Which network made the vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// The manifest's name.
    pub name: String,
    /// The manifest's version.
    pub version: u32,
    /// `fp32` or `int8`.
    pub precision: String,
    /// Digest of the network.
    pub sha256: String,
    /// The vector space.
    pub space: String,
    /// Numbers in a vector.
    pub dimension: usize,
}

/// A finished part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Name within the folder.
    pub file: String,
    /// Rows, one for each event.
    pub rows: u64,
    /// Length of the file.
    pub bytes: u64,
    /// Hex digest of the file.
    pub sha256: String,
    /// How far the inputs are read when this part ends.
    pub position: Position,
}

/// A place in the inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Place of the input in the list; those before it are read to the end.
    pub input: usize,
    /// Items (events and rejections) of that input.
    pub items: u64,
}

/// Sums over everything committed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows written.
    pub events: u64,
    /// Items rejected, by reason; digits are replaced by `#`.
    pub rejected: BTreeMap<String, u64>,
    /// What the sources left out or took by a fallback, by reason, over the inputs read to the end or given up.
    pub source_counters: BTreeMap<String, u64>,
    /// Inputs given up in the middle, and why; only where the caller said to go on.
    pub damaged_inputs: Vec<(String, String)>,
    /// Feature values passed over as unknown because they do not fit a 32-bit float.
    pub infinite_features: u64,
    /// Length of the dead letters.
    pub dead_letter_bytes: u64,
}

impl Totals {
    /// Items rejected.
    pub fn rejected_sum(&self) -> u64 {
        self.rejected.values().sum()
    }

    pub(super) fn reject(&mut self, reason: &str) {
        let mut kind: String =
            reason.chars().take(REASON_CHARS_MAX).map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
        while kind.contains("##") {
            kind = kind.replace("##", "#");
        }
        if self.rejected.len() >= REASONS_MAX && !self.rejected.contains_key(&kind) {
            OTHER_REASONS.clone_into(&mut kind);
        }
        *self.rejected.entry(kind).or_default() += 1;
    }
}

impl Manifest {
    pub(super) fn new(job: Identity) -> Self {
        let (parts, position, totals) = (Vec::new(), Position::default(), Totals::default());
        Self { complete: false, job, parts, position, totals }
    }

    /// Whether nothing was ever committed.
    pub(super) fn is_blank(&self) -> bool {
        !self.complete
            && self.parts.is_empty()
            && self.position == Position::default()
            && self.totals == Totals::default()
    }

    /// The manifest in `folder`; none if there is none.
    pub fn read(folder: &Path) -> Result<Option<Self>, BatchError> {
        let path = folder.join(FILE);
        let file = match fs_err::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut text = Vec::new();
        file.take(MANIFEST_BYTES_MAX).read_to_end(&mut text)?;
        match serde_json::from_slice(&text) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(error) => Err(BatchError::Damaged { file: path, reason: format!("not a manifest: {error}") }),
        }
    }

    /// Replaces the manifest in `folder`; on return it is on the disk.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BatchError> {
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        Ok(write_atomically(folder, FILE, &text)?)
    }
}

impl Identity {
    /// What differs between the job that made a folder (`self`) and the one that is asked for, in words; none if the same.
    pub(super) fn difference(&self, asked: &Self) -> Option<String> {
        let mut pairs: Vec<(&str, String, String)> = vec![
            ("format", self.format.to_string(), asked.format.to_string()),
            ("program", self.program.clone(), asked.program.clone()),
            ("event schema", self.schema_version.clone(), asked.schema_version.clone()),
            ("model", self.model.text(), asked.model.text()),
            ("events of a part", self.part_events.to_string(), asked.part_events.to_string()),
            ("events of a batch", self.batch_events.to_string(), asked.batch_events.to_string()),
            ("npy", self.npy.to_string(), asked.npy.to_string()),
            ("index", format!("{:?}", self.index), format!("{:?}", asked.index)),
            ("number of inputs", self.inputs.len().to_string(), asked.inputs.len().to_string()),
        ];
        let (was, is) = differing_lines(&self.source_settings, &asked.source_settings);
        pairs.push(("settings", was, is));
        for (was, is) in self.inputs.iter().zip(&asked.inputs) {
            let text = |(name, fingerprint): &(String, Option<String>)| {
                format!("{name} ({})", fingerprint.as_deref().unwrap_or("a stream"))
            };
            pairs.push(("input", text(was), text(is)));
        }
        pairs.into_iter().find(|(_, was, is)| was != is).map(|(what, was, is)| format!("{what}: there {was}, now {is}"))
    }
}

/// The lines of each text that the other does not have, joined by commas.
fn differing_lines(was: &str, is: &str) -> (String, String) {
    let only = |text: &str, other: &str| {
        let lines: Vec<&str> = text.lines().filter(|line| !other.lines().any(|known| known == *line)).collect();
        lines.join(", ")
    };
    let (was_only, is_only) = (only(was, is), only(is, was));
    if was_only == is_only && was != is {
        // The same lines in another order: rare, and then the whole says what differs.
        return (was.to_owned(), is.to_owned());
    }
    (was_only, is_only)
}

impl ModelIdentity {
    fn text(&self) -> String {
        format!("{} version {} {} {}", self.name, self.version, self.precision, self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_bounded_and_numbers_fall_together() {
        let mut totals = Totals::default();
        totals.reject("99 cells where the header names 100");
        totals.reject("7 cells where the header names 9");
        assert_eq!(totals.rejected["# cells where the header names #"], 2);
        for i in 0..200u8 {
            totals.reject(&format!("reason {}", char::from(b'!' + i % 90)).repeat(usize::from(i)));
        }
        assert!(totals.rejected.len() <= REASONS_MAX + 1);
        assert_eq!(totals.rejected_sum(), 202);
    }
}
