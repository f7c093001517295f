//! What the arguments stand for: standard input, files, patterns of files, objects and patterns of objects.
//!
//! The order is that of the arguments; what one pattern matches comes sorted by name, so that the same arguments over the same
//! files are the same job.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

#[cfg(feature = "s3")]
use super::s3;

/// What begins the name of an object.
pub(crate) const S3: &str = "s3://";

/// Characters that make a name a pattern.
const PATTERN: [char; 3] = ['*', '?', '['];

/// Most inputs one pattern may stand for.
const MATCHES_MAX: usize = 1_000_000;

/// One input.
pub(crate) enum Place {
    /// Standard input.
    Stdin,
    /// A file, a pipe or a device.
    File(PathBuf),
    /// An object of a store.
    #[cfg(feature = "s3")]
    Object(s3::Object),
}

impl Place {
    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
            #[cfg(feature = "s3")]
            Self::Object(object) => object.url().to_owned(),
        }
    }
}

/// Everything that `arguments` stand for.
pub(crate) fn expand(arguments: &[PathBuf]) -> anyhow::Result<Vec<Place>> {
    let mut places = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument.to_str() {
            Some("-") => places.push(Place::Stdin),
            Some(url) if url.starts_with(S3) => places.extend(objects(url)?),
            Some(pattern) if pattern.contains(PATTERN) && !argument.exists() => places.extend(files(pattern)?),
            _ if argument.is_dir() => bail!(
                "{}: a folder; name the files in it, for example '{}/*.jsonl'",
                argument.display(),
                argument.display()
            ),
            _ => places.push(Place::File(argument.clone())),
        }
    }
    if places.iter().filter(|place| matches!(place, Place::Stdin)).count() > 1 {
        bail!("standard input (-) is named twice, and can be read once");
    }
    Ok(places)
}

/// The files, not folders, that match; sorted.
fn files(pattern: &str) -> anyhow::Result<Vec<Place>> {
    let options =
        glob::MatchOptions { require_literal_separator: true, require_literal_leading_dot: true, ..Default::default() };
    let found = glob::glob_with(pattern, options).with_context(|| format!("{pattern}: not a pattern"))?;
    let mut paths = Vec::new();
    for path in found {
        let path = path.with_context(|| format!("{pattern}: looking for files"))?;
        if !path.is_dir() {
            paths.push(path);
        }
        if paths.len() > MATCHES_MAX {
            bail!("{pattern}: stands for more than {MATCHES_MAX} files; use several patterns");
        }
    }
    if paths.is_empty() {
        bail!("{pattern}: no file matches");
    }
    paths.sort();
    Ok(paths.into_iter().map(Place::File).collect())
}

#[cfg(feature = "s3")]
fn objects(url: &str) -> anyhow::Result<Vec<Place>> {
    let objects = s3::find(url, MATCHES_MAX)?;
    if objects.is_empty() {
        bail!("{url}: no object matches");
    }
    Ok(objects.into_iter().map(Place::Object).collect())
}

#[cfg(not(feature = "s3"))]
fn objects(url: &str) -> anyhow::Result<Vec<Place>> {
    bail!("{url}: this program was built without S3; build it with the feature `s3`")
}

/// Whether `path` names an object.
pub(crate) fn is_object(path: &Path) -> bool {
    path.to_str().is_some_and(|name| name.starts_with(S3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&Path]) -> anyhow::Result<Vec<String>> {
        let arguments: Vec<PathBuf> = arguments.iter().map(|path| path.to_path_buf()).collect();
        Ok(expand(&arguments)?.iter().map(|place| place.name().rsplit('/').next().unwrap().to_owned()).collect())
    }

    #[test]
    fn patterns_stand_for_files_sorted_by_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.jsonl", "a.jsonl", "c.csv", ".hidden.jsonl", "odd[1].jsonl"] {
            fs_err::write(dir.path().join(name), "").unwrap();
        }
        fs_err::create_dir(dir.path().join("d.jsonl")).unwrap();
        let at = |name: &str| dir.path().join(name);
        assert_eq!(names(&[&at("*.jsonl")]).unwrap(), ["a.jsonl", "b.jsonl", "odd[1].jsonl"]);
        assert_eq!(names(&[&at("c.csv"), &at("[ab].jsonl")]).unwrap(), ["c.csv", "a.jsonl", "b.jsonl"]);
        // A name that exists is a name, whatever it looks like.
        assert_eq!(names(&[&at("odd[1].jsonl")]).unwrap(), ["odd[1].jsonl"]);
        // What is missing is for the job to say.
        assert_eq!(names(&[&at("none.jsonl")]).unwrap(), ["none.jsonl"]);
        assert!(names(&[&at("*.none")]).unwrap_err().to_string().contains("no file matches"));
        assert!(names(&[dir.path()]).unwrap_err().to_string().contains("*.jsonl"));
        assert!(names(&[Path::new("-"), Path::new("-")]).is_err());
    }
}
