//! The path of a batch from the caller to the acknowledgement; [`crate::hot`] tells the whole of it.

use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use forebay_event::Event;

use crate::IndexError;
use crate::check::check_batch;
use crate::hot::{InFlight, LogSlot, Ready, State, slice_name};
use crate::limits::{GROUP_BYTES_MAX, HOT_BYTES_MAX, SEAL_BYTES, SEGMENTS_MAX};
use crate::log::{Frame, LogFile};
use crate::segment::{Segment, canonical};
use crate::shared::Shared;
use crate::writer::{Writer, is_full};

/// A batch that has its numbers.
struct Reserved {
    first_seq: u64,
    /// Of what the caller gave, which events are its own; the others are there already.
    is_new: Vec<bool>,
    /// What had failed when the duplicates were left out.
    failures: u64,
}

/// The batches that one caller writes for all.
type Group = Vec<(u64, Ready)>;

impl Writer {
    /// Stores what is new of `events`; for each, whether it was.
    pub(crate) fn append(
        &self,
        shared: &Shared,
        events: Vec<Event>,
        vectors: Vec<f32>,
    ) -> Result<Vec<bool>, IndexError> {
        check_batch(&events, &vectors, shared.options.dimension)?;
        let segments = shared.snapshot().known.len();
        if segments >= SEGMENTS_MAX {
            return Err(IndexError::TooManySegments(segments));
        }
        self.wait_for_room(shared)?;
        let reserved = self.reserve(shared, &events)?;
        if !reserved.is_new.contains(&true) {
            self.wait_for_those_before(&reserved)?;
            return Ok(reserved.is_new);
        }
        let (events, vectors) = keep_new(events, vectors, &reserved.is_new);
        match self.make_ready(shared, &events, &vectors, reserved.first_seq) {
            Ok(ready) => self.commit(shared, reserved.first_seq, ready)?,
            Err(error) => {
                let mut state = self.hot.lock();
                state.fail_all(&error.to_string());
                state.in_flight.remove(&reserved.first_seq);
                self.hot.changed.notify_all();
                return Err(error);
            }
        }
        Ok(reserved.is_new)
    }

    /// Back-pressure: while the hot part is at its bound, appends wait for the sealing of segments, and that is counted.
    fn wait_for_room(&self, shared: &Shared) -> Result<(), IndexError> {
        let mut state = self.hot.lock();
        state.check_healthy()?;
        let start = Instant::now();
        let mut waited = false;
        while state.events() >= shared.options.hot_events_max as u64 || state.bytes() >= HOT_BYTES_MAX {
            if let Some(reason) = &state.seal_failed {
                return Err(IndexError::Full(reason.clone()));
            }
            if !std::mem::replace(&mut waited, true) {
                shared.counters.appends_waited.add(1);
            }
            state = self.hot.wait(state);
            state.check_healthy()?;
        }
        if waited {
            shared.counters.appends_waited_us.add(start.elapsed().as_micros() as u64);
        }
        Ok(())
    }

    /// Leaves out what is there already and gives the rest its numbers.
    fn reserve(&self, shared: &Shared, events: &[Event]) -> Result<Reserved, IndexError> {
        let ids: Vec<u128> = events.iter().map(|event| event.event_id.0.as_u128()).collect();
        // The sealed segments are asked without the lock; those sealed in the meantime again with it.
        let before = shared.snapshot();
        let sealed: Vec<bool> = ids.iter().map(|id| before.known.iter().any(|known| known.holds(*id))).collect();

        let mut state = self.hot.lock();
        state.check_healthy()?;
        let now = shared.snapshot();
        let newer: Vec<_> =
            now.known.iter().filter(|known| !before.known.iter().any(|old| Arc::ptr_eq(old, known))).collect();
        let mut is_new = Vec::with_capacity(ids.len());
        for (id, sealed) in ids.iter().zip(sealed) {
            let known = sealed || state.holds(*id) || newer.iter().any(|known| known.holds(*id));
            is_new.push(!known && state.current().ids.insert(*id));
        }
        let (first_seq, failures) = (state.next_seq, state.failures);
        let own: Vec<u128> = ids.into_iter().zip(&is_new).filter(|(_, is_new)| **is_new).map(|(id, _)| id).collect();
        if !own.is_empty() {
            let end_seq = first_seq + own.len() as u64;
            state.in_flight.insert(first_seq, InFlight { end_seq, ids: own, ready: None, failed: None });
            state.next_seq = end_seq;
        }
        Ok(Reserved { first_seq, is_new, failures })
    }

    /// Every event was a duplicate, perhaps of one that is under way: it is only there once that is acknowledged.
    fn wait_for_those_before(&self, reserved: &Reserved) -> Result<(), IndexError> {
        let mut state = self.hot.lock();
        loop {
            state.check_healthy()?;
            if state.failures != reserved.failures {
                return Err(IndexError::Io(std::io::Error::other(
                    "an append that brought the same events failed; send them again",
                )));
            }
            if state.in_flight.first_key_value().is_none_or(|(first, _)| *first >= reserved.first_seq) {
                return Ok(());
            }
            state = self.hot.wait(state);
        }
    }

    /// What takes time and needs no lock.
    fn make_ready(
        &self,
        shared: &Shared,
        events: &[Event],
        vectors: &[f32],
        first_seq: u64,
    ) -> Result<Ready, IndexError> {
        let options = &shared.options;
        if events.len() < options.seal_events
            && let Some(frame) = Frame::new(events, vectors, first_seq)?
        {
            let slice = Segment::in_memory(&slice_name(first_seq), events, vectors, first_seq, options)?;
            return Ok(Ready::Slice { frame, slice: Arc::new(slice) });
        }
        let building = self.next_building(shared, Vec::new());
        Ok(Ready::Sealed(Box::new(building.write(events, vectors, first_seq)?)))
    }

    /// Waits until the batch is on the disk and shown; writes for all who are ready if nobody else does.
    fn commit(&self, shared: &Shared, first_seq: u64, ready: Ready) -> Result<(), IndexError> {
        let mut state = self.hot.lock();
        if let Some(batch) = state.in_flight.get_mut(&first_seq)
            && batch.failed.is_none()
        {
            batch.ready = Some(ready);
        }
        loop {
            let Some(batch) = state.in_flight.get_mut(&first_seq) else { return Ok(()) };
            if let Some(reason) = batch.failed.take() {
                state.in_flight.remove(&first_seq);
                state.check_healthy()?;
                return Err(IndexError::Io(std::io::Error::other(reason)));
            }
            state.check_healthy()?;
            let free = !matches!(state.log, LogSlot::Taken);
            match if free { state.take_group() } else { Vec::new() } {
                group if group.is_empty() => state = self.hot.wait(state),
                group => {
                    state = self.write_group(shared, state, group);
                    self.hot.changed.notify_all();
                }
            }
        }
    }

    /// Writes a group and shows it. The lock is let go while the disk works.
    fn write_group<'a>(
        &'a self,
        shared: &Shared,
        mut state: MutexGuard<'a, State>,
        group: Group,
    ) -> MutexGuard<'a, State> {
        let log = std::mem::replace(&mut state.log, LogSlot::Taken);
        let number = state.current().log;
        drop(state);
        let firsts: Vec<u64> = group.iter().map(|(first_seq, _)| *first_seq).collect();
        let (mut frames, mut slices, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
        for (_, ready) in group {
            match ready {
                Ready::Slice { frame, slice } => {
                    slices.push((Arc::clone(&slice), frame.len() as u64));
                    frames.push((frame, slice));
                }
                Ready::Sealed(manifest) => sealed.push(*manifest),
            }
        }
        let (log, written) = write_frames(shared, log, number, &frames);
        let written = written.map_err(|error| self.judge(error.into()));
        let written = written.and_then(|()| sealed.into_iter().try_for_each(|segment| self.list(shared, segment)));
        let mut state = self.hot.lock();
        state.log_synced = if let LogSlot::Open(file) = &log { file.bytes() } else { 0 };
        state.log = log;
        match written {
            Ok(()) => show(shared, &mut state, &firsts, slices),
            Err(error) => state.fail_all(&error.to_string()),
        }
        state
    }
}

/// The events that are new, as they can be stored, with their vectors.
fn keep_new(mut events: Vec<Event>, mut vectors: Vec<f32>, is_new: &[bool]) -> (Vec<Event>, Vec<f32>) {
    if is_new.contains(&false) {
        let dimension = vectors.len() / events.len();
        let rows = vectors.chunks_exact(dimension).zip(is_new);
        vectors = rows.filter(|(_, is_new)| **is_new).flat_map(|(vector, _)| vector).copied().collect();
        let mut flags = is_new.iter();
        events.retain(|_| flags.next() == Some(&true));
    }
    for event in &mut events {
        let scores = [event.scores.fast, event.scores.ml, event.scores.r#final, event.scores.divergence];
        if event.features.0.iter().any(|value| value.is_infinite()) || scores.iter().flatten().any(|s| !s.is_finite()) {
            *event = canonical(event);
        }
    }
    (events, vectors)
}

impl State {
    /// The batches that can be written now: in the order of their numbers, up to the first that is not ready. A batch that
    /// is a segment of its own goes alone.
    fn take_group(&mut self) -> Group {
        let (mut group, mut bytes) = (Vec::new(), 0);
        for (first_seq, batch) in &mut self.in_flight {
            let alone = matches!(batch.ready, Some(Ready::Sealed(_)));
            if bytes >= GROUP_BYTES_MAX || (alone && !group.is_empty()) {
                break;
            }
            let Some(ready) = batch.ready.take() else { break };
            if let Ready::Slice { frame, .. } = &ready {
                bytes += frame.len();
            }
            group.push((*first_seq, ready));
            if alone {
                break;
            }
        }
        group
    }
}

/// The batches are on the disk: searches see them, and their callers go on.
fn show(shared: &Shared, state: &mut State, firsts: &[u64], slices: Vec<(Arc<Segment>, u64)>) {
    let mut end_seq = 0;
    for first_seq in firsts {
        let Some(batch) = state.in_flight.remove(first_seq) else { continue };
        end_seq = batch.end_seq;
        if slices.is_empty() {
            // It is a sealed segment now, which knows its identifiers itself.
            state.forget(&batch.ids);
        }
    }
    for (slice, bytes) in &slices {
        state.current().push(Arc::clone(slice), *bytes);
    }
    shared.update(|snapshot| {
        snapshot.segments.extend(slices.into_iter().map(|(slice, _)| slice));
        snapshot.end_seq = snapshot.end_seq.max(end_seq);
    });
    let current = state.current();
    if current.events >= shared.options.seal_events as u64 || current.bytes >= SEAL_BYTES {
        state.rotate();
    }
}

/// Writes `frames` to the log, which is made if it is not there. A write that found no room is taken back.
fn write_frames(
    shared: &Shared,
    log: LogSlot,
    number: u64,
    frames: &[(Frame, Arc<Segment>)],
) -> (LogSlot, std::io::Result<()>) {
    if frames.is_empty() {
        return (log, Ok(()));
    }
    let options = &shared.options;
    let mut file = match log {
        LogSlot::Open(file) => file,
        LogSlot::Absent | LogSlot::Taken => {
            match LogFile::create(&shared.dir, number, &options.model_space, options.dimension) {
                Ok(file) => file,
                Err(error) => return (LogSlot::Absent, Err(error)),
            }
        }
    };
    match file.append(frames.iter().map(|(frame, slice)| (frame, slice.vectors().numbers()))) {
        Ok(()) => (LogSlot::Open(file), Ok(())),
        Err(error) => {
            // Only a full disk leaves the file known: then what was written of the frames is cut off again.
            let known = is_full(&error) && file.cut_back().is_ok();
            let error = if known { error } else { std::io::Error::other(error.to_string()) };
            (LogSlot::Open(file), Err(error))
        }
    }
}
