//! Sessions that share the work: as many embedders as threads are wanted, each with one thread of its own.
//!
//! A caller takes an idle embedder, waits if there is none, and gives it back by dropping the guard. Nothing inside the
//! runtime spawns threads, so a pool of two on two cores runs two networks and no third thing.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use crate::limits::{BATCH_EVENTS_MAX, POOL_SESSIONS_MAX};
use crate::{EmbedError, Embedder, EventEmbedder, Model, Precision, QueryEmbedder};

/// Embedders of events.
pub type EventPool = Pool<EventEmbedder>;

/// Embedders of questions.
pub type QueryPool = Pool<QueryEmbedder>;

/// A fixed number of embedders of one network.
pub struct Pool<E> {
    idle: Mutex<Vec<E>>,
    given_back: Condvar,
    size: usize,
    dimension: usize,
}

/// An embedder taken from a [`Pool`]; it goes back when this is dropped.
pub struct Taken<'p, E> {
    pool: &'p Pool<E>,
    embedder: Option<E>,
}

impl Pool<EventEmbedder> {
    /// `sessions` event networks (at least one, at most [`POOL_SESSIONS_MAX`]).
    pub fn load(model: &Model, precision: Precision, sessions: usize) -> Result<Self, EmbedError> {
        Self::of(sessions, || EventEmbedder::load(model, precision))
    }
}

impl Pool<QueryEmbedder> {
    /// `sessions` query networks (at least one, at most [`POOL_SESSIONS_MAX`]).
    pub fn load(model: &Model, precision: Precision, sessions: usize) -> Result<Self, EmbedError> {
        Self::of(sessions, || QueryEmbedder::load(model, precision))
    }
}

impl<E: Embedder> Pool<E> {
    /// A pool of `sessions` embedders made by `make`.
    pub fn of(sessions: usize, make: impl Fn() -> Result<E, EmbedError>) -> Result<Self, EmbedError> {
        let size = sessions.clamp(1, POOL_SESSIONS_MAX);
        let idle = (0..size).map(|_| make()).collect::<Result<Vec<E>, EmbedError>>()?;
        let dimension = idle[0].dimension();
        Ok(Self { idle: Mutex::new(idle), given_back: Condvar::new(), size, dimension })
    }

    /// Embedders in the pool.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Numbers in a vector.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Takes an embedder, waiting for one to come back if all are busy.
    pub fn take(&self) -> Taken<'_, E> {
        // A panic elsewhere cannot leave the list half changed, so a poisoned lock is still sound.
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(embedder) = idle.pop() {
                return Taken { pool: self, embedder: Some(embedder) };
            }
            idle = self.given_back.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Appends the vectors of `items` to `out`, in order; runs on up to [`Pool::size`] threads when there is enough to do.
    ///
    /// On an error nothing is appended.
    pub fn embed(&self, items: &[&E::Item], out: &mut Vec<f32>) -> Result<(), EmbedError>
    where
        E::Item: Sync,
    {
        let chunks = items.len().div_ceil(BATCH_EVENTS_MAX);
        let threads = self.size.min(chunks);
        if threads <= 1 {
            return self.take().embed(items, out);
        }
        let share = chunks.div_ceil(threads) * BATCH_EVENTS_MAX;
        let parts = thread::scope(|scope| {
            let running: Vec<_> =
                items.chunks(share).map(|items| scope.spawn(move || self.embed_part(items))).collect();
            running.into_iter().map(joined).collect::<Result<Vec<_>, EmbedError>>()
        })?;
        out.extend(parts.into_iter().flatten());
        Ok(())
    }

    fn embed_part(&self, items: &[&E::Item]) -> Result<Vec<f32>, EmbedError> {
        let mut out = Vec::with_capacity(items.len() * self.dimension);
        self.take().embed(items, &mut out)?;
        Ok(out)
    }
}

/// A panic in a worker goes on in the caller, as if there had been no thread.
fn joined<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl<E> Deref for Taken<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        self.embedder.as_ref().expect("the embedder leaves only on drop")
    }
}

impl<E> DerefMut for Taken<'_, E> {
    fn deref_mut(&mut self) -> &mut E {
        self.embedder.as_mut().expect("the embedder leaves only on drop")
    }
}

impl<E> Drop for Taken<'_, E> {
    fn drop(&mut self) {
        if let Some(embedder) = self.embedder.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(embedder);
            self.pool.given_back.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Gives each text its length; fails on "bad".
    struct Lengths;

    impl Embedder for Lengths {
        type Item = str;

        fn dimension(&self) -> usize {
            1
        }

        fn embed(&mut self, items: &[&str], out: &mut Vec<f32>) -> Result<(), EmbedError> {
            if items.contains(&"bad") {
                return Err(EmbedError::NoWords);
            }
            out.extend(items.iter().map(|text| text.len() as f32));
            Ok(())
        }
    }

    #[test]
    fn order_is_kept_over_threads() {
        let pool = Pool::of(3, || Ok(Lengths)).unwrap();
        let texts: Vec<String> = (0..5000).map(|i| "x".repeat(i % 97)).collect();
        let items: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut out = vec![-1.0];
        pool.embed(&items, &mut out).unwrap();
        let expected: Vec<f32> = std::iter::once(-1.0).chain(items.iter().map(|text| text.len() as f32)).collect();
        assert_eq!(out, expected);
    }

    #[test]
    fn a_failure_appends_nothing_and_returns_the_embedders() {
        let pool = Pool::of(2, || Ok(Lengths)).unwrap();
        let mut items = vec!["good"; 3000];
        items[2500] = "bad";
        let mut out = Vec::new();
        assert!(pool.embed(&items, &mut out).is_err());
        assert!(out.is_empty());
        assert_eq!(pool.idle.lock().unwrap().len(), 2);
    }

    #[test]
    fn no_more_than_the_pool_run_at_once() {
        let pool = Pool::of(2, || Ok(Lengths)).unwrap();
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let _taken = pool.take();
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(std::time::Duration::from_millis(2));
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }
}
