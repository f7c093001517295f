//! The rows of a data set's folder, in order, as events with their vectors.

use std::path::Path;

use forebay_event::Event;
use serde::Deserialize;

use super::{Dataset, flows, npy};

/// What `about.json` says that reading needs.
#[derive(Clone, Debug, Deserialize)]
pub struct About {
    /// Rows.
    pub events: u64,
    /// What they were made from.
    pub seed: u64,
    /// Numbers in a vector.
    pub dimension: usize,
    /// The vector space of the model.
    pub space: String,
}

impl About {
    /// Of the data set in `folder`.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        Ok(serde_json::from_str(&fs_err::read_to_string(folder.join("about.json"))?)?)
    }
}

/// Reads a data set from the front. Events are made again from the flows, vectors are read.
pub struct Rows {
    /// Of the data set.
    pub about: About,
    data: Dataset,
    groups: Vec<u16>,
    vectors: npy::Reader,
    at: u64,
}

impl Rows {
    /// The data set in `folder`, before its first row.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let about = About::read(folder)?;
        Ok(Self {
            data: Dataset::open(&flows::shared_folder(), about.seed)?,
            groups: npy::read(&folder.join("group.npy"))?,
            vectors: npy::Reader::open(&folder.join("base.npy"))?,
            about,
            at: 0,
        })
    }

    /// Goes past the next `rows`.
    pub fn skip(&mut self, rows: u64) -> anyhow::Result<()> {
        self.vectors.skip(rows * (self.about.dimension * size_of::<f32>()) as u64)?;
        self.at += rows;
        Ok(())
    }

    /// The next `count` rows, or as many as are left.
    pub fn take(&mut self, count: u64) -> anyhow::Result<(Vec<Event>, Vec<f32>)> {
        let end = (self.at + count).min(self.about.events);
        let mut vectors = vec![0.0; (end - self.at) as usize * self.about.dimension];
        self.vectors.read(&mut vectors)?;
        let events = (self.at..end).map(|row| self.event(row)).collect();
        self.at = end;
        Ok((events, vectors))
    }

    fn event(&self, row: u64) -> Event {
        let mut event = self.data.event(row);
        self.data.fields(row, self.groups[row as usize]).stamp(&mut event);
        event
    }
}
