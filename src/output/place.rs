//! Tells whether two paths name one file, so that no output destroys an input.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::bail;

/// What a path stands for.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// A file that is there: device and inode, which all its names and links share.
    There(u64, u64),
    /// A file that is not there yet: its folder without links, and its name.
    NotYet(PathBuf),
    /// A device, a pipe or a terminal: nothing in it is destroyed by writing.
    Stream,
}

/// Refuses where one of `outputs` is an input or another output. Each comes with the word that the user knows it by; `-` is
/// what the process got as standard input or output.
pub(crate) fn refuse_same(inputs: &[PathBuf], outputs: &[(&str, &Path)]) -> anyhow::Result<()> {
    let mut known: Vec<(String, Place)> =
        inputs.iter().map(|path| (format!("the input {}", path.display()), Place::of(path, "/dev/stdin"))).collect();
    for (word, path) in outputs {
        let place = Place::of(path, "/dev/stdout");
        if let Some((other, _)) = known.iter().find(|(_, other)| *other == place && place != Place::Stream) {
            bail!("{word} {} is the same file as {other}; choose another name", path.display());
        }
        known.push((format!("{word} {}", path.display()), place));
    }
    Ok(())
}

impl Place {
    fn of(path: &Path, dash: &str) -> Self {
        let path = if path == Path::new("-") { Path::new(dash) } else { path };
        match fs_err::metadata(path) {
            Ok(metadata) if metadata.is_file() => Self::There(metadata.dev(), metadata.ino()),
            Ok(_) => Self::Stream,
            Err(_) => Self::NotYet(not_yet(path)),
        }
    }
}

/// The path without links and dots as far as it is there.
fn not_yet(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent().and_then(|folder| fs_err::canonicalize(folder).ok()), absolute.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_under_two_names_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs_err::write(at("in"), "x").unwrap();
        fs_err::write(at("other"), "x").unwrap();
        fs_err::hard_link(at("in"), at("hard")).unwrap();
        fs_err::os::unix::fs::symlink(at("in"), at("soft")).unwrap();
        fs_err::os::unix::fs::symlink(folder.path(), at("here")).unwrap();
        let same = |output: &str| refuse_same(&[at("in")], &[("--out", &at(output))]).is_err();
        assert!(same("in") && same("hard") && same("soft") && same("here/in"));
        assert!(!same("other") && !same("new"));
        let twice = |a: &str, b: &str| refuse_same(&[], &[("--out", &at(a)), ("--dead-letter", &at(b))]).is_err();
        assert!(twice("new", "new") && twice("new", "here/new") && !twice("new", "newer"));
        let null = Path::new("/dev/null");
        assert!(refuse_same(&[null.to_owned()], &[("--out", null), ("--dead-letter", null)]).is_ok());
    }
}
