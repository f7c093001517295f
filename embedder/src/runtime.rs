//! Finds the ONNX Runtime library and starts it, once for the process.
//!
//! Places, in order: the path the caller gives; `ORT_DYLIB_PATH`; beside the program (also in `lib/` there); the cache
//! folder (`$XDG_CACHE_HOME/forebay/onnxruntime/<version>/`, by default under `~/.cache`), the pinned version first;
//! the system's library path. A path somebody named (argument or variable) is the only one tried: falling back from it
//! would hide a mistake. A library that is there but too old is passed over and listed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use crate::EmbedError;

/// The version `make setup` installs and the tests run with.
pub const PINNED_VERSION: &str = "1.31.1";

/// File name of the library.
pub const LIBRARY: &str = "libonnxruntime.so";

const VARIABLE: &str = "ORT_DYLIB_PATH";

/// Most versions in the cache folder that are tried.
const CACHED_VERSIONS_MAX: usize = 16;

/// The runtime, started.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    path: PathBuf,
}

static STARTED: Mutex<Option<Runtime>> = Mutex::new(None);

/// Starts the runtime from `explicit` or the usual places; once started, later calls give the same one.
pub fn init(explicit: Option<&Path>) -> Result<Runtime, EmbedError> {
    // A panic while starting leaves `None` behind, which is sound.
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = started.as_ref() {
        if let Some(asked) = explicit.filter(|asked| *asked != runtime.path) {
            tracing::warn!(asked = %asked.display(), running = %runtime.path.display(), "ONNX Runtime runs already");
        }
        return Ok(runtime.clone());
    }
    let runtime = start(&candidates(explicit))?;
    tracing::debug!(path = %runtime.path.display(), "ONNX Runtime");
    *started = Some(runtime.clone());
    Ok(runtime)
}

impl Runtime {
    /// The library that was loaded.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// A place, and what the user would call it.
struct Candidate {
    why: &'static str,
    /// `Err` says why there is no path.
    path: Result<PathBuf, String>,
}

fn start(candidates: &[Candidate]) -> Result<Runtime, EmbedError> {
    let mut tried = String::new();
    for candidate in candidates {
        let result =
            candidate.path.clone().and_then(|path| load(&path).map_err(|error| format!("{}: {error}", path.display())));
        match result {
            Ok(runtime) => return Ok(runtime),
            Err(reason) => {
                let _ = writeln!(tried, "  {}: {reason}", candidate.why);
            }
        }
    }
    Err(EmbedError::Runtime { tried })
}

fn load(path: &Path) -> Result<Runtime, String> {
    // A bare name is for the dynamic linker to find; anything with a folder in it must be there.
    if path.components().count() > 1 && !path.is_file() {
        return Err("no such file".to_owned());
    }
    let builder = ort::init_from(path).map_err(|error| error.to_string())?;
    let environment = builder
        .with_name("forebay")
        .with_telemetry(false)
        .with_logger(Arc::new(|level, category, _, location, message| log(level, category, location, message)))
        .build()
        .map_err(|error| error.to_string())?;
    environment.set_log_level(LogLevel::Warning);
    Ok(Runtime { environment, path: path.to_owned() })
}

fn log(level: LogLevel, category: &str, location: &str, message: &str) {
    match level {
        LogLevel::Verbose | LogLevel::Info => tracing::trace!(category, location, "onnxruntime: {message}"),
        LogLevel::Warning => tracing::warn!(category, location, "onnxruntime: {message}"),
        LogLevel::Error | LogLevel::Fatal => tracing::error!(category, location, "onnxruntime: {message}"),
    }
}

fn candidates(explicit: Option<&Path>) -> Vec<Candidate> {
    if let Some(path) = explicit {
        return vec![Candidate { why: "the path given", path: Ok(path.to_owned()) }];
    }
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return vec![Candidate { why: VARIABLE, path: Ok(path.into()) }];
    }
    let mut candidates = beside_program();
    candidates.extend(cached(cache_folder()));
    candidates.push(Candidate { why: "the system's libraries", path: Ok(LIBRARY.into()) });
    candidates
}

fn beside_program() -> Vec<Candidate> {
    let why = "beside the program";
    let folder = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let Some(folder) = folder else {
        return vec![Candidate { why, path: Err("the program's own path is not known".to_owned()) }];
    };
    [folder.join(LIBRARY), folder.join("lib").join(LIBRARY)]
        .into_iter()
        .map(|path| Candidate { why, path: Ok(path) })
        .collect()
}

/// The folder that holds a folder for each version.
fn cache_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let ours = || Some(set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?.join("forebay"));
    Some(set("FOREBAY_CACHE").or_else(ours)?.join("onnxruntime"))
}

fn cached(folder: Option<PathBuf>) -> Vec<Candidate> {
    let why = "the cache folder";
    let Some(folder) = folder else {
        return vec![Candidate { why, path: Err("neither XDG_CACHE_HOME nor HOME is set".to_owned()) }];
    };
    let mut versions: Vec<PathBuf> = match fs_err::read_dir(&folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect(),
        Err(_) => return vec![Candidate { why, path: Ok(folder.join(PINNED_VERSION).join(LIBRARY)) }],
    };
    versions.sort_by_key(|path| std::cmp::Reverse((path.ends_with(PINNED_VERSION), version_of(path))));
    versions.truncate(CACHED_VERSIONS_MAX);
    if versions.is_empty() {
        versions.push(folder.join(PINNED_VERSION));
    }
    versions.into_iter().map(|version| Candidate { why, path: Ok(version.join(LIBRARY)) }).collect()
}

/// `1.31.1` as numbers, so that 1.9 comes before 1.31.
fn version_of(path: &Path) -> Vec<u32> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_tried_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let junk = dir.path().join(LIBRARY);
        fs_err::write(&junk, "not a library").unwrap();
        let places = [
            Candidate { why: "beside the program", path: Ok(dir.path().join("lib/none.so")) },
            Candidate { why: "the path given", path: Ok(junk.clone()) },
            Candidate { why: "the cache folder", path: Err("HOME is not set".to_owned()) },
        ];
        let Err(error) = start(&places) else { panic!("nothing there can be loaded") };
        let text = error.to_string();
        for part in ["lib/none.so: no such file", &junk.display().to_string(), "HOME is not set", "make setup"] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
    }

    #[test]
    fn the_pinned_version_comes_first_then_the_newest() {
        let dir = tempfile::tempdir().unwrap();
        for version in ["1.24.4", "1.9.0", PINNED_VERSION, "1.40.0"] {
            fs_err::create_dir(dir.path().join(version)).unwrap();
        }
        let order: Vec<PathBuf> =
            cached(Some(dir.path().to_owned())).into_iter().filter_map(|candidate| candidate.path.ok()).collect();
        let expected = [PINNED_VERSION, "1.40.0", "1.24.4", "1.9.0"].map(|v| dir.path().join(v).join(LIBRARY));
        assert_eq!(order, expected);
    }

    #[test]
    fn a_named_path_is_the_only_one() {
        assert_eq!(candidates(Some(Path::new("/opt/libonnxruntime.so"))).len(), 1);
    }
}
