//! Words to ids: `hashed-ngrams-v1`, as `models/README.md` fixes it. No vocabulary, so no word is unknown.

/// Parameters of FNV-1a, 32 bit (Fowler, Noll, Vo; draft-eastlake-fnv).
const FNV_OFFSET: u32 = 2_166_136_261;
const FNV_PRIME: u32 = 16_777_619;

/// Lengths, in characters, of the pieces cut out of a word.
const GRAM_LENGTHS: [usize; 3] = [3, 4, 5];

/// The ids of `text`, at most `ids_max`, each in `1..buckets`; none if the text has no words.
///
/// `buckets` must be at least 2, which a manifest that was read guarantees.
pub fn hashed_ngrams_v1(text: &str, buckets: u32, ids_max: usize) -> Vec<i64> {
    debug_assert!(buckets >= 2);
    let text = text.to_lowercase();
    // Words after the first `ids_max` can add nothing, since words come first.
    let words: Vec<&str> = words(&text).take(ids_max).collect();
    let mut ids = Ids { buckets, count_max: ids_max, list: Vec::new() };
    for word in &words {
        ids.push(&["w", word]);
    }
    for pair in words.windows(2) {
        ids.push(&["b", pair[0], " ", pair[1]]);
    }
    for word in &words {
        if ids.full() {
            break;
        }
        push_grams(&mut ids, word);
    }
    ids.list
}

/// Whether there is anything in `text` to embed.
pub fn has_words(text: &str) -> bool {
    text.chars().any(is_of_word)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_of_word(c)).filter(|word| !word.is_empty())
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii()
}

fn push_grams(ids: &mut Ids, word: &str) {
    let marked = format!("<{word}>");
    let mut starts: Vec<usize> = marked.char_indices().map(|(start, _)| start).collect();
    starts.push(marked.len());
    for length in GRAM_LENGTHS {
        for window in starts.windows(length + 1) {
            if ids.full() {
                return;
            }
            ids.push(&["g", &marked[window[0]..window[length]]]);
        }
    }
}

struct Ids {
    buckets: u32,
    count_max: usize,
    list: Vec<i64>,
}

impl Ids {
    fn full(&self) -> bool {
        self.list.len() >= self.count_max
    }

    /// Adds the id of the piece that `parts` make together.
    fn push(&mut self, parts: &[&str]) {
        if self.full() {
            return;
        }
        let mut hash = FNV_OFFSET;
        for byte in parts.iter().flat_map(|part| part.bytes()) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(FNV_PRIME);
        }
        self.list.push(1 + i64::from(hash % (self.buckets - 1)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUCKETS: u32 = 16_384;

    fn id(piece: &str) -> i64 {
        let mut ids = Ids { buckets: BUCKETS, count_max: 1, list: Vec::new() };
        ids.push(&[piece]);
        ids.list[0]
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // Published test vectors: the empty string and "foobar".
        assert_eq!(id(""), 1 + i64::from(0x811c_9dc5_u32 % (BUCKETS - 1)));
        assert_eq!(id("foobar"), 1 + i64::from(0xbf9c_f968_u32 % (BUCKETS - 1)));
    }

    #[test]
    fn pieces_come_in_the_fixed_order() {
        let expected =
            ["wssh", "wup", "bssh up", "g<ss", "gssh", "gsh>", "g<ssh", "gssh>", "g<ssh>", "g<up", "gup>", "g<up>"];
        assert_eq!(hashed_ngrams_v1("SSH, up!", BUCKETS, 256), expected.map(id));
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        let expected = ["wé", "g<é>"];
        assert_eq!(hashed_ngrams_v1("É", BUCKETS, 256), expected.map(id));
    }

    #[test]
    fn no_words_no_ids() {
        for text in ["", "  ", "?!. -", "\n"] {
            assert!(hashed_ngrams_v1(text, BUCKETS, 256).is_empty());
            assert!(!has_words(text));
        }
        assert!(has_words("a"));
    }

    proptest! {
        #[test]
        fn ids_are_in_range_and_bounded(text in ".{0,200}", buckets in 2u32..100, ids_max in 1usize..50) {
            let ids = hashed_ngrams_v1(&text, buckets, ids_max);
            prop_assert!(ids.len() <= ids_max);
            prop_assert!(ids.iter().all(|id| (1..i64::from(buckets)).contains(id)));
            prop_assert_eq!(ids.is_empty(), !has_words(&text));
        }

        #[test]
        fn a_longer_list_begins_with_a_shorter_one(text in "[a-zé ]{0,80}", ids_max in 1usize..50) {
            let all = hashed_ngrams_v1(&text, BUCKETS, 4096);
            let some = hashed_ngrams_v1(&text, BUCKETS, ids_max);
            prop_assert_eq!(&all[..all.len().min(ids_max)], &some[..]);
        }
    }
}
