//! Whoever wants the vectors besides the files: an index.

use forebay_event::Event;

/// What a sink says when it fails.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Takes events and vectors as they are finished, in order.
pub trait Sink {
    /// Takes a batch: `vectors` holds `dimension` floats for each event. May hold it back until [`Sink::commit`].
    ///
    /// After a crash the same events come again; they must not be kept twice.
    fn take(&mut self, events: &[Event], vectors: &[f32]) -> Result<(), SinkError>;

    /// Makes everything taken so far durable. Called before a part is entered into the manifest.
    fn commit(&mut self) -> Result<(), SinkError>;

    /// The last call, after the last commit. Files are closed when it returns: the folder is about to be renamed.
    fn finish(self: Box<Self>) -> Result<(), SinkError>;
}
