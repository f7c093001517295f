//! A column of features: numbers that may be unknown, kept in the narrowest form that gives back every bit.
//!
//! Most features are small counts, so a column takes a fourth of what 64-bit floats would, and a filter reads as much less.

use crate::bitmap::Bitmap;

/// Every row has the same value: one f64, which is NaN where no row knows the feature.
const SAME: u32 = 1;
/// u8; 255 is unknown.
const U8: u32 = 2;
/// u16; 65,535 is unknown.
const U16: u32 = 3;
/// f32; NaN is unknown.
const F32: u32 = 4;
/// f64; NaN is unknown.
const F64: u32 = 5;

/// Kinds that cannot hold everything, narrowest first.
const NARROW: [u32; 4] = [SAME, U8, U16, F32];

/// A column of features.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers<'a> {
    /// The value of every row, and how many rows.
    Same(f64, usize),
    U8(&'a [u8]),
    U16(&'a [u16]),
    F32(&'a [f32]),
    F64(&'a [f64]),
}

/// What the values of a column need; starts as "nothing yet".
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    first: Option<f64>,
    /// Which of [`NARROW`] can hold every value so far.
    fits: [bool; NARROW.len()],
}

impl<'a> Numbers<'a> {
    /// The numbers in `bytes`, whose length fits `kind` and `rows`.
    pub(super) fn of(kind: u32, bytes: &'a [u8], rows: usize) -> Self {
        match kind {
            SAME => Self::Same(bytemuck::pod_read_unaligned(bytes), rows),
            U8 => Self::U8(bytes),
            U16 => Self::U16(bytemuck::cast_slice(bytes)),
            F32 => Self::F32(bytemuck::cast_slice(bytes)),
            // The kind was checked with the length.
            _ => Self::F64(bytemuck::cast_slice(bytes)),
        }
    }

    /// The value of a row; NaN where it is unknown.
    pub(crate) fn at(&self, row: usize) -> f64 {
        match self {
            Self::Same(value, _) => *value,
            Self::U8(values) => from_u8(values[row]),
            Self::U16(values) => from_u16(values[row]),
            Self::F32(values) => f64::from(values[row]),
            Self::F64(values) => values[row],
        }
    }

    /// The rows whose value is known and `holds`.
    pub(crate) fn rows_where(&self, holds: impl Fn(f64) -> bool) -> Bitmap {
        // Comparisons with NaN are false, so only the narrow kinds have to be asked whether they know the value.
        match self {
            Self::Same(value, rows) if holds(*value) => Bitmap::all(*rows as u32),
            Self::Same(_, rows) => Bitmap::none(*rows as u32),
            Self::U8(values) => Bitmap::of(values, |value| value != u8::MAX && holds(f64::from(value))),
            Self::U16(values) => Bitmap::of(values, |value| value != u16::MAX && holds(f64::from(value))),
            Self::F32(values) => Bitmap::of(values, |value| holds(f64::from(value))),
            Self::F64(values) => Bitmap::of(values, holds),
        }
    }

    /// Calls `each` with every value in order, NaN where it is unknown.
    pub(crate) fn for_each(&self, mut each: impl FnMut(f64)) {
        match self {
            Self::Same(value, rows) => (0..*rows).for_each(|_| each(*value)),
            Self::U8(values) => values.iter().for_each(|value| each(from_u8(*value))),
            Self::U16(values) => values.iter().for_each(|value| each(from_u16(*value))),
            Self::F32(values) => values.iter().for_each(|value| each(f64::from(*value))),
            Self::F64(values) => values.iter().for_each(|value| each(*value)),
        }
    }
}

impl Needs {
    pub(super) fn new() -> Self {
        Self { first: None, fits: [true; NARROW.len()] }
    }

    /// Takes in a value. All unknown values are one: which NaN it is means nothing.
    pub(super) fn see(&mut self, value: f64) {
        let alike = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        let [same, u8, u16, f32] = &mut self.fits;
        *same &= alike(*self.first.get_or_insert(value), value);
        if value.is_nan() {
            return;
        }
        // Going through the integer loses what it cannot hold, the sign of -0 included, and the bits tell.
        *u8 &= value < 255.0 && f64::from(value as u8).to_bits() == value.to_bits();
        *u16 &= value < 65_535.0 && f64::from(value as u16).to_bits() == value.to_bits();
        *f32 &= f64::from(value as f32).to_bits() == value.to_bits();
    }

    /// The narrowest kind.
    pub(super) fn kind(self) -> u32 {
        let narrow = NARROW.into_iter().zip(self.fits).find(|(_, fits)| *fits);
        narrow.map_or(F64, |(kind, _)| kind)
    }
}

/// Bytes of a column of this kind; `None` for a kind that there is not.
pub(super) fn length(kind: u32, rows: usize) -> Option<usize> {
    let each = match kind {
        SAME => return Some(8),
        U8 => 1,
        U16 => 2,
        F32 => 4,
        F64 => 8,
        _ => return None,
    };
    Some(rows * each)
}

/// Appends a value to a column of `kind`, which can hold it.
pub(super) fn push(kind: u32, value: f64, out: &mut Vec<u8>) {
    match kind {
        U8 => out.push(if value.is_nan() { u8::MAX } else { value as u8 }),
        U16 => out.extend_from_slice(&(if value.is_nan() { u16::MAX } else { value as u16 }).to_le_bytes()),
        F32 => out.extend_from_slice(&(value as f32).to_le_bytes()),
        F64 => out.extend_from_slice(&value.to_le_bytes()),
        // One value stands for all; a column without rows has none that is known.
        _ if out.is_empty() => out.extend_from_slice(&value.to_le_bytes()),
        _ => {}
    }
}

fn from_u8(value: u8) -> f64 {
    if value == u8::MAX { f64::NAN } else { f64::from(value) }
}

fn from_u16(value: u16) -> f64 {
    if value == u16::MAX { f64::NAN } else { f64::from(value) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            Just(f64::NAN),
            Just(-0.0),
            Just(255.0),
            Just(65_535.0),
            (0u32..300).prop_map(f64::from),
            (0u32..70_000).prop_map(f64::from),
            any::<f32>().prop_map(f64::from),
            any::<f64>(),
        ]
    }

    proptest! {
        #[test]
        fn every_bit_comes_back(values in prop::collection::vec(value(), 1..40), only in 0usize..8) {
            // Often all of one sort, so that every kind is taken.
            let values: Vec<f64> = match only {
                0 => values.iter().map(|_| values[0]).collect(),
                1 => values.iter().map(|value| f64::from(value.to_bits() as u8)).collect(),
                2 => values.iter().map(|value| f64::from(value.to_bits() as u16)).collect(),
                3 => values.iter().map(|value| f64::from(*value as f32)).collect(),
                _ => values,
            };
            let mut needs = Needs::new();
            for value in &values {
                needs.see(*value);
            }
            let mut bytes = Vec::new();
            for value in &values {
                push(needs.kind(), *value, &mut bytes);
            }
            prop_assert_eq!(Some(bytes.len()), length(needs.kind(), values.len()));
            let held = super::super::Bytes::hold(&bytes);
            let numbers = Numbers::of(needs.kind(), held.all(), values.len());
            let mut all = Vec::new();
            numbers.for_each(|value| all.push(value));
            prop_assert_eq!(all.len(), values.len());
            for (row, value) in values.iter().enumerate() {
                let same = |back: f64| back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan());
                prop_assert!(same(numbers.at(row)) && same(all[row]), "row {row}: {value} became {}", all[row]);
            }
        }
    }
}
