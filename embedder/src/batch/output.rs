//! Everything a job writes: the part, the growing files, the sink, the manifest.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use super::dead_letters::DeadLetters;
use super::files::sync_folder;
use super::folder::Folder;
use super::manifest::Manifest;
use super::npy::Npy;
use super::part::PartWriter;
use super::pipeline::Batch;
use super::rows::Rows;
use super::summary::Times;
use super::{BatchError, Sink};

/// The output, open at the end of what is committed.
pub(super) struct Output {
    folder: PathBuf,
    manifest: Manifest,
    rows: Rows,
    part: Option<PartWriter>,
    npy: Option<Npy>,
    dead_letters: DeadLetters,
    sink: Option<Box<dyn Sink>>,
    times: Times,
    uncommitted: bool,
}

impl Output {
    pub(super) fn open(
        folder: &Folder,
        manifest: Manifest,
        rows: Rows,
        sink: Option<Box<dyn Sink>>,
    ) -> io::Result<Self> {
        let path = folder.path();
        let dimension = manifest.job.model.dimension;
        let npy = manifest.job.npy.then(|| Npy::open(path, dimension, manifest.totals.events)).transpose()?;
        let dead_letters = DeadLetters::open(path, manifest.totals.dead_letter_bytes)?;
        let (folder, times) = (path.to_owned(), Times::default());
        Ok(Self { folder, manifest, rows, part: None, npy, dead_letters, sink, times, uncommitted: false })
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(super) fn times(&self) -> Times {
        self.times
    }

    /// Takes the next batch, and commits when the part is large enough.
    pub(super) fn accept(&mut self, batch: &Batch) -> Result<(), BatchError> {
        let began = Instant::now();
        self.write(batch)?;
        Times::add(&mut self.times.writing, began.elapsed());
        Times::add(&mut self.times.embedding, batch.embedding);
        Times::add(&mut self.times.columns, batch.columns);
        if let Some(sink) = &mut self.sink {
            let began = Instant::now();
            sink.take(batch.events(), &batch.vectors).map_err(BatchError::Sink)?;
            Times::add(&mut self.times.sink, began.elapsed());
        }
        self.count(batch);
        if self.part.as_ref().is_some_and(|part| part.rows() >= self.manifest.job.part_events as u64) {
            self.commit()?;
        }
        Ok(())
    }

    /// Makes everything taken so far durable, as a part of its own.
    pub(super) fn commit(&mut self) -> Result<(), BatchError> {
        if !self.uncommitted {
            return Ok(());
        }
        let began = Instant::now();
        if let Some(part) = self.part.take() {
            self.manifest.parts.push(part.finish(self.manifest.position)?);
        }
        if let Some(npy) = &mut self.npy {
            npy.sync()?;
        }
        self.manifest.totals.dead_letter_bytes = self.dead_letters.sync()?;
        sync_folder(&self.folder)?;
        Times::add(&mut self.times.writing, began.elapsed());
        if let Some(sink) = &mut self.sink {
            let began = Instant::now();
            sink.commit().map_err(BatchError::Sink)?;
            Times::add(&mut self.times.sink, began.elapsed());
        }
        self.manifest.write(&self.folder)?;
        self.uncommitted = false;
        Ok(())
    }

    /// Commits the rest, ends the sink, and marks the manifest as complete.
    pub(super) fn finish(mut self) -> Result<(Manifest, Times), BatchError> {
        if self.manifest.parts.is_empty() && self.part.is_none() {
            // A reader wants a schema even where there are no rows.
            self.part = Some(self.new_part()?);
            self.uncommitted = true;
        }
        self.commit()?;
        let began = Instant::now();
        if let Some(sink) = self.sink.take() {
            sink.finish().map_err(BatchError::Sink)?;
        }
        Times::add(&mut self.times.sink, began.elapsed());
        self.manifest.complete = true;
        self.manifest.write(&self.folder)?;
        Ok((self.manifest, self.times))
    }

    fn write(&mut self, batch: &Batch) -> Result<(), BatchError> {
        self.uncommitted = true;
        if let Some(rows) = batch.rows.as_ref().filter(|rows| rows.num_rows() > 0) {
            if self.part.is_none() {
                self.part = Some(self.new_part()?);
            }
            if let Some(part) = &mut self.part {
                part.write(rows)?;
            }
        }
        if let Some(npy) = &mut self.npy {
            npy.write(&batch.vectors)?;
        }
        batch.rejections.iter().try_for_each(|rejection| self.dead_letters.write(rejection))?;
        Ok(())
    }

    fn count(&mut self, batch: &Batch) {
        let totals = &mut self.manifest.totals;
        totals.events += batch.events().len() as u64;
        totals.infinite_features += batch.infinite_features;
        batch.rejections.iter().for_each(|rejection| totals.reject(&rejection.reason));
        for (reason, count) in batch.counters.iter().filter(|(_, count)| *count > 0) {
            *totals.source_counters.entry((*reason).to_owned()).or_default() += count;
        }
        totals.damaged_inputs.extend(batch.damaged.iter().cloned());
        self.manifest.position = batch.position;
    }

    fn new_part(&self) -> Result<PartWriter, BatchError> {
        let place = self.manifest.parts.len();
        PartWriter::create(&self.folder, place, self.rows.schema(), &self.manifest.job.model)
    }
}
