//! The file of links.
//!
//! ```text
//! header    64 bytes: `FBHNSW01`, then little-endian u32 rows, layers (0 to 16), entry (the row a walk starts at),
//!           probes (rows that looked for themselves when it was built) and how many of them were found; zeros
//! layers    layers x (u32 nodes, u32 links), from the lowest
//! then for each layer, from the lowest:
//! nodes     nodes x u32: the rows that are in it, ascending; nothing for the lowest, where node i is row i
//! starts    (nodes + 1) x u32: where the links of each node begin, and the end
//! links     links x u32: the rows that a node leads to
//! ```
//!
//! Every section starts at a multiple of 64 bytes. Nothing is parsed: the sections are slices of the mapped file. Opening
//! checks magic and sizes. Starts and rows are checked where they are used: what leads outside leads nowhere, and no more
//! than [`LINKS_MAX`] links of a node are looked at.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::super::hnsw_settings::LINKS_MAX;
use crate::segment::Bytes;

const MAGIC: &[u8; 8] = b"FBHNSW01";

const HEADER_BYTES: usize = 64;

/// Where the header says how many rows looked for themselves, and how many were found.
const PROBES_AT: usize = 20;

/// What sections begin at multiples of.
const SECTION_BYTES: usize = 64;

/// Bytes of an entry in the list of layers.
const LAYER_BYTES: usize = 8;

/// Most layers: the library has no more.
pub(super) const LAYERS_MAX: usize = 16;

/// The links of one layer, before they are written.
#[derive(Debug, Default)]
pub(super) struct Layer {
    /// Rows that are in it, ascending; not written for the lowest, where all are.
    pub(super) nodes: Vec<u32>,
    /// Where the links of each begin.
    pub(super) starts: Vec<u32>,
    /// The rows they lead to.
    pub(super) links: Vec<u32>,
}

/// Byte ranges of the sections of a layer.
struct Sections {
    nodes: Range<usize>,
    starts: Range<usize>,
    links: Range<usize>,
}

/// The mapped file.
pub(super) struct LinkFile {
    bytes: Bytes,
    rows: usize,
    entry: u32,
    layers: Vec<Sections>,
}

/// The file of `layers` over `rows` rows, the lowest first, to be walked from the row `entry`.
pub(super) fn bytes(rows: usize, entry: u32, layers: &[Layer]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut section = |section: &[u8]| {
        bytes.extend_from_slice(section);
        bytes.resize(bytes.len().next_multiple_of(SECTION_BYTES), 0);
    };
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    for (place, number) in [rows as u32, layers.len() as u32, entry].into_iter().enumerate() {
        header[8 + 4 * place..12 + 4 * place].copy_from_slice(&number.to_le_bytes());
    }
    section(&header);
    let sizes: Vec<u32> =
        layers.iter().flat_map(|layer| [layer.nodes.len() as u32, layer.links.len() as u32]).collect();
    section(bytemuck::cast_slice(&sizes));
    for (level, layer) in layers.iter().enumerate() {
        if level > 0 {
            section(bytemuck::cast_slice(&layer.nodes));
        }
        section(bytemuck::cast_slice(&layer.starts));
        section(bytemuck::cast_slice(&layer.links));
    }
    bytes
}

/// Writes into `bytes` how many rows of those that looked for themselves were found.
pub(super) fn set_found(bytes: &mut [u8], found: u32, probes: u32) {
    bytes[PROBES_AT..PROBES_AT + 4].copy_from_slice(&probes.to_le_bytes());
    bytes[PROBES_AT + 4..PROBES_AT + 8].copy_from_slice(&found.to_le_bytes());
}

impl LinkFile {
    /// Maps a file and checks that its header fits its length.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::of(Bytes::map(path)?, &path.display().to_string())
    }

    /// What [`bytes`] made, before it is written.
    pub(super) fn hold(bytes: &[u8]) -> io::Result<Self> {
        Self::of(Bytes::hold(bytes), "links in memory")
    }

    /// Gives back the room that its pages take.
    pub(super) fn page_out(&self) {
        self.bytes.page_out();
    }

    fn of(bytes: Bytes, what: &str) -> io::Result<Self> {
        let damaged = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{what}: {reason}"));
        let all = bytes.all();
        let header = all.get(..HEADER_BYTES).ok_or_else(|| damaged("shorter than its header"))?;
        if &header[..8] != MAGIC {
            return Err(damaged("not a file of links"));
        }
        let (rows, count, entry) = (number(header, 8), number(header, 12), number(header, 16));
        if count > LAYERS_MAX || (count == 0) != (rows == 0) || (rows > 0 && entry >= rows) {
            return Err(damaged("its header holds numbers that cannot be"));
        }
        let list = all.get(HEADER_BYTES..HEADER_BYTES + count * LAYER_BYTES);
        let list = list.ok_or_else(|| damaged("shorter than its list of layers"))?;
        let sizes = list.chunks_exact(LAYER_BYTES).map(|layer| (number(layer, 0), number(layer, 4)));
        let (layers, end) = sections(sizes).ok_or_else(|| damaged("its sizes overflow"))?;
        if end != all.len() || layers.first().is_some_and(|lowest| items(&lowest.starts) != rows + 1) {
            return Err(damaged("its length does not fit its header"));
        }
        Ok(Self { rows, entry: entry as u32, layers, bytes })
    }

    /// Rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Layers; none where there are no rows.
    pub(super) fn layers(&self) -> usize {
        self.layers.len()
    }

    /// The row a walk starts at; inside the rows, if there are any.
    pub(super) fn entry(&self) -> u32 {
        self.entry
    }

    /// How many rows that looked for themselves were found, and how many looked.
    pub(super) fn found(&self) -> (usize, usize) {
        (number(self.bytes.all(), PROBES_AT + 4), number(self.bytes.all(), PROBES_AT))
    }

    /// Links in the lowest layer.
    pub(super) fn links_below(&self) -> usize {
        self.layers.first().map_or(0, |lowest| items(&lowest.links))
    }

    /// The rows that `row` leads to in the layer `level`, all of them inside the rows.
    pub(super) fn links(&self, level: usize, row: u32) -> impl Iterator<Item = u32> + '_ {
        let rows = self.rows as u32;
        self.run(level, row).unwrap_or_default().iter().copied().take(LINKS_MAX).filter(move |link| *link < rows)
    }

    fn run(&self, level: usize, row: u32) -> Option<&[u32]> {
        let layer = self.layers.get(level)?;
        let place = if level == 0 { row as usize } else { self.slice(&layer.nodes).binary_search(&row).ok()? };
        let starts = self.slice(&layer.starts).get(place..place + 2)?;
        self.slice(&layer.links).get(starts[0] as usize..starts[1] as usize)
    }

    fn slice(&self, section: &Range<usize>) -> &[u32] {
        // The bytes begin at a multiple of 16, sections at multiples of 64, and `open` checked that they lie inside.
        bytemuck::cast_slice(&self.bytes.all()[section.clone()])
    }
}

/// Where the sections of layers with so many nodes and links lie, and where the last ends; `None` where that overflows.
fn sections(sizes: impl Iterator<Item = (usize, usize)>) -> Option<(Vec<Sections>, usize)> {
    let sizes: Vec<(usize, usize)> = sizes.collect();
    let mut at = HEADER_BYTES.checked_add((sizes.len() * LAYER_BYTES).checked_next_multiple_of(SECTION_BYTES)?)?;
    let mut section = |items: usize| {
        let end = at.checked_add(items.checked_mul(size_of::<u32>())?)?;
        let range = at..end;
        at = end.checked_next_multiple_of(SECTION_BYTES)?;
        Some(range)
    };
    let mut layers = Vec::with_capacity(sizes.len());
    for (level, (nodes, links)) in sizes.into_iter().enumerate() {
        let listed = if level == 0 { 0 } else { nodes };
        layers.push(Sections {
            nodes: section(listed)?,
            starts: section(nodes.checked_add(1)?)?,
            links: section(links)?,
        });
    }
    Some((layers, at))
}

/// Numbers in a section.
fn items(section: &Range<usize>) -> usize {
    section.len() / size_of::<u32>()
}

/// The number at `at`, which lies inside `bytes`.
fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

const _: () = assert!(cfg!(target_endian = "little"), "the file is mapped as it lies on disk");
const _: () = assert!(size_of::<usize>() >= 8, "sizes of 32 bits are added up");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_come_back_and_what_leads_outside_leads_nowhere() {
        let lowest = Layer { nodes: vec![0, 1, 2], starts: vec![0, 2, 3, 9], links: vec![1, 2, 7] };
        let upper = Layer { nodes: vec![1, 2], starts: vec![0, 1, 1], links: vec![2] };
        let mut bytes = bytes(3, 1, &[lowest, upper]);
        set_found(&mut bytes, 2, 3);
        let file = LinkFile::hold(&bytes).unwrap();
        let links = |level, row| file.links(level, row).collect::<Vec<u32>>();
        assert_eq!((file.rows(), file.layers(), file.entry(), file.links_below()), (3, 2, 1, 3));
        assert_eq!(links(0, 0), [1, 2]);
        assert!(links(0, 1).is_empty(), "row 7 is not there");
        assert!(links(0, 2).is_empty() && links(0, 3).is_empty() && links(9, 0).is_empty());
        assert_eq!(links(1, 1), [2]);
        assert!(links(1, 0).is_empty(), "row 0 is not in that layer");
        assert_eq!(file.found(), (2, 3));
        bytes.pop();
        assert!(LinkFile::hold(&bytes).is_err());
    }
}
