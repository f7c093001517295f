//! Index and networks together: what the HTTP handlers and the command line ask.
//!
//! Everything here blocks and is called from threads that may. Networks come from pools whose size bounds how many run at
//! once.

use std::path::{Path, PathBuf};

use forebay_embedder::{EmbedError, EventPool, Precision, QueryPool, models, runtime, tokenize};
use forebay_event::{Event, EventId};
use forebay_index::engine::EngineKind;
use forebay_index::{Copied, Dropped, Found, Index, IndexError, Options, Retention, Search, Stats};

/// Where index and networks are.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The folder of the index; made if it is not there.
    pub index: PathBuf,
    /// Folder of the event model; none for the default one.
    pub event_model: Option<PathBuf>,
    /// Folder of the query model; none for the default one.
    pub query_model: Option<PathBuf>,
    /// The ONNX Runtime library; none to look for it.
    pub runtime: Option<PathBuf>,
    /// Which networks of the models are used.
    pub precision: Precision,
    /// Networks of each kind that run at once; 0 is one for each core.
    pub threads: usize,
    /// What the index keeps.
    pub retention: Retention,
    /// What compares vectors in segments of `engine_from` events or more.
    pub engine: EngineKind,
    /// Events from which a segment gets that engine.
    pub engine_from: usize,
    /// Bytes of mapped files above which memory is given back; none leaves that to the system.
    pub resident_bytes_max: Option<u64>,
}

/// Why there is no backend. The messages say whose fault it is and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The index cannot be opened.
    #[error("the index: {0}")]
    Index(#[from] IndexError),
    /// A model cannot be loaded.
    #[error("the models: {0}")]
    Models(#[from] EmbedError),
}

/// Why events were not stored. Ours or the machine's; the events are none of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// What became of an event that was handed over to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is durable and searchable.
    New,
    /// It was there already, or came earlier in the batch.
    Duplicate,
    /// The index does not take it, for this reason.
    Refused(String),
}

/// An open index with the networks it was made with.
pub struct Backend {
    index: Index,
    events: EventPool,
    queries: QueryPool,
    model: String,
}

impl Backend {
    /// Loads the networks and opens (or makes) the index.
    pub fn open(sources: &Sources) -> Result<Self, OpenError> {
        runtime::init(sources.runtime.as_deref())?;
        let (event, query) = models::pair(sources.event_model.as_deref(), sources.query_model.as_deref())?;
        let sessions = match sources.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let options = Options::new(event.dimension(), event.manifest().space.clone());
        let options = Options {
            retention: sources.retention,
            engine: sources.engine.clone(),
            engine_from: sources.engine_from,
            resident_bytes_max: sources.resident_bytes_max,
            ..options
        };
        let index = Index::open(&sources.index, options)?;
        for damaged in index.stats().damaged {
            tracing::error!(segment = damaged.name, events = damaged.events, reason = damaged.reason, "set aside");
        }
        Ok(Self {
            index,
            events: EventPool::load(&event, sources.precision, sessions)?,
            queries: QueryPool::load(&query, sources.precision, sessions)?,
            model: format!("{} and {}", event.origin(), query.origin()),
        })
    }

    /// The models in use, in words.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The vector of `words`; none when there is no word in them to embed.
    pub fn embed(&self, words: &str) -> Result<Option<Vec<f32>>, EmbedError> {
        if !tokenize::has_words(words) {
            return Ok(None);
        }
        let mut vector = Vec::new();
        match self.queries.embed(&[words], &mut vector) {
            Ok(()) => Ok(Some(vector)),
            Err(EmbedError::NoWords) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Searches the index.
    pub fn search(&self, search: &Search) -> Result<Found, IndexError> {
        self.index.search(search)
    }

    /// The event called `id`.
    pub fn event(&self, id: EventId) -> Result<Option<Event>, IndexError> {
        self.index.event(id)
    }

    /// What the index holds.
    pub fn stats(&self) -> Stats {
        self.index.stats()
    }

    /// Drops every segment whose events all started before `before_us`.
    pub fn delete_before(&self, before_us: i64) -> Result<Dropped, IndexError> {
        self.index.delete_before(before_us)
    }

    /// Makes a copy of the index as the folder `to`.
    pub fn copy_to(&self, to: &Path) -> Result<Copied, IndexError> {
        self.index.copy_to(to)
    }

    /// Embeds and stores `events`; on return those that are [`Stored::New`] are durable and searchable. Callers on several
    /// threads embed side by side and are synced together.
    ///
    /// On an error nothing of the batch was stored, or all of it and the error came after: sending it again is safe.
    pub(crate) fn store(&self, mut events: Vec<Event>) -> Result<Vec<Stored>, StoreError> {
        let mut fates: Vec<Option<Stored>> = events.iter().map(refused).collect();
        let mut kept = fates.iter().map(Option::is_none);
        events.retain(|_| kept.next() == Some(true));
        let mut vectors = Vec::with_capacity(events.len() * self.events.dimension());
        if !events.is_empty() {
            self.events.embed(&events.iter().collect::<Vec<_>>(), &mut vectors)?;
        }
        let is_new = self.index.append_each(events, vectors)?;
        let undecided = fates.iter_mut().filter(|fate| fate.is_none());
        for (fate, is_new) in undecided.zip(is_new) {
            *fate = Some(if is_new { Stored::New } else { Stored::Duplicate });
        }
        Ok(fates.into_iter().map(|fate| fate.expect("each event was refused or appended")).collect())
    }
}

/// Why the index would not take an event, if it would not.
fn refused(event: &Event) -> Option<Stored> {
    match Index::check(event) {
        Err(IndexError::Event { reason, .. }) => Some(Stored::Refused(reason)),
        _ => None,
    }
}
