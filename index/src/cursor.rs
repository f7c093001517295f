//! What a cursor holds, and its opaque string.
//!
//! A cursor makes the next page independent of what happened since: it carries the number of the first event that does
//! not count, the word statistics that scores depend on, and the rank of the last hit. It is bound to its search by a
//! hash. It is no secret and guards nothing: a forged one gives wrong pages to whoever forged it.
//!
//! Layout, little-endian, then base64url without padding: version u8, hash of the search 8 bytes, first number that does
//! not count u64, hits before u32, flag u8 and (if 1) primary i64 and identifier u128; events u64, tokens u64, words u16
//! and a u64 for each; shown u8 and a u64 for each; the first 4 bytes of SHA-256 over all before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::bm25::WordStats;
use crate::limits::{CURSOR_CHARS_MAX, CURSOR_DEPTH_MAX, INDEX_HITS_MAX, TERMS_MAX};
use crate::rank::{Key, Resume};
use crate::{Cursor, IndexError, Search};

const VERSION: u8 = 2;
const CHECK_BYTES: usize = 4;

/// What a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Hash of the search it belongs to.
    pub(crate) search: [u8; 8],
    /// Number of the first event that was not there yet.
    pub(crate) end_seq: u64,
    /// Hits on the pages before.
    pub(crate) depth: u32,
    /// Where the last page ended.
    pub(crate) resume: Resume,
    /// Word statistics of the first page.
    pub(crate) stats: WordStats,
}

/// A hash of everything that decides order and content of the pages of `search`.
pub(crate) fn hash(search: &Search) -> Result<[u8; 8], IndexError> {
    let filter = serde_json::to_vec(&search.filter).map_err(|error| IndexError::Search(error.to_string()))?;
    let mut hasher = Sha256::new();
    for part in [filter.as_slice(), search.words.as_bytes()] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(search.text_weight.to_bits().to_le_bytes());
    hasher.update(search.min_similarity.map_or(u32::MAX, f32::to_bits).to_le_bytes());
    for number in search.vector.iter().flatten() {
        hasher.update(number.to_bits().to_le_bytes());
    }
    let mut hash = [0; 8];
    hash.copy_from_slice(&hasher.finalize()[..8]);
    Ok(hash)
}

impl Position {
    /// The opaque string.
    pub(crate) fn encode(&self) -> Cursor {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.search);
        bytes.extend_from_slice(&self.end_seq.to_le_bytes());
        bytes.extend_from_slice(&self.depth.to_le_bytes());
        bytes.push(u8::from(self.resume.after.is_some()));
        if let Some(key) = self.resume.after {
            bytes.extend_from_slice(&key.primary.to_le_bytes());
            bytes.extend_from_slice(&key.id.to_le_bytes());
        }
        bytes.extend_from_slice(&self.stats.events.to_le_bytes());
        bytes.extend_from_slice(&self.stats.tokens.to_le_bytes());
        for list in [&self.stats.events_with, &self.resume.shown] {
            bytes.extend_from_slice(&(list.len() as u16).to_le_bytes());
            bytes.extend(list.iter().flat_map(|number| number.to_le_bytes()));
        }
        let check = Sha256::digest(&bytes);
        bytes.extend_from_slice(&check[..CHECK_BYTES]);
        let text = URL_SAFE_NO_PAD.encode(bytes);
        debug_assert!(text.len() <= CURSOR_CHARS_MAX);
        Cursor(text)
    }

    /// The position of `cursor`, which must belong to the search with the hash `search`, for a page of `k` hits.
    pub(crate) fn decode(cursor: &Cursor, search: [u8; 8], k: usize) -> Result<Self, IndexError> {
        let refuse = |reason: &str| IndexError::Cursor(reason.to_owned());
        let damaged = || refuse("damaged; take it from the answer unchanged");
        let bytes = URL_SAFE_NO_PAD.decode(&cursor.0).map_err(|_| damaged())?;
        let (body, check) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or_else(damaged)?;
        if Sha256::digest(body)[..CHECK_BYTES] != *check {
            return Err(damaged());
        }
        if body.first() != Some(&VERSION) {
            return Err(refuse("made by another version; start again without it"));
        }
        let position = Reader(&body[1..]).position().ok_or_else(damaged)?;
        if position.search != search {
            return Err(refuse("belongs to another search; change nothing but k and the cursor between pages"));
        }
        if position.depth as usize + k > CURSOR_DEPTH_MAX {
            return Err(IndexError::Cursor(format!(
                "pages end after {CURSOR_DEPTH_MAX} hits; narrow the search with a filter instead"
            )));
        }
        Ok(position)
    }
}

/// Reads the layout; `None` where it is cut short or a list is longer than it may be.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn position(mut self) -> Option<Position> {
        let search = self.take::<8>()?;
        let end_seq = u64::from_le_bytes(self.take()?);
        let depth = u32::from_le_bytes(self.take()?);
        let after = match self.take::<1>()? {
            [0] => None,
            [1] => Some(Key { primary: i64::from_le_bytes(self.take()?), id: u128::from_le_bytes(self.take()?) }),
            _ => return None,
        };
        let (events, tokens) = (u64::from_le_bytes(self.take()?), u64::from_le_bytes(self.take()?));
        let events_with = self.list(TERMS_MAX)?;
        let shown = self.list(INDEX_HITS_MAX)?;
        self.0.is_empty().then_some(Position {
            search,
            end_seq,
            depth,
            resume: Resume { after, shown },
            stats: WordStats { events, tokens, events_with },
        })
    }

    fn list(&mut self, most: usize) -> Option<Vec<u64>> {
        let length = u16::from_le_bytes(self.take()?);
        if usize::from(length) > most {
            return None;
        }
        (0..length).map(|_| self.take().map(u64::from_le_bytes)).collect()
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }
}

const _: () = assert!(TERMS_MAX <= u16::MAX as usize);
const _: () = assert!(INDEX_HITS_MAX <= u16::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position {
            search: [7; 8],
            end_seq: 99,
            depth: 40,
            resume: Resume {
                after: Some(Key { primary: -3, id: u128::MAX - 5 }),
                shown: vec![u64::MAX; INDEX_HITS_MAX],
            },
            stats: WordStats { events: 5, tokens: 80, events_with: vec![3; TERMS_MAX] },
        }
    }

    #[test]
    fn the_largest_cursor_comes_back_and_is_short_enough() {
        let cursor = position().encode();
        assert!(cursor.0.len() <= CURSOR_CHARS_MAX, "{}", cursor.0.len());
        assert_eq!(Position::decode(&cursor, [7; 8], 10).unwrap(), position());
    }

    #[test]
    fn a_foreign_a_deep_and_a_damaged_cursor_are_told_apart() {
        let cursor = position().encode();
        let reason = |cursor: &Cursor, hash, k| Position::decode(cursor, hash, k).unwrap_err().to_string();
        assert!(reason(&cursor, [8; 8], 10).contains("another search"));
        assert!(reason(&cursor, [7; 8], CURSOR_DEPTH_MAX).contains("pages end"));
        for place in 0..cursor.0.len() {
            let mut text = cursor.0.clone().into_bytes();
            text[place] = if text[place] == b'A' { b'B' } else { b'A' };
            assert!(Position::decode(&Cursor(String::from_utf8(text).unwrap()), [7; 8], 10).is_err());
        }
    }
}
