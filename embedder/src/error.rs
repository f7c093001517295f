//! What can go wrong between a model folder and a vector.

use std::io;

/// Why a model could not be loaded, or an item not embedded. `file` is the path of the file, or `built-in ...`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// No ONNX Runtime that works. The machine's set-up; the message lists every place tried.
    #[error(
        "ONNX Runtime was not found or could not be loaded. Tried:\n{tried}Run `make setup`, or set ORT_DYLIB_PATH to a libonnxruntime.so of version 1.24 or later"
    )]
    Runtime {
        /// One line for each place: where, and why not.
        tried: String,
    },
    /// A model file could not be read. The user's fault (a wrong path), or the disk's.
    #[error("model file {file}: {error}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        error: io::Error,
    },
    /// No model folder where one was expected. The user's fault; the message lists the places.
    #[error("no model folder {name:?}. Tried:\n{tried}Give the path of a folder that holds a manifest.json")]
    NoModel {
        /// What was asked for.
        name: String,
        /// One line for each place.
        tried: String,
    },
    /// `manifest.json` does not say what it must. The fault of whoever wrote it.
    #[error("{file}: {reason}")]
    Manifest {
        /// The manifest.
        file: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// A network is not the one the manifest names: damaged, or replaced.
    #[error(
        "{file}: SHA-256 is {found} but the manifest says {expected}; the file is damaged or was replaced. Restore it, or write the new hash into manifest.json"
    )]
    Hash {
        /// The network.
        file: String,
        /// Hex digest in the manifest.
        expected: String,
        /// Hex digest of the file.
        found: String,
    },
    /// A file is not an ONNX model, or one whose version or form is not accepted. The fault of whoever exported it.
    #[error("{file}: {reason}")]
    Onnx {
        /// The network.
        file: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The network's inputs or output are not what the manifest says. The fault of whoever exported it.
    #[error("{file}: {reason}")]
    Signature {
        /// The network.
        file: String,
        /// Which input or output, what was expected, what was found.
        reason: String,
    },
    /// The model has no network of the precision asked for. The user's fault.
    #[error("model {model} has no {precision} network; its manifest lists {listed}")]
    NoPrecision {
        /// The model's name.
        model: String,
        /// `fp32` or `int8`.
        precision: &'static str,
        /// What there is.
        listed: String,
    },
    /// Two models do not share a space, so their vectors cannot be compared. The user's fault.
    #[error(
        "model {event} makes vectors of space {event_space:?} ({event_dimension} numbers) and model {query} of space {query_space:?} ({query_dimension} numbers); choose a pair trained together"
    )]
    Space {
        /// Name of the event model.
        event: String,
        /// Its space.
        event_space: String,
        /// Its dimension.
        event_dimension: usize,
        /// Name of the query model.
        query: String,
        /// Its space.
        query_space: String,
        /// Its dimension.
        query_dimension: usize,
    },
    /// The runtime refused the network or failed while running it.
    #[error("{file}: ONNX Runtime: {reason}")]
    Run {
        /// The network.
        file: String,
        /// What the runtime said.
        reason: String,
    },
    /// The network gave a vector that is not finite or not of unit length. The model's fault.
    #[error(
        "{file}: the network gave a vector of squared length {squared_length}, not 1; its graph must normalise its output and mask unknown (NaN) inputs"
    )]
    Length {
        /// The network.
        file: String,
        /// What it was.
        squared_length: f32,
    },
    /// The text has no words, so it has no vector. Not a failure of anything: search by filters alone.
    #[error("the text has no words to embed")]
    NoWords,
}
