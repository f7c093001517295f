//! Puts the default pair of models into the program, so that it works alone: every file of `models/event-256` and
//! `models/query-256` that the loader may ask for (the manifest and the networks).
//!
//! A checkout without them still builds; asking for a built-in model then says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../models");
    let mut code = String::new();
    for (name, folder) in [("EVENT", "event-256"), ("QUERY", "query-256")] {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        embed(&mut code, name, &folder);
    }
    let target = PathBuf::from(variable("OUT_DIR")).join("builtin_models.rs");
    fs_err::write(target, code).expect("the build folder can be written");
}

fn embed(code: &mut String, name: &str, folder: &Path) {
    let _ = writeln!(code, "pub(crate) const {name}: &[(&str, &[u8])] = &[");
    for file in files(folder) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = file.canonicalize().expect("a listed file exists");
        println!("cargo::rerun-if-changed={}", path.display());
        let _ = writeln!(code, "    ({name:?}, include_bytes!(r#\"{}\"#)),", path.display());
    }
    let _ = writeln!(code, "];");
}

/// The manifest and the networks in `folder`, in a stable order; none where it does not exist.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_wanted(path)).collect();
    files.sort();
    files
}

fn is_wanted(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "onnx")
        || path.file_name().is_some_and(|name| name == "manifest.json")
}

fn variable(name: &str) -> String {
    std::env::var(name).expect("cargo sets it")
}
