//! A model folder that has been read and verified.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::limits::{MANIFEST_BYTES_MAX, MODEL_BYTES_MAX};
use crate::manifest::{Kind, Manifest};
use crate::{EmbedError, onnx};

mod builtin {
    include!(concat!(env!("OUT_DIR"), "/builtin_models.rs"));
}

const MANIFEST: &str = "manifest.json";

/// A model whose manifest is sound and whose networks have the hashes it names.
///
/// The bytes that were hashed are the bytes that will run: they are kept, so nothing can change between the check and
/// the use. Inputs and output are checked against the graph when it is loaded.
#[derive(Debug)]
pub struct Model {
    manifest: Manifest,
    place: Place,
    networks: BTreeMap<String, Cow<'static, [u8]>>,
}

/// Where a model's files are.
#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Builtin { name: &'static str, files: &'static [(&'static str, &'static [u8])] },
}

impl Model {
    /// Reads the folder `dir` and verifies manifest, hashes, operator set and IR version of every network in it.
    pub fn open(dir: &Path) -> Result<Self, EmbedError> {
        Self::read(Place::Folder(dir.to_owned()))
    }

    /// The event model this program was built with.
    pub fn builtin_event() -> Result<Self, EmbedError> {
        Self::builtin("event-256", builtin::EVENT)
    }

    /// The query model this program was built with.
    pub fn builtin_query() -> Result<Self, EmbedError> {
        Self::builtin("query-256", builtin::QUERY)
    }

    /// What the folder says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder; none for a built-in model.
    pub fn dir(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(dir) => Some(dir),
            Place::Builtin { .. } => None,
        }
    }

    /// Numbers in a vector.
    pub fn dimension(&self) -> usize {
        self.manifest.dimension
    }

    /// Where it came from, in words.
    pub fn origin(&self) -> String {
        match &self.place {
            Place::Folder(dir) => dir.display().to_string(),
            Place::Builtin { name, .. } => format!("built-in {name}"),
        }
    }

    /// The bytes of the network for `precision` (a key of the manifest's `files`) and its name for messages.
    pub(crate) fn network(&self, precision: &'static str) -> Result<(&[u8], String), EmbedError> {
        let listed = self.manifest.files.get(precision).zip(self.networks.get(precision));
        let Some((file, bytes)) = listed else {
            return Err(EmbedError::NoPrecision {
                model: self.manifest.name.clone(),
                precision,
                listed: self.manifest.files.keys().cloned().collect::<Vec<_>>().join(", "),
            });
        };
        Ok((bytes, self.place.path_of(&file.file)))
    }

    pub(crate) fn manifest_path(&self) -> String {
        self.place.path_of(MANIFEST)
    }

    fn builtin(name: &'static str, files: &'static [(&'static str, &'static [u8])]) -> Result<Self, EmbedError> {
        if files.is_empty() {
            let tried = format!("  built in: this program was built without models/{name}\n");
            return Err(EmbedError::NoModel { name: name.to_owned(), tried });
        }
        Self::read(Place::Builtin { name, files })
    }

    fn read(place: Place) -> Result<Self, EmbedError> {
        let text = place.read(MANIFEST, MANIFEST_BYTES_MAX)?;
        let manifest =
            Manifest::parse(&text).map_err(|reason| EmbedError::Manifest { file: place.path_of(MANIFEST), reason })?;
        let mut networks = BTreeMap::new();
        for (precision, file) in &manifest.files {
            let bytes = place.read(&file.file, MODEL_BYTES_MAX)?;
            let found = hex(&Sha256::digest(&bytes));
            if !found.eq_ignore_ascii_case(&file.sha256) {
                let expected = file.sha256.clone();
                return Err(EmbedError::Hash { file: place.path_of(&file.file), expected, found });
            }
            onnx::check(&bytes, manifest.opset)
                .map_err(|reason| EmbedError::Onnx { file: place.path_of(&file.file), reason })?;
            networks.insert(precision.clone(), bytes);
        }
        Ok(Self { manifest, place, networks })
    }
}

/// Whether vectors of `event` and `query` can be compared: same space, same dimension, and each the right kind.
pub fn same_space(event: &Model, query: &Model) -> Result<(), EmbedError> {
    for (model, kind) in [(event, Kind::Event), (query, Kind::Query)] {
        expect_kind(model, kind)?;
    }
    let (e, q) = (&event.manifest, &query.manifest);
    if e.space == q.space && e.dimension == q.dimension {
        return Ok(());
    }
    Err(EmbedError::Space {
        event: e.name.clone(),
        event_space: e.space.clone(),
        event_dimension: e.dimension,
        query: q.name.clone(),
        query_space: q.space.clone(),
        query_dimension: q.dimension,
    })
}

/// Refuses a model of the other kind.
pub(crate) fn expect_kind(model: &Model, kind: Kind) -> Result<(), EmbedError> {
    if model.manifest.kind == kind {
        return Ok(());
    }
    let name = |kind| if kind == Kind::Event { "event" } else { "query" };
    let reason =
        format!("kind is {:?}, but a model of kind {:?} is needed here", name(model.manifest.kind), name(kind));
    Err(EmbedError::Manifest { file: model.manifest_path(), reason })
}

impl Place {
    fn path_of(&self, file: &str) -> String {
        match self {
            Self::Folder(dir) => dir.join(file).display().to_string(),
            Self::Builtin { name, .. } => format!("built-in {name}/{file}"),
        }
    }

    fn read(&self, file: &str, bytes_max: u64) -> Result<Cow<'static, [u8]>, EmbedError> {
        let fail = |error| EmbedError::Io { file: self.path_of(file), error };
        match self {
            Self::Folder(dir) => read_bounded(&dir.join(file), bytes_max).map(Cow::Owned).map_err(fail),
            Self::Builtin { files, .. } => files
                .iter()
                .find(|(name, _)| *name == file)
                .map(|(_, bytes)| Cow::Borrowed(*bytes))
                .ok_or_else(|| fail(std::io::Error::new(std::io::ErrorKind::NotFound, "it was not built in"))),
        }
    }
}

fn read_bounded(path: &Path, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(std::io::Error::other(format!("larger than the {bytes_max} bytes that are read")));
    }
    Ok(bytes)
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
