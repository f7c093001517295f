//! Writing columns: those of one or more parts, one part after the other, column by column.
//!
//! Nothing of the size of a column is held beside the parts, so merging large segments takes little memory: the mapped
//! files come and go with the page cache.

use std::io::{self, Write};

use super::dictionary::{NONE, Words};
use super::layout::{Entry, header, plan};
use super::number::{self, Needs};
use super::{Addresses, Columns, Numbers};
use crate::segment::schema::NUMBERS;

/// Rows of a column that are put into their final form at a time.
const BLOCK_ROWS: usize = 16 * 1024;

/// What columns can be written from.
pub(crate) trait Fields {
    fn rows(&self) -> usize;
    fn seq(&self) -> &[u64];
    fn start(&self) -> &[i64];
    /// Source, destination.
    fn ports(&self) -> [&[u16]; 2];
    fn protocol(&self) -> &[u8];
    fn service(&self) -> &[u16];
    fn verdict(&self) -> &[u8];
    /// Source, destination; both with the same dictionary.
    fn addresses(&self) -> [Addresses<'_>; 2];
    /// Family, host.
    fn words(&self) -> [Words<'_>; 2];
    fn number(&self, place: usize) -> Numbers<'_>;
}

/// Parts about to be written as one.
pub(crate) struct Joined<'a> {
    parts: &'a [&'a dyn Fields],
    addresses: Vec<u128>,
    words: [Dictionary; 2],
    entries: Vec<Entry>,
    length: usize,
}

/// The words of all parts.
struct Dictionary {
    /// Whether any row has a word.
    used: bool,
    words: Vec<String>,
}

impl<'a> Joined<'a> {
    /// Looks through the parts for what their columns need.
    pub(crate) fn new(parts: &'a [&'a dyn Fields]) -> Self {
        let rows: usize = parts.iter().map(|part| part.rows()).sum();
        let mut addresses: Vec<u128> = parts.iter().flat_map(|part| part.addresses()[0].dictionary).copied().collect();
        addresses.sort_unstable();
        addresses.dedup();
        let words = [0, 1].map(|which| Dictionary::of(parts, which));
        let mut columns = vec![
            (0, rows * 8),
            (0, rows * 8),
            (0, rows * 2),
            (0, rows * 2),
            (0, rows),
            (0, rows * 2),
            (0, rows),
            (0, rows * 4),
            (0, rows * 4),
            (0, addresses.len() * 16),
        ];
        for dictionary in &words {
            let ords = if dictionary.used { rows * 4 } else { 0 };
            let text = dictionary.words.iter().map(String::len).sum();
            columns.extend([(0, ords), (0, dictionary.words.len() * 4), (0, text)]);
        }
        columns.extend((0..NUMBERS).map(|place| {
            let mut needs = Needs::new();
            for part in parts {
                part.number(place).for_each(|value| needs.see(value));
            }
            let kind = needs.kind();
            (kind, number::length(kind, rows).unwrap_or_default())
        }));
        let (entries, length) = plan(&columns);
        Self { parts, addresses, words, entries, length }
    }

    /// Bytes that [`Joined::write`] writes.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Writes header and columns.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = self.parts.iter().map(|part| part.rows()).sum();
        let mut out = Counting { out, written: 0 };
        out.write_all(&header(rows, &self.entries))?;
        self.plain(&mut out, |part| bytemuck::cast_slice(part.seq()))?;
        self.plain(&mut out, |part| bytemuck::cast_slice(part.start()))?;
        self.plain(&mut out, |part| bytemuck::cast_slice(part.ports()[0]))?;
        self.plain(&mut out, |part| bytemuck::cast_slice(part.ports()[1]))?;
        self.plain(&mut out, |part| part.protocol())?;
        self.plain(&mut out, |part| bytemuck::cast_slice(part.service()))?;
        self.plain(&mut out, |part| part.verdict())?;
        for end in [0, 1] {
            self.ords(&mut out, |part| {
                let addresses = part.addresses()[end];
                let map = addresses.dictionary.iter().map(|address| place_of(self.addresses.binary_search(address)));
                (addresses.ords.to_vec(), map.collect())
            })?;
        }
        out.column(bytemuck::cast_slice(&self.addresses))?;
        for (which, dictionary) in self.words.iter().enumerate() {
            self.word_columns(&mut out, which, dictionary)?;
        }
        (0..NUMBERS).try_for_each(|place| self.numbers(&mut out, place))
    }

    fn plain(
        &self,
        out: &mut Counting<impl Write>,
        bytes: impl for<'p> Fn(&'p dyn Fields) -> &'p [u8],
    ) -> io::Result<()> {
        self.parts.iter().try_for_each(|part| out.write_all(bytes(*part)))?;
        out.pad()
    }

    /// A column of places, each part's translated by its map from its own dictionary to the common one.
    fn ords(&self, out: &mut Counting<impl Write>, of: impl Fn(&dyn Fields) -> (Vec<u32>, Vec<u32>)) -> io::Result<()> {
        for part in self.parts {
            let (mut ords, map) = of(*part);
            for ord in &mut ords {
                *ord = map.get(*ord as usize).copied().unwrap_or(NONE);
            }
            out.write_all(bytemuck::cast_slice(&ords))?;
        }
        out.pad()
    }

    fn word_columns(&self, out: &mut Counting<impl Write>, which: usize, dictionary: &Dictionary) -> io::Result<()> {
        if dictionary.used {
            self.ords(out, |part| {
                let words = part.words()[which];
                let place = |word: &str| place_of(dictionary.words.binary_search_by(|known| known.as_str().cmp(word)));
                let map = (0..words.count()).map(|i| words.word(i).map_or(NONE, place)).collect();
                // A part in which no row has a word has no column of places.
                let ords = if words.ords.is_empty() { vec![NONE; part.rows()] } else { words.ords.to_vec() };
                (ords, map)
            })?;
        }
        let mut end = 0u32;
        let ends = dictionary.words.iter().map(|word| {
            end += word.len() as u32;
            end
        });
        out.column(bytemuck::cast_slice(&ends.collect::<Vec<u32>>()))?;
        out.column(dictionary.words.concat().as_bytes())
    }

    fn numbers(&self, out: &mut Counting<impl Write>, place: usize) -> io::Result<()> {
        let entry = self.entries[self.entries.len() - NUMBERS + place];
        let mut block = Vec::with_capacity(BLOCK_ROWS * size_of::<f64>());
        let mut failed = Ok(());
        let mut written = 0;
        for part in self.parts {
            part.number(place).for_each(|value| {
                number::push(entry.kind, value, &mut block);
                // A column of one value ends with its first.
                if block.len() >= BLOCK_ROWS && written + block.len() < entry.length && failed.is_ok() {
                    failed = out.write_all(&block);
                    written += block.len();
                    block.clear();
                }
            });
        }
        failed?;
        block.resize(entry.length - written, 0);
        out.column(&block)
    }
}

impl Dictionary {
    fn of(parts: &[&dyn Fields], which: usize) -> Self {
        let mut words: Vec<String> = Vec::new();
        for part in parts {
            let part = part.words()[which];
            words.extend((0..part.count()).filter_map(|place| part.word(place)).map(str::to_owned));
        }
        words.sort_unstable();
        words.dedup();
        let used = parts.iter().any(|part| !part.words()[which].ords.is_empty());
        Self { used, words }
    }
}

/// A writer that knows how far it is, so that columns can be padded to where the next begins.
struct Counting<'a, W: Write> {
    out: &'a mut W,
    written: usize,
}

impl<W: Write> Counting<'_, W> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len();
        self.out.write_all(bytes)
    }

    fn column(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)?;
        self.pad()
    }

    fn pad(&mut self) -> io::Result<()> {
        const ZEROS: [u8; 64] = [0; 64];
        let missing = self.written.next_multiple_of(ZEROS.len()) - self.written;
        self.write_all(&ZEROS[..missing])
    }
}

fn place_of(found: Result<usize, usize>) -> u32 {
    found.map_or(NONE, |place| place as u32)
}

impl Fields for Columns {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn seq(&self) -> &[u64] {
        self.seq()
    }

    fn start(&self) -> &[i64] {
        self.start()
    }

    fn ports(&self) -> [&[u16]; 2] {
        [self.src_port(), self.dst_port()]
    }

    fn protocol(&self) -> &[u8] {
        self.protocol()
    }

    fn service(&self) -> &[u16] {
        self.service()
    }

    fn verdict(&self) -> &[u8] {
        self.verdict()
    }

    fn addresses(&self) -> [Addresses<'_>; 2] {
        [self.src_ip(), self.dst_ip()]
    }

    fn words(&self) -> [Words<'_>; 2] {
        [self.family(), self.host()]
    }

    fn number(&self, place: usize) -> Numbers<'_> {
        self.number(place)
    }
}
