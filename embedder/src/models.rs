//! Where model folders are looked for.
//!
//! A path the user gives is the only place then. Otherwise a folder of the wanted name is taken from, in this order:
//! `models/` beside the program, `models/` in the current directory, and the pair built into the program.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::{EmbedError, Model};

/// Name of the default event model's folder.
pub const EVENT_MODEL: &str = "event-256";

/// Name of the default query model's folder.
pub const QUERY_MODEL: &str = "query-256";

/// The event model: from `explicit` where given, else the default one.
pub fn event(explicit: Option<&Path>) -> Result<Model, EmbedError> {
    find(explicit, EVENT_MODEL, Model::builtin_event)
}

/// The query model: from `explicit` where given, else the default one.
pub fn query(explicit: Option<&Path>) -> Result<Model, EmbedError> {
    find(explicit, QUERY_MODEL, Model::builtin_query)
}

/// The event and the query model, which share a space.
pub fn pair(event_dir: Option<&Path>, query_dir: Option<&Path>) -> Result<(Model, Model), EmbedError> {
    let (event, query) = (event(event_dir)?, query(query_dir)?);
    crate::same_space(&event, &query)?;
    Ok((event, query))
}

fn find(explicit: Option<&Path>, name: &str, builtin: fn() -> Result<Model, EmbedError>) -> Result<Model, EmbedError> {
    if let Some(dir) = explicit {
        return open_explicit(dir);
    }
    let places = places(name);
    // A folder that is there but broken is an error, not a reason to use another model silently.
    if let Some(dir) = places.iter().find(|dir| holds_manifest(dir)) {
        tracing::debug!(model = name, dir = %dir.display(), "model folder");
        return Model::open(dir);
    }
    match builtin() {
        Err(EmbedError::NoModel { name, tried }) => {
            let mut looked = String::new();
            for dir in &places {
                let _ = writeln!(looked, "  {}: no manifest.json", dir.display());
            }
            Err(EmbedError::NoModel { name, tried: looked + &tried })
        }
        other => other,
    }
}

fn open_explicit(dir: &Path) -> Result<Model, EmbedError> {
    if holds_manifest(dir) {
        return Model::open(dir);
    }
    let reason = if dir.is_dir() { "no manifest.json in it" } else { "not a folder" };
    let tried = format!("  {}: {reason}\n", dir.display());
    Err(EmbedError::NoModel { name: dir.display().to_string(), tried })
}

fn places(name: &str) -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("models").join(name)));
    beside.into_iter().chain([PathBuf::from("models").join(name)]).collect()
}

fn holds_manifest(dir: &Path) -> bool {
    dir.join("manifest.json").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_path_is_named() {
        let error = event(Some(Path::new("/nowhere/model"))).unwrap_err().to_string();
        assert!(error.contains("/nowhere/model") && error.contains("manifest.json"), "{error}");
    }

    #[test]
    fn an_empty_folder_is_told_from_none() {
        let dir = tempfile::tempdir().unwrap();
        let error = query(Some(dir.path())).unwrap_err().to_string();
        assert!(error.contains("no manifest.json in it"), "{error}");
    }
}
