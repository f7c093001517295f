//! Every way into the event: formats recognised by content, gzip and Zstandard read as they are.
//!
//! **Promise.** A source gives one [`Item`](crate::source::Item) for each record: an event, or a rejection with place,
//! reason and bytes; a bad record never stops the rest. Importing the same bytes twice gives the same identifiers, whatever
//! the file is called; two records that are alike to the byte are the same event. What a source cannot know stays unknown.
//!
//! **Limits.** A record of at most [`LINE_BYTES_MAX`](crate::limits::LINE_BYTES_MAX) bytes; memory does not depend on the
//! length of the source.
//!
//! **Layout.** [`decompress`] opens a source, [`detect`](detect()) says what it is, one file per format makes events of its
//! records. `event/IMPORTERS.md` lists for every format which column becomes what.

pub(crate) mod cic;
mod detect;
mod eve;
mod fields;
mod input;
mod jsonl;
mod lines;
pub(crate) mod names;
mod nfdump;
mod objects;
mod rag;
mod records;
mod time;
mod totals;
mod zeek;

use std::io::Read;
use std::path::Path;

use crate::source::{EventSource, SourceError};

pub use detect::{Detection, Format, detect};
pub use input::{Counted, HEAD_BYTES_MAX, Input, Meter, Reader, decompress};

pub(crate) use lines::Line;
use lines::Lines;
use objects::Objects;
use records::Records;

/// Opens the file at `path`, or standard input for `-`.
///
/// A capture is refused: the meter of `forebay-ebpf` reads those.
pub fn open_path(path: &Path) -> Result<Box<dyn EventSource>, SourceError> {
    open_input(decompress_path(path)?)
}

/// Opens the file at `path`, or standard input for `-`, for [`detect`](detect()) and then [`open_input`].
pub fn decompress_path(path: &Path) -> Result<Input, SourceError> {
    if path.as_os_str() == "-" {
        return decompress("-", Box::new(std::io::stdin()), None);
    }
    let name = path.display().to_string();
    let opened = fs_err::File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|error| SourceError::Io { name: name.clone(), error })?;
    let total = metadata.is_file().then_some(metadata.len());
    decompress(&name, Box::new(file), total)
}

/// Opens what comes out of `medium`; `total` is its size, where it is known.
pub fn open_reader(
    name: &str,
    medium: Box<dyn Read + Send>,
    total: Option<u64>,
) -> Result<Box<dyn EventSource>, SourceError> {
    open_input(decompress(name, medium, total)?)
}

/// The events of an opened source, in whichever format its head shows.
pub fn open_input(input: Input) -> Result<Box<dyn EventSource>, SourceError> {
    const ACCEPTED: &str = "Forebay JSON lines, CICFlowMeter CSV, RAGLogger JSON, Suricata EVE, Zeek conn.log and nfdump \
                            JSON are read, plain, gzip or zstd";
    let found = match detect(input.head()) {
        Detection::Events(format) => return Ok(open_format(input, format)),
        // Nothing there is no error: a log that was just rotated is empty.
        Detection::Empty => return Ok(open_format(input, Format::Jsonl)),
        Detection::Pcap | Detection::PcapNg => "a packet capture, which has to go through the flow meter".to_owned(),
        Detection::Gzip | Detection::Zstd => "compressed more than once; unpack it once first".to_owned(),
        Detection::Unknown(found) => found,
    };
    Err(SourceError::Unrecognised { name: input.name().to_owned(), reason: format!("found {found}; {ACCEPTED}") })
}

/// The events of an opened source, taken to be in `format` whatever its head shows.
pub fn open_format(input: Input, format: Format) -> Box<dyn EventSource> {
    let lines = Lines::default();
    match format {
        Format::Jsonl => Box::new(Records::new(input, lines, jsonl::Decoder::default())),
        Format::CicFlowMeter => Box::new(Records::new(input, lines, cic::Decoder::default())),
        Format::RagLogger => Box::new(Records::new(input, lines, rag::Decoder::default())),
        Format::SuricataEve => Box::new(Records::new(input, lines, eve::Decoder::default())),
        Format::ZeekTsv => Box::new(Records::new(input, lines, zeek::tsv::Decoder::default())),
        Format::ZeekJson => Box::new(Records::new(input, lines, zeek::json::Decoder::default())),
        Format::NfdumpJson => Box::new(Records::new(input, Objects::default(), nfdump::Decoder::default())),
    }
}
