//! How an index is opened.

use crate::engine::EngineKind;
use crate::limits::{DIMENSION_MAX, HOT_SEALS_MAX, SEAL_EVENTS, SPACE_BYTES_MAX};
use crate::{IndexError, Retention};

/// How an index is opened. Start from [`Options::new`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Numbers in a vector.
    pub dimension: usize,
    /// The vector space of the model, for example `forebay-256-v1`. An index of another space is refused.
    pub model_space: String,
    /// The engine of segments of [`Options::engine_from`] events or more.
    pub engine: EngineKind,
    /// Events from which a segment gets an engine beside its vectors; below, every search compares all that match.
    pub engine_from: usize,
    /// Threads that build an engine. A search always uses one.
    pub build_threads: usize,
    /// Hot events from which they are written as a segment; an append of as many becomes one at once.
    pub seal_events: usize,
    /// Hot events at which appends wait until some are written as segments.
    pub hot_events_max: usize,
    /// Whether segments are merged in the background; [`crate::Index::compact`] merges in any case.
    pub merge_in_background: bool,
    /// Bytes of mapped files above which pages are given back, see `crate::resident`; none is to leave that to the system.
    pub resident_bytes_max: Option<u64>,
    /// What is kept.
    pub retention: Retention,
}

impl Options {
    /// Events from which a segment gets an engine unless told otherwise: comparing 8,192 x 256 takes about 0.4 ms.
    pub const ENGINE_FROM: usize = 8_192;

    /// The options for vectors of `dimension` numbers in `model_space`, everything else by default.
    pub fn new(dimension: usize, model_space: impl Into<String>) -> Self {
        Self {
            dimension,
            model_space: model_space.into(),
            engine: EngineKind::default(),
            engine_from: Self::ENGINE_FROM,
            build_threads: std::thread::available_parallelism().map_or(1, usize::from),
            seal_events: SEAL_EVENTS,
            hot_events_max: HOT_SEALS_MAX * SEAL_EVENTS,
            merge_in_background: true,
            resident_bytes_max: None,
            retention: Retention::default(),
        }
    }

    /// Refuses what no index can be opened with.
    pub(crate) fn check(&self) -> Result<(), IndexError> {
        if self.dimension == 0 || self.dimension > DIMENSION_MAX {
            return Err(IndexError::Options(format!("dimension {} is not in 1..={DIMENSION_MAX}", self.dimension)));
        }
        if self.model_space.is_empty() || self.model_space.len() > SPACE_BYTES_MAX {
            return Err(IndexError::Options(format!("the model space must have 1 to {SPACE_BYTES_MAX} bytes")));
        }
        if self.engine_from == 0 || self.build_threads == 0 {
            return Err(IndexError::Options("engine_from and build_threads must be at least 1".to_owned()));
        }
        if self.seal_events == 0 || self.hot_events_max < 2 * self.seal_events {
            let reason = "seal_events must be at least 1 and hot_events_max twice as much";
            return Err(IndexError::Options(reason.to_owned()));
        }
        self.engine.check()
    }
}
