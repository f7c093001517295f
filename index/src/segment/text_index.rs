//! The tantivy index of a segment: stored events, the words of the rendered event, fast fields.
//!
//! It always holds exactly one tantivy segment, written in row order, so tantivy's document number is the row. Scoring is
//! done here and not by tantivy's searcher, because words must weigh by their rarity in the whole index, which is many
//! tantivy indexes.

use std::path::Path;

use forebay_event::Event;
use fs_err as fs;
use tantivy::columnar::Column;
use tantivy::indexer::merge_indices;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::{Field, IndexRecordOption, Value};
use tantivy::store::StoreReader;
use tantivy::{DocSet, Index, IndexSettings, SegmentReader, TERMINATED, TantivyDocument, Term};

use super::folder::Folder;
use super::schema::Fields;
use super::{columns, stored};
use crate::IndexError;

/// Blocks of stored events (16 kB each) kept decompressed for each segment.
const STORE_CACHE_BLOCKS: usize = 16;

/// Memory that sizes tantivy's hash table of terms while a segment is written.
const WRITER_MEMORY_BYTES: usize = 32 * 1024 * 1024;

/// The tantivy index of one segment, open for reading.
pub(crate) struct TextIndex {
    index: Index,
    reader: SegmentReader,
    store: StoreReader,
    event: Field,
    text: Field,
}

/// One word's postings: rows ascending, with how often the word stands in each.
pub(crate) struct WordPostings(SegmentPostings);

impl TextIndex {
    /// Opens the index in `dir`, whose files have been verified.
    pub(super) fn open(dir: &Path) -> Result<Self, IndexError> {
        let damaged = |reason: String| IndexError::Damaged { place: dir.display().to_string(), reason };
        let index = Index::open(Folder::open(dir)?)?;
        let fields = Fields::new();
        if index.schema() != fields.schema {
            return Err(damaged("its fields are not those of this version".to_owned()));
        }
        let segments = index.searchable_segments()?;
        let [segment] = segments.as_slice() else {
            return Err(damaged(format!("{} parts instead of one", segments.len())));
        };
        let reader = SegmentReader::open(segment)?;
        let store = reader.get_store_reader(STORE_CACHE_BLOCKS)?;
        Ok(Self { index, reader, store, event: fields.event, text: fields.text })
    }

    /// Writes a new index of `events` into `dir`; row `i` is event `i`, with the number `first_seq + i`.
    pub(super) fn write(dir: &Path, events: &[Event], first_seq: u64) -> Result<(), IndexError> {
        fs::create_dir(dir)?;
        let fields = Fields::new();
        let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let mut writer = Index::builder()
            .schema(fields.schema.clone())
            .settings(settings)
            .single_segment_index_writer::<TantivyDocument>(Folder::open(dir)?, WRITER_MEMORY_BYTES)?;
        for (event, seq) in events.iter().zip(first_seq..) {
            writer.add_document(fields.document(event, seq)?)?;
        }
        writer.finalize()?;
        Ok(())
    }

    /// Writes the rows of `parts`, one part after the other, into a new index in `dir`.
    pub(super) fn merge(dir: &Path, parts: &[&TextIndex]) -> Result<(), IndexError> {
        fs::create_dir(dir)?;
        let indexes: Vec<Index> = parts.iter().map(|part| part.index.clone()).collect();
        merge_indices(&indexes, Folder::open(dir)?)?;
        Ok(())
    }

    /// How many rows.
    pub(crate) fn rows(&self) -> u32 {
        self.reader.max_doc()
    }

    /// The reader, for the columns.
    pub(super) fn reader(&self) -> &SegmentReader {
        &self.reader
    }

    /// The column of a feature or a sum; `None` where no event of the segment knows it.
    pub(crate) fn feature(&self, name: &str) -> Result<Option<Column<f64>>, IndexError> {
        columns::feature(&self.reader, name)
    }

    /// The event of a row.
    pub(crate) fn event(&self, row: u32) -> Result<Event, IndexError> {
        let damaged = |reason: String| IndexError::Damaged { place: format!("stored event in row {row}"), reason };
        let document: TantivyDocument = self.store.get(row)?;
        let value = document.get_first(self.event).ok_or_else(|| damaged("no event".to_owned()))?;
        let bytes = value.as_bytes().ok_or_else(|| damaged("not bytes".to_owned()))?;
        stored::decode(bytes).map_err(damaged)
    }

    /// Words in all rendered events together.
    pub(super) fn tokens(&self) -> Result<u64, IndexError> {
        Ok(self.reader.inverted_index(self.text)?.total_num_tokens())
    }

    /// In how many rows `word` stands.
    pub(crate) fn rows_with(&self, word: &str) -> Result<u32, IndexError> {
        Ok(self.reader.inverted_index(self.text)?.doc_freq(&Term::from_field_text(self.text, word))?)
    }

    /// The rows `word` stands in.
    pub(crate) fn postings(&self, word: &str) -> Result<Option<WordPostings>, IndexError> {
        let term = Term::from_field_text(self.text, word);
        let inverted = self.reader.inverted_index(self.text)?;
        Ok(inverted.read_postings(&term, IndexRecordOption::WithFreqs)?.map(WordPostings))
    }

    /// Lengths of the rendered events in words, as tantivy keeps them: exact up to 40, then to about an eighth.
    pub(crate) fn lengths(&self) -> Result<impl Fn(u32) -> u32 + use<>, IndexError> {
        let norms = self.reader.get_fieldnorms_reader(self.text)?;
        Ok(move |row| norms.fieldnorm(row))
    }
}

impl Iterator for WordPostings {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        let row = self.0.doc();
        if row == TERMINATED {
            return None;
        }
        let times = self.0.term_freq();
        self.0.advance();
        Some((row, times))
    }
}
