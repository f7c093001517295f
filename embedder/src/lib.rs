//! Embeds events and questions into one vector space with ONNX networks, and runs the offline batch job.
//!
//! **Promise.** A vector that comes out has the model's dimension and unit length. A model folder is checked whole
//! before its first use (manifest, SHA-256, opset and IR, inputs, output, a trial run); what is wrong is named with
//! the file and what to do. The same event in the same batch gives the same vector, bit for bit.
//!
//! **Limits.** All in [`limits`]. One session is one thread; more threads are more sessions ([`Pool`]).
//!
//! **Layout.** [`Model`] is a verified folder, [`EventEmbedder`] and [`QueryEmbedder`] are loaded from one,
//! [`runtime`] finds the ONNX Runtime library, [`models`] finds model folders, [`tokenize`] turns words into ids,
//! [`batch`] is the job that turns inputs into files. This crate knows `forebay-event` and nothing else of the workspace.
//!
//! **Failure.** One enum, [`EmbedError`]; each variant's doc says whose fault it is.

pub mod batch;
mod error;
mod event;
pub mod limits;
mod manifest;
mod model;
pub mod models;
mod onnx;
mod pool;
mod query;
pub mod runtime;
mod session;
pub mod tokenize;

pub use error::EmbedError;
pub use event::EventEmbedder;
pub use manifest::{Kind, Manifest, ModelFile, Port, Tokenizer};
pub use model::{Model, same_space};
pub use pool::{EventPool, Pool, QueryPool};
pub use query::QueryEmbedder;
pub use session::Precision;

/// Turns items into vectors of one space.
pub trait Embedder: Send {
    /// What is embedded: an event, or a text.
    type Item: ?Sized;

    /// Numbers in a vector.
    fn dimension(&self) -> usize;

    /// Appends `items.len() * dimension` floats to `out`, one unit-length vector after another in the order of `items`.
    ///
    /// On an error nothing is appended.
    fn embed(&mut self, items: &[&Self::Item], out: &mut Vec<f32>) -> Result<(), EmbedError>;
}
