//! Index and networks together: what the HTTP handlers and the command line ask.
//!
//! Everything here blocks and is called from threads that may. Networks come from pools whose size bounds how many run at
//! once; storing is done by one caller at a time.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use forebay_embedder::{EmbedError, EventPool, Precision, QueryPool, models, runtime, tokenize};
use forebay_event::{Event, EventId};
use forebay_index::{Found, Index, IndexError, Options, Search, Stats};

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
    /// Held while a batch is stored, so that asking what is there and adding the rest is one step.
    storing: Mutex<()>,
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
        let index = Index::open(&sources.index, Options::new(event.dimension(), event.manifest().space.clone()))?;
        for damaged in index.stats().damaged {
            tracing::error!(segment = damaged.name, events = damaged.events, reason = damaged.reason, "set aside");
        }
        Ok(Self {
            index,
            events: EventPool::load(&event, sources.precision, sessions)?,
            queries: QueryPool::load(&query, sources.precision, sessions)?,
            model: format!("{} and {}", event.origin(), query.origin()),
            storing: Mutex::new(()),
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

    /// Embeds and stores `events`; on return those that are [`Stored::New`] are durable and searchable.
    ///
    /// On an error nothing of the batch was stored, or all of it and the error came after: sending it again is safe.
    pub(crate) fn store(&self, events: &[Event]) -> Result<Vec<Stored>, StoreError> {
        let _storing = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fates = self.fates(events)?;
        // Each round either stores the rest or refuses one event, so the rounds are bounded by the batch.
        for _ in 0..=events.len() {
            let fresh: Vec<&Event> = pick(events, &fates);
            if fresh.is_empty() {
                break;
            }
            let mut vectors = Vec::with_capacity(fresh.len() * self.events.dimension());
            self.events.embed(&fresh, &mut vectors)?;
            let owned: Vec<Event> = fresh.into_iter().cloned().collect();
            match self.index.append(&owned, &vectors) {
                Ok(_) => break,
                Err(IndexError::Event { id, reason }) => refuse(events, &mut fates, id, &reason),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(fates)
    }

    /// Which of `events` are there already.
    fn fates(&self, events: &[Event]) -> Result<Vec<Stored>, IndexError> {
        let mut seen = std::collections::HashSet::with_capacity(events.len());
        events
            .iter()
            .map(|event| {
                let known = !seen.insert(event.event_id) || self.index.event(event.event_id)?.is_some();
                Ok(if known { Stored::Duplicate } else { Stored::New })
            })
            .collect()
    }
}

fn pick<'e>(events: &'e [Event], fates: &[Stored]) -> Vec<&'e Event> {
    events.iter().zip(fates).filter(|(_, fate)| **fate == Stored::New).map(|(event, _)| event).collect()
}

fn refuse(events: &[Event], fates: &mut [Stored], id: EventId, reason: &str) {
    for (event, fate) in events.iter().zip(fates) {
        if event.event_id == id && *fate == Stored::New {
            *fate = Stored::Refused(reason.to_owned());
        }
    }
}
