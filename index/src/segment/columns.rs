//! The fields of every event of a segment, field by field: what filters and counts look at.
//!
//! **Layout.** 8 bytes `FBCOL001`, rows and number of columns as little-endian u32, zeros up to byte 64; for each column,
//! in the order of [`place`], its kind (u32, see [`number`]), zero (u32), where it begins (u64) and how many bytes it has
//! (u64); then the columns, each beginning at a multiple of 64. The same bytes lie in a file or in memory.
//!
//! **Limits.** Any bytes can be opened without harm: every column's place and length are checked against the rows, and
//! an entry that points outside a dictionary means "no value".

mod dictionary;
mod gather;
mod layout;
mod number;
mod write;

pub(crate) use dictionary::{Addresses, Words};
pub(crate) use gather::Gathered;
pub(crate) use number::Numbers;
pub(crate) use write::{Fields, Joined};

use std::io;

use super::bytes::{Bytes, damaged};
use super::schema::NUMBERS;
use layout::{Entry, HEADER_BYTES, entries};

/// Where each column stands in the file.
pub(super) mod place {
    pub(crate) const SEQ: usize = 0;
    pub(crate) const START: usize = 1;
    pub(crate) const SRC_PORT: usize = 2;
    pub(crate) const DST_PORT: usize = 3;
    pub(crate) const PROTOCOL: usize = 4;
    pub(crate) const SERVICE: usize = 5;
    pub(crate) const VERDICT: usize = 6;
    /// Both ends share one dictionary of addresses.
    pub(crate) const SRC_IP: usize = 7;
    pub(crate) const DST_IP: usize = 8;
    pub(crate) const ADDRESSES: usize = 9;
    pub(crate) const FAMILY: usize = 10;
    pub(crate) const FAMILY_ENDS: usize = 11;
    pub(crate) const FAMILY_WORDS: usize = 12;
    pub(crate) const HOST: usize = 13;
    pub(crate) const HOST_ENDS: usize = 14;
    pub(crate) const HOST_WORDS: usize = 15;
    /// The features, then the sums.
    pub(crate) const NUMBERS: usize = 16;
}

/// Columns of a segment.
pub(super) const COLUMN_COUNT: usize = place::NUMBERS + NUMBERS;

/// The columns of a segment.
pub(crate) struct Columns {
    bytes: Bytes,
    rows: usize,
    entries: Vec<Entry>,
}

impl Columns {
    /// Looks at `bytes`, called `what` in errors.
    pub(super) fn open(bytes: Bytes, what: &str) -> io::Result<Self> {
        let (rows, entries) = entries(bytes.all()).map_err(|reason| damaged(what, &reason))?;
        Ok(Self { bytes, rows, entries })
    }

    /// The columns of `parts`, one part after the other, in memory.
    pub(super) fn joined(parts: &[&dyn Fields]) -> io::Result<Self> {
        let joined = Joined::new(parts);
        let mut bytes = Vec::with_capacity(joined.length());
        joined.write(&mut bytes)?;
        Self::open(Bytes::hold(&bytes), "columns in memory")
    }

    /// Gives back the room that its pages take.
    pub(super) fn page_out(&self) {
        self.bytes.page_out();
    }

    /// How many rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of each event in the index.
    pub(crate) fn seq(&self) -> &[u64] {
        self.numbers_at(place::SEQ)
    }

    /// Start of each flow, Unix epoch, microseconds.
    pub(crate) fn start(&self) -> &[i64] {
        self.numbers_at(place::START)
    }

    pub(crate) fn src_port(&self) -> &[u16] {
        self.numbers_at(place::SRC_PORT)
    }

    pub(crate) fn dst_port(&self) -> &[u16] {
        self.numbers_at(place::DST_PORT)
    }

    pub(crate) fn protocol(&self) -> &[u8] {
        self.numbers_at(place::PROTOCOL)
    }

    /// Place in `event::service::SERVICES` when the event was stored.
    pub(crate) fn service(&self) -> &[u16] {
        self.numbers_at(place::SERVICE)
    }

    /// A verdict's number, 0 where there is none.
    pub(crate) fn verdict(&self) -> &[u8] {
        self.numbers_at(place::VERDICT)
    }

    pub(crate) fn src_ip(&self) -> Addresses<'_> {
        Addresses { ords: self.numbers_at(place::SRC_IP), dictionary: self.numbers_at(place::ADDRESSES) }
    }

    pub(crate) fn dst_ip(&self) -> Addresses<'_> {
        Addresses { ords: self.numbers_at(place::DST_IP), dictionary: self.numbers_at(place::ADDRESSES) }
    }

    /// Lower case.
    pub(crate) fn family(&self) -> Words<'_> {
        self.words_at(place::FAMILY)
    }

    /// Lower case.
    pub(crate) fn host(&self) -> Words<'_> {
        self.words_at(place::HOST)
    }

    /// A feature or a sum, by its place in `schema::numbers`.
    pub(crate) fn number(&self, place: usize) -> Numbers<'_> {
        let entry = &self.entries[place::NUMBERS + place];
        Numbers::of(entry.kind, &self.bytes.all()[entry.range()], self.rows)
    }

    fn words_at(&self, place: usize) -> Words<'_> {
        Words {
            ords: self.numbers_at(place),
            ends: self.numbers_at(place + 1),
            text: &self.bytes.all()[self.entries[place + 2].range()],
        }
    }

    /// A column of plain numbers; its length and alignment were checked when it was opened.
    fn numbers_at<T: bytemuck::AnyBitPattern>(&self, place: usize) -> &[T] {
        bytemuck::cast_slice(&self.bytes.all()[self.entries[place].range()])
    }
}

const _: () = assert!(HEADER_BYTES.is_multiple_of(align_of::<u128>()));

#[cfg(test)]
mod tests;
