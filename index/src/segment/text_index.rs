//! The words of a segment: a tantivy index on the disk, or rendered texts in memory.
//!
//! On the disk it always holds exactly one tantivy segment, written in row order, so tantivy's document number is the row.
//! Scoring is done here and not by tantivy's searcher, because words must weigh by their rarity in the whole index, which is
//! many tantivy indexes.

use std::path::Path;

use fs_err as fs;
use tantivy::indexer::merge_indices;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{DocSet, Index, IndexSettings, SegmentReader, TERMINATED, TantivyDocument, Term};

use super::folder::Folder;
use super::rendered::Rendered;
use crate::IndexError;
use crate::text::TOKENIZER;

/// Memory that sizes tantivy's hash table of terms while a segment is written.
const WRITER_MEMORY_BYTES: usize = 32 * 1024 * 1024;

/// Postings that are passed one by one before a search for the wanted row begins.
const NEAR: usize = 4;

/// The one field of the tantivy index.
const FIELD: &str = "text";

/// The words of a segment.
pub(crate) enum TextIndex {
    /// On the disk.
    Sealed(Box<SealedText>),
    /// In memory.
    Hot(Rendered),
}

/// The tantivy index of one segment, open for reading.
pub(crate) struct SealedText {
    index: Index,
    reader: SegmentReader,
    text: Field,
}

/// One word's postings: rows ascending, with how often the word stands in each.
pub(crate) enum WordPostings<'a> {
    Sealed(Box<SegmentPostings>),
    Hot(std::slice::Iter<'a, (u32, u32)>),
}

impl TextIndex {
    /// Opens the index in `dir`, whose files have been verified.
    pub(super) fn open(dir: &Path) -> Result<Self, IndexError> {
        let damaged = |reason: String| IndexError::Damaged { place: dir.display().to_string(), reason };
        let index = Index::open(Folder::open(dir)?)?;
        let (schema, text) = schema();
        if index.schema() != schema {
            return Err(damaged("its fields are not those of this version".to_owned()));
        }
        let segments = index.searchable_segments()?;
        let [segment] = segments.as_slice() else {
            return Err(damaged(format!("{} parts instead of one", segments.len())));
        };
        let reader = SegmentReader::open(segment)?;
        Ok(Self::Sealed(Box::new(SealedText { index, reader, text })))
    }

    /// Writes the rows of `parts`, one part after the other, into a new index in `dir`: all of them in memory, or all on
    /// the disk.
    pub(super) fn write(dir: &Path, parts: &[&Self]) -> Result<(), IndexError> {
        fs::create_dir(dir)?;
        let indexes: Vec<Index> = parts.iter().filter_map(|part| part.sealed()).map(|one| one.index.clone()).collect();
        if indexes.len() == parts.len() {
            merge_indices(&indexes, Folder::open(dir)?)?;
            return Ok(());
        }
        if !indexes.is_empty() {
            return Err(IndexError::Options("segments in memory are not merged with those on the disk".to_owned()));
        }
        let (schema, field) = schema();
        let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let mut writer = Index::builder()
            .schema(schema)
            .settings(settings)
            .single_segment_index_writer::<TantivyDocument>(Folder::open(dir)?, WRITER_MEMORY_BYTES)?;
        for text in parts.iter().filter_map(|part| part.hot()).flat_map(Rendered::texts) {
            let mut document = TantivyDocument::new();
            document.add_text(field, text);
            writer.add_document(document)?;
        }
        writer.finalize()?;
        Ok(())
    }

    /// How many rows.
    pub(crate) fn rows(&self) -> u32 {
        match self {
            Self::Sealed(sealed) => sealed.reader.max_doc(),
            Self::Hot(rendered) => rendered.rows() as u32,
        }
    }

    /// Words in all rendered events together.
    pub(crate) fn tokens(&self) -> Result<u64, IndexError> {
        match self {
            Self::Sealed(sealed) => Ok(sealed.reader.inverted_index(sealed.text)?.total_num_tokens()),
            Self::Hot(rendered) => Ok(rendered.tokens()),
        }
    }

    /// In how many rows `word` stands.
    pub(crate) fn rows_with(&self, word: &str) -> Result<u32, IndexError> {
        match self {
            Self::Sealed(sealed) => {
                Ok(sealed.reader.inverted_index(sealed.text)?.doc_freq(&Term::from_field_text(sealed.text, word))?)
            }
            Self::Hot(rendered) => Ok(rendered.postings(word).len() as u32),
        }
    }

    /// The rows `word` stands in.
    pub(crate) fn postings(&self, word: &str) -> Result<Option<WordPostings<'_>>, IndexError> {
        match self {
            Self::Sealed(sealed) => {
                let term = Term::from_field_text(sealed.text, word);
                let inverted = sealed.reader.inverted_index(sealed.text)?;
                let postings = inverted.read_postings(&term, IndexRecordOption::WithFreqs)?;
                Ok(postings.map(|postings| WordPostings::Sealed(Box::new(postings))))
            }
            Self::Hot(rendered) => Ok(Some(WordPostings::Hot(rendered.postings(word).iter()))),
        }
    }

    /// Lengths of the rendered events in words, as tantivy keeps them: exact up to 40, then to about an eighth.
    pub(crate) fn lengths(&self) -> Result<Box<dyn Fn(u32) -> u32 + '_>, IndexError> {
        match self {
            Self::Sealed(sealed) => {
                let norms = sealed.reader.get_fieldnorms_reader(sealed.text)?;
                Ok(Box::new(move |row| norms.fieldnorm(row)))
            }
            Self::Hot(rendered) => {
                let lengths = rendered.lengths();
                Ok(Box::new(|row| lengths.get(row as usize).copied().unwrap_or_default()))
            }
        }
    }

    fn sealed(&self) -> Option<&SealedText> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            Self::Hot(_) => None,
        }
    }

    /// The rendered texts, where the segment is in memory.
    pub(super) fn hot(&self) -> Option<&Rendered> {
        match self {
            Self::Sealed(_) => None,
            Self::Hot(rendered) => Some(rendered),
        }
    }
}

impl WordPostings<'_> {
    /// Goes forward to the first row from `row` on, and gives it without passing it. Never goes back.
    pub(crate) fn seek(&mut self, row: u32) -> Option<(u32, u32)> {
        match self {
            Self::Hot(postings) => {
                // Mostly the next one or one of the next is asked for.
                let near = postings.as_slice().iter().take(NEAR).position(|(at, _)| *at >= row);
                let passed = near.unwrap_or_else(|| postings.as_slice().partition_point(|(at, _)| *at < row));
                *postings = postings.as_slice()[passed..].iter();
                postings.as_slice().first().copied()
            }
            Self::Sealed(postings) => {
                for _ in 0..NEAR {
                    if postings.doc() >= row {
                        break;
                    }
                    postings.advance();
                }
                if postings.doc() < row {
                    postings.seek(row);
                }
                (postings.doc() != TERMINATED).then(|| (postings.doc(), postings.term_freq()))
            }
        }
    }
}

impl Iterator for WordPostings<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        match self {
            Self::Hot(postings) => postings.next().copied(),
            Self::Sealed(postings) => {
                let row = postings.doc();
                if row == TERMINATED {
                    return None;
                }
                let times = postings.term_freq();
                postings.advance();
                Some((row, times))
            }
        }
    }
}

fn schema() -> (Schema, Field) {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_index_option(IndexRecordOption::WithFreqs)
        .set_fieldnorms(true);
    let text = schema.add_text_field(FIELD, TextOptions::default().set_indexing_options(indexing));
    (schema.build(), text)
}
