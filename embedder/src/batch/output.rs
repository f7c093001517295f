//! Everything a job writes: the part, the growing files, the sink; [`Commits`] enters it into the manifest.

use std::path::PathBuf;
use std::time::Instant;

use super::commits::{Commit, Commits};
use super::dead_letters::DeadLetters;
use super::folder::Folder;
use super::manifest::{Identity, Manifest, Position, Totals};
use super::npy::Npy;
use super::part::PartWriter;
use super::pipeline::Batch;
use super::rows::Rows;
use super::summary::Times;
use super::{BatchError, Sink};

/// The output, open at the end of what is committed.
pub(super) struct Output {
    folder: PathBuf,
    job: Identity,
    rows: Rows,
    position: Position,
    totals: Totals,
    parts: usize,
    part: Option<PartWriter>,
    npy: Option<Npy>,
    dead_letters: DeadLetters,
    sink: Option<Box<dyn Sink>>,
    times: Times,
    uncommitted: bool,
    commits: Commits,
}

impl Output {
    pub(super) fn open(
        folder: &Folder,
        manifest: Manifest,
        rows: Rows,
        sink: Option<Box<dyn Sink>>,
    ) -> std::io::Result<Self> {
        let path = folder.path().to_owned();
        let Manifest { job, position, totals, parts, .. } = manifest.clone();
        let npy = job.npy.then(|| Npy::open(&path, job.model.dimension, totals.events)).transpose()?;
        let dead_letters = DeadLetters::open(&path, totals.dead_letter_bytes)?;
        let commits = Commits::begin(path.clone(), manifest);
        Ok(Self {
            folder: path,
            job,
            rows,
            position,
            totals,
            parts: parts.len(),
            part: None,
            npy,
            dead_letters,
            sink,
            times: Times::default(),
            uncommitted: false,
            commits,
        })
    }

    /// How far the inputs are read by what was taken.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Sums over everything taken.
    pub(super) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Parts written, some of which may be on their way to the disk.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// Takes the next batch, and commits when the part is large enough.
    pub(super) fn accept(&mut self, batch: &mut Batch) -> Result<(), BatchError> {
        let began = Instant::now();
        self.write(batch)?;
        Times::add(&mut self.times.writing, began.elapsed());
        self.times.of_worker(&batch.times);
        if let Some(sink) = &mut self.sink {
            let began = Instant::now();
            sink.take(batch.events(), &batch.vectors).map_err(BatchError::Sink)?;
            Times::add(&mut self.times.sink, began.elapsed());
        }
        self.count(batch);
        if self.part.as_ref().is_some_and(|part| part.rows() >= self.job.part_events as u64) {
            self.commit()?;
        }
        Ok(())
    }

    /// Sees to it that everything taken so far becomes durable, as a part of its own.
    pub(super) fn commit(&mut self) -> Result<(), BatchError> {
        if !self.uncommitted {
            return Ok(());
        }
        if let Some(sink) = &mut self.sink {
            let began = Instant::now();
            sink.commit().map_err(BatchError::Sink)?;
            Times::add(&mut self.times.sink, began.elapsed());
        }
        let began = Instant::now();
        let part = self.part.take().map(|part| part.finish(self.position)).transpose()?;
        self.parts += usize::from(part.is_some());
        let mut growing = Vec::new();
        if let Some(npy) = &mut self.npy {
            growing.push(npy.flush()?);
        }
        if let Some(file) = self.dead_letters.flush()? {
            growing.push(file);
        }
        self.totals.dead_letter_bytes = self.dead_letters.bytes();
        self.commits.ask(Commit { part, growing, position: self.position, totals: self.totals.clone() })?;
        Times::add(&mut self.times.writing, began.elapsed());
        self.uncommitted = false;
        Ok(())
    }

    /// Commits the rest and waits until it is on the disk.
    pub(super) fn settle(&mut self) -> Result<(Manifest, Times), BatchError> {
        self.commit()?;
        let kept = self.commits.settle()?;
        Times::add(&mut self.times.syncing, kept.syncing);
        Ok((kept.manifest, self.times))
    }

    /// Commits the rest, ends the sink, and marks the manifest as complete.
    pub(super) fn finish(mut self) -> Result<(Manifest, Times), BatchError> {
        if self.parts == 0 && self.part.is_none() {
            // A reader wants a schema even where there are no rows.
            self.part = Some(self.new_part()?);
            self.uncommitted = true;
        }
        let (mut manifest, mut times) = self.settle()?;
        let began = Instant::now();
        if let Some(sink) = self.sink.take() {
            sink.finish().map_err(BatchError::Sink)?;
        }
        Times::add(&mut times.sink, began.elapsed());
        manifest.complete = true;
        manifest.write(&self.folder)?;
        Ok((manifest, times))
    }

    fn write(&mut self, batch: &mut Batch) -> Result<(), BatchError> {
        self.uncommitted = true;
        if let Some(group) = batch.group.take() {
            if self.part.is_none() {
                self.part = Some(self.new_part()?);
            }
            if let Some(part) = &mut self.part {
                part.append(group)?;
            }
        }
        if let Some(npy) = &mut self.npy {
            npy.write(&batch.vectors)?;
        }
        batch.rejections.iter().try_for_each(|rejection| self.dead_letters.write(rejection))?;
        Ok(())
    }

    fn count(&mut self, batch: &Batch) {
        let totals = &mut self.totals;
        totals.events += batch.embedded;
        totals.infinite_features += batch.infinite_features;
        batch.rejections.iter().for_each(|rejection| totals.reject(&rejection.reason));
        for (reason, count) in batch.counters.iter().filter(|(_, count)| *count > 0) {
            *totals.source_counters.entry((*reason).to_owned()).or_default() += count;
        }
        totals.damaged_inputs.extend(batch.damaged.iter().cloned());
        self.position = batch.position;
    }

    fn new_part(&self) -> Result<PartWriter, BatchError> {
        PartWriter::create(&self.folder, self.parts, self.rows.schema(), &self.job.model)
    }
}
