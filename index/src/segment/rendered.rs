//! The words of events that are not on the disk yet.
//!
//! Rendering an event is paid when it comes; cutting it into words only when somebody asks for words, and then once. The
//! segment on the disk is written from the same rendered texts, and says the same of every word.

use std::collections::HashMap;
use std::sync::OnceLock;

use forebay_event::Event;
use tantivy::fieldnorm::FieldNormReader;

use crate::text::{render, words_of};

/// The rendered events of a segment in memory.
#[derive(Default)]
pub(crate) struct Rendered {
    /// All texts, one after the other.
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
    words: OnceLock<WordLists>,
}

/// Where each word stands.
struct WordLists {
    /// Rows ascending, with how often the word stands in each.
    rows: HashMap<Box<str>, Vec<(u32, u32)>>,
    /// Words of each row, rounded as tantivy keeps them, so that no score changes when the segment goes to the disk.
    lengths: Vec<u32>,
    tokens: u64,
}

impl Rendered {
    /// Renders `events`.
    pub(super) fn of(events: &[Event]) -> Self {
        let mut rendered = Self::default();
        for event in events {
            rendered.push(&render(event));
        }
        rendered
    }

    /// The texts of `parts`, one part after the other.
    pub(super) fn joined(parts: &[&Self]) -> Self {
        let mut joined = Self::default();
        for part in parts {
            let before = joined.text.len();
            joined.text.push_str(&part.text);
            joined.ends.extend(part.ends.iter().map(|end| before + end));
        }
        joined
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// How many rows.
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The texts in order.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }

    /// Words in all texts together.
    pub(super) fn tokens(&self) -> u64 {
        self.words().tokens
    }

    /// The rows `word` stands in, ascending, with how often.
    pub(super) fn postings(&self, word: &str) -> &[(u32, u32)] {
        self.words().rows.get(word).map_or(&[], Vec::as_slice)
    }

    /// Words of each row, rounded.
    pub(super) fn lengths(&self) -> &[u32] {
        &self.words().lengths
    }

    fn words(&self) -> &WordLists {
        self.words.get_or_init(|| {
            let mut lists = WordLists { rows: HashMap::new(), lengths: Vec::with_capacity(self.rows()), tokens: 0 };
            for (row, text) in (0..).zip(self.texts()) {
                lists.add(row, text);
            }
            lists
        })
    }
}

impl WordLists {
    fn add(&mut self, row: u32, text: &str) {
        let mut count = 0;
        for word in words_of(text) {
            count += 1;
            let rows = match self.rows.get_mut(word.as_str()) {
                Some(rows) => rows,
                None => self.rows.entry(word.into_boxed_str()).or_default(),
            };
            match rows.last_mut() {
                Some((last, times)) if *last == row => *times += 1,
                _ => rows.push((row, 1)),
            }
        }
        self.tokens += u64::from(count);
        self.lengths.push(FieldNormReader::id_to_fieldnorm(FieldNormReader::fieldnorm_to_id(count)));
    }
}
