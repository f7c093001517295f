//! A set of rows of one segment: one bit each, dense.
//!
//! Dense, because FAISS reads the same bytes as its selector, and because and, or, not and counting are then loops over
//! words. A million events cost 125 kB.

/// A set of rows below a fixed length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
    rows: u32,
}

const WORD_BITS: u32 = u64::BITS;

/// Eight bytes that are 0 or 1 as bits, the first one lowest: the multiplication moves byte `i` to bit `56 + i`, and no two
/// of its other products meet.
fn eight_bits(bytes: [u8; 8]) -> u8 {
    (u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

impl Bitmap {
    /// No row.
    pub fn none(rows: u32) -> Self {
        Self { words: vec![0; rows.div_ceil(WORD_BITS) as usize], rows }
    }

    /// Every row.
    pub fn all(rows: u32) -> Self {
        let mut all = Self { words: vec![u64::MAX; rows.div_ceil(WORD_BITS) as usize], rows };
        all.clear_tail();
        all
    }

    /// The rows whose value `holds`: row `i` has `values[i]`.
    pub(crate) fn of<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> Self {
        // First a byte for each row, which the compiler does many at a time, then eight of them together.
        let word = |values: &[T]| {
            let mut bytes = [0u8; WORD_BITS as usize];
            bytes.iter_mut().zip(values).for_each(|(byte, value)| *byte = u8::from(holds(*value)));
            let eights = bytes.as_chunks::<8>().0.iter();
            eights.enumerate().fold(0, |word, (place, eight)| word | u64::from(eight_bits(*eight)) << (8 * place))
        };
        Self { words: values.chunks(WORD_BITS as usize).map(word).collect(), rows: values.len() as u32 }
    }

    /// Whether every row is in.
    pub(crate) fn is_all(&self) -> bool {
        self.len() == u64::from(self.rows)
    }

    /// Adds a row. A row beyond the end is our own error; it is left out.
    pub fn insert(&mut self, row: u32) {
        debug_assert!(row < self.rows, "row {row} of {}", self.rows);
        if let Some(word) = self.words.get_mut((row / WORD_BITS) as usize) {
            *word |= 1 << (row % WORD_BITS);
        }
    }

    /// Whether a row is in.
    pub fn contains(&self, row: u32) -> bool {
        self.words.get((row / WORD_BITS) as usize).is_some_and(|word| word >> (row % WORD_BITS) & 1 == 1)
    }

    /// Keeps what is in `other` too.
    pub fn and(&mut self, other: &Self) {
        debug_assert_eq!(self.rows, other.rows);
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    /// Adds what is in `other`.
    pub fn or(&mut self, other: &Self) {
        debug_assert_eq!(self.rows, other.rows);
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// Takes what was out, leaves what was in.
    pub fn not(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.clear_tail();
    }

    /// Whether no row is in.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many rows are in.
    pub fn len(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The rows that are in, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().zip(0u32..).flat_map(|(word, place)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros();
                left &= left - 1;
                Some(place * WORD_BITS + bit)
            })
        })
    }

    /// The bits as FAISS wants them: row `i` is bit `i % 8` of byte `i / 8`.
    #[cfg(target_endian = "little")]
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    /// Keeps the bits beyond the last row at zero, which `len` and `iter` rely on.
    fn clear_tail(&mut self) {
        let used = self.rows % WORD_BITS;
        if let (true, Some(last)) = (used != 0, self.words.last_mut()) {
            *last &= (1 << used) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn of(rows: u32, set: &BTreeSet<u32>) -> Bitmap {
        let mut bitmap = Bitmap::none(rows);
        for row in set {
            bitmap.insert(*row);
        }
        bitmap
    }

    proptest! {
        #[test]
        fn it_is_a_set(
            rows in 200u32..300,
            a in prop::collection::btree_set(0u32..200, 0..50),
            b in prop::collection::btree_set(0u32..200, 0..50),
        ) {
            let (mut and, mut or, mut not) = (of(rows, &a), of(rows, &a), of(rows, &a));
            and.and(&of(rows, &b));
            or.or(&of(rows, &b));
            not.not();
            prop_assert_eq!(and.iter().collect::<BTreeSet<_>>(), &a & &b);
            prop_assert_eq!(or.iter().collect::<BTreeSet<_>>(), &a | &b);
            prop_assert_eq!(not.len(), u64::from(rows) - a.len() as u64);
            prop_assert!(not.iter().all(|row| row < rows && !a.contains(&row) && not.contains(row)));
            prop_assert_eq!(Bitmap::all(rows).len(), u64::from(rows));
            let values: Vec<u32> = (0..rows).collect();
            prop_assert_eq!(Bitmap::of(&values, |value| a.contains(&value)), of(rows, &a));
        }
    }
}
